//! Settings that nobody wants to type each time. The command line is asked first, then `SENSOR_*` variables, then the
//! file that `--config` names, or else [`DEFAULT_PATH`], then the defaults.
//!
//! Clap's definition of the command line is the only list of options there is: what a variable or the file sets
//! becomes the default value of the option, and everything behind sees one `Cli`, wherever its values came from.
//! `docs/configuration.md` is for users.

mod check;
mod document;
mod error;
mod file;
mod inject;
mod library;
mod parameters;
mod sample;
mod settings;
mod surroundings;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, CommandFactory, FromArgMatches};

pub use check::check;
pub use error::{ConfigError, Place, Problem};
pub use library::Edge;
pub use parameters::{Kind, Parameter, parameters};
pub use sample::{sample, toml_string, toml_value};
pub use settings::{NamedFilter, Origin, Setting, Settings, Spot};
pub use surroundings::{Found, LARGEST, Process, Surroundings, files_read, note_read};

use crate::cli::Cli;
use crate::escape;
use crate::filter::suggest::nearest;
use document::Document;

/// Read where no other file is named; it need not exist.
pub const DEFAULT_PATH: &str = "/etc/sensor/sensor.toml";
/// Names the file in place of `--config`.
const VARIABLE: &str = "SENSOR_CONFIG";
/// Of the variables that set options.
const PREFIX: &str = "SENSOR_";

/// What a run has to go by.
#[derive(Debug)]
pub struct Loaded {
    /// As if everything had been typed.
    pub cli: Cli,
    /// The named filters.
    pub library: Edge,
    /// What is odd but no reason to stop.
    pub warnings: Vec<String>,
}

#[derive(Debug)]
pub enum LoadError {
    /// Of the command line, or its wish for help.
    Usage(clap::Error),
    /// All that is wrong with file and environment.
    Config(Vec<ConfigError>),
}

/// One line for each mistake, as long as people read on.
pub fn lines(errors: &[ConfigError]) -> Vec<String> {
    const MOST: usize = 20;
    let mut lines: Vec<String> = errors.iter().take(MOST).map(ToString::to_string).collect();
    if let Some(more) = errors.len().checked_sub(MOST).filter(|more| *more > 0) {
        lines.push(format!("and {more} more mistakes in the configuration"));
    }
    lines
}

/// Reads everything anew, as this process was started: for SIGHUP.
pub fn reload() -> Result<Loaded, LoadError> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    load(&arguments, &Process)
}

/// What the command line, the environment and the config file say together; `arguments` begin with the program's name.
pub fn load(arguments: &[OsString], surroundings: &dyn Surroundings) -> Result<Loaded, LoadError> {
    let mut definition = Cli::command();
    let typed = definition
        .try_get_matches_from_mut(arguments)
        .map_err(LoadError::Usage)?;
    if typed.subcommand_name() == Some("config") {
        // It must work where the configuration is what's wrong.
        let cli = understood(&typed)?;
        return Ok(Loaded {
            cli,
            library: Edge::default(),
            warnings: Vec::new(),
        });
    }
    let file = typed.get_one::<PathBuf>("config").map(PathBuf::as_path);
    if nothing_is_set(file, surroundings) {
        return Ok(Loaded {
            cli: understood(&typed)?,
            library: Edge::default(),
            warnings: Vec::new(),
        });
    }
    let gathered = gather(file, surroundings);
    if !gathered.errors.is_empty() {
        return Err(LoadError::Config(gathered.errors));
    }
    let library = gathered.library();
    let matches = inject::defaults(Cli::command(), &gathered.settings, &typed)
        .try_get_matches_from(arguments)
        .map_err(LoadError::Usage)?;
    Ok(Loaded {
        cli: understood(&matches)?,
        library,
        warnings: gathered.warnings,
    })
}

/// There is no file and no variable: what was typed is all. Finding that out by [`gather`] would take longer than counting a
/// short capture.
fn nothing_is_set(file: Option<&Path>, surroundings: &dyn Surroundings) -> bool {
    let (path, must_exist) = locate(file, surroundings);
    let is_ours = |name: &OsString| name.as_encoded_bytes().starts_with(PREFIX.as_bytes());
    !must_exist
        && !surroundings.variables().iter().any(is_ours)
        && matches!(surroundings.read(&path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

fn understood(matches: &ArgMatches) -> Result<Cli, LoadError> {
    Cli::from_arg_matches(matches)
        .map_err(|error| LoadError::Usage(error.format(&mut Cli::command())))
}

/// Everything but the command line.
#[derive(Debug)]
pub struct Gathered {
    /// The file that was asked for, or the default one.
    pub path: PathBuf,
    /// None: it isn't there, or can't be read.
    document: Option<Document>,
    pub settings: Settings,
    pub errors: Vec<ConfigError>,
    pub warnings: Vec<String>,
}

/// Reads the environment and the file; `named` is the one of the command line.
pub fn gather(named: Option<&Path>, surroundings: &dyn Surroundings) -> Gathered {
    let (path, must_exist) = locate(named, surroundings);
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let document = match surroundings.read(&path) {
        Ok(found) => {
            if found.dangerous {
                warnings.push(format!(
                    "{}: everybody may change this config file, and it is root who follows it: chmod o-w",
                    escape::path(&path)
                ));
            }
            let (document, wrong) = Document::read(&path, &found.bytes);
            errors.extend(wrong);
            Some(document)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => None,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !must_exist => {
            warnings.push(format!(
                "{}: can't be read, so its settings are left out: {error}",
                escape::path(&path)
            ));
            None
        }
        Err(error) => {
            errors.push(ConfigError::file(&path, unreadable(&error)));
            None
        }
    };
    let parameters = parameters(&Cli::command());
    warnings.extend(unknown_variables(&parameters, surroundings));
    let (settings, wrong) = Settings::gather(parameters, document.as_ref(), surroundings);
    // In a line whose syntax is broken, what was understood of it says nothing.
    let broken: Vec<usize> = errors.iter().map(|error| error.order().0).collect();
    errors.extend(wrong.into_iter().filter(|error| {
        let line = error.order().0;
        line == 0 || !broken.contains(&line)
    }));
    errors.sort_by_key(ConfigError::order);
    Gathered {
        path,
        document,
        settings,
        errors,
        warnings,
    }
}

/// Slips in the names of variables. Other programs may have variables that begin alike, so they are no mistakes.
fn unknown_variables(parameters: &[Parameter], surroundings: &dyn Surroundings) -> Vec<String> {
    let mut known: BTreeSet<String> = parameters.iter().map(Parameter::variable).collect();
    known.insert(VARIABLE.to_owned());
    let is_set = |name: &str| {
        surroundings
            .env(name)
            .is_some_and(|value| !value.is_empty())
    };
    let mut unknown: Vec<String> = surroundings
        .variables()
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.starts_with(PREFIX) && !known.contains(name) && is_set(name))
        .collect();
    unknown.sort_unstable();
    let known: Vec<String> = known.iter().map(|name| name.to_lowercase()).collect();
    let warning = |name: String| {
        let hint = nearest(&name, known.iter().map(String::as_str))
            .map(|near| format!(": did you mean {}?", near.to_uppercase()))
            .unwrap_or_default();
        format!(
            "{}: no setting has this variable{hint}",
            escape::text(&name)
        )
    };
    unknown.into_iter().map(warning).collect()
}

impl Gathered {
    /// Whether the file is there.
    pub fn found(&self) -> bool {
        self.document.is_some()
    }

    /// How many keys set an option.
    pub fn options(&self) -> usize {
        let entries = self.document.iter().flat_map(|document| &document.entries);
        entries
            .filter(|entry| entry.table.as_deref() != Some(file::FILTERS))
            .count()
    }

    pub fn library(&self) -> Edge {
        let filters = self.settings.filters.iter();
        Edge::new(
            filters
                .map(|(name, filter)| (name.clone(), filter.text.clone()))
                .collect(),
        )
    }
}

/// The file to read, and whether somebody named it.
fn locate(named: Option<&Path>, surroundings: &dyn Surroundings) -> (PathBuf, bool) {
    let variable = || {
        let value = surroundings.env(VARIABLE);
        value.filter(|value| !value.is_empty()).map(PathBuf::from)
    };
    match named.map(Path::to_owned).or_else(variable) {
        Some(path) => (path, true),
        None => (DEFAULT_PATH.into(), false),
    }
}

fn unreadable(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::NotFound => Problem::Missing,
        io::ErrorKind::IsADirectory => Problem::Directory,
        _ => Problem::Unreadable(error.to_string()),
    }
}
