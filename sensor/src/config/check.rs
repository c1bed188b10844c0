//! Everything that is wrong with the filters of a configuration, before one of them is needed.

use super::document::{Document, Entry, What};
use super::error::{ConfigError, Place, Problem};
use super::file::FILTERS;
use super::settings::Origin;
use super::{Edge, Gathered};
use crate::filter::{self, FilterError, Library};

/// The mistakes in named filters and in `filter` options.
pub fn check(gathered: &Gathered) -> Vec<ConfigError> {
    let library = gathered.library();
    let mut errors: Vec<ConfigError> = in_variable(gathered, &library).into_iter().collect();
    errors.extend(of_variable(gathered, &library));
    if let Some(document) = &gathered.document {
        let entries = document.entries.iter();
        errors.extend(entries.filter_map(|entry| in_file(document, entry, &library)));
    }
    errors
}

fn in_variable(gathered: &Gathered, library: &Edge) -> Option<ConfigError> {
    let (variable, text) = variable(gathered, OPTION)?;
    let error = understand(&text, library).err()?;
    Some(ConfigError {
        place: Place::Variable(variable.clone()),
        problem: problem(OPTION, error),
    })
}

fn of_variable(gathered: &Gathered, library: &Edge) -> Option<ConfigError> {
    let (variable, path) = variable(gathered, FILE_OPTION)?;
    let place = Place::Variable(variable);
    let problem = in_filter_file(&path, library)?;
    Some(ConfigError { place, problem })
}

/// Name and value of the variable that sets an option.
fn variable(gathered: &Gathered, option: &str) -> Option<(String, String)> {
    let settings = gathered.settings.values.iter();
    settings
        .filter(|setting| setting.parameter.name == option)
        .find_map(|setting| match &setting.origin {
            Origin::Variable(name) => {
                let value = setting.values.first()?.to_string_lossy();
                Some((name.clone(), value.into_owned()))
            }
            _ => None,
        })
}

/// The file holds one filter, with comments.
fn in_filter_file(path: &str, library: &Edge) -> Option<Problem> {
    let wrong = |message, help| {
        Some(Problem::Filter {
            name: FILE_OPTION.to_owned(),
            message,
            help,
        })
    };
    let text = match library.list(path) {
        Ok(text) => text,
        Err(why) => return wrong(format!("can't read the filter in {path}: {why}"), None),
    };
    let error = understand(&text, library).err()?;
    let origin = error.origin.unwrap_or_else(|| {
        let before = text.get(..error.span.start).unwrap_or_default();
        format!("{path}, line {}", before.matches('\n').count() + 1)
    });
    wrong(format!("in {origin}: {}", error.message), error.help)
}

/// Names the file of a filter.
const FILE_OPTION: &str = "filter-file";
/// The option that is a filter itself.
const OPTION: &str = "filter";

fn in_file(document: &Document, entry: &Entry, library: &Edge) -> Option<ConfigError> {
    let name = match &entry.table {
        Some(table) if table == FILTERS => format!("@{}", entry.key),
        _ if entry.key == OPTION => OPTION.to_owned(),
        _ if entry.key == FILE_OPTION => {
            let What::Text(path) = &entry.value.what else {
                return None; // said by whoever read the file
            };
            let problem = in_filter_file(path, library)?;
            return Some(document.error(entry.value.at.start, problem));
        }
        _ => return None,
    };
    let What::Text(text) = &entry.value.what else {
        return None; // said by whoever read the file
    };
    let error = understand(text, library).err()?;
    let inner = match error.origin {
        None => error.span.start,
        Some(_) => 0, // of another text
    };
    let at = document.offset_in(&entry.value, inner);
    Some(document.error(at, problem(&name, error)))
}

fn understand(text: &str, library: &Edge) -> Result<(), FilterError> {
    let expr = filter::parse(text, library)?;
    filter::lower(&expr, text, library).map(drop)
}

fn problem(name: &str, error: FilterError) -> Problem {
    let origin = error.origin.map(|origin| format!("in {origin}: "));
    Problem::Filter {
        name: name.to_owned(),
        message: origin.unwrap_or_default() + &error.message,
        help: error.help,
    }
}
