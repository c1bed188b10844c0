//! `sensor config`: what is wrong with the settings, and what is in force.

use std::ffi::OsString;
use std::path::Path;

use clap::CommandFactory;
use serde::Serialize;
use serde_json::Value;

use crate::cli::{self, Cli};
use crate::config::{self, Gathered, Kind, Origin, Process, Setting};
use crate::failure::{Exit, Failure};
use crate::{escape, sink, status};

pub fn run(args: &cli::Config, named: Option<&Path>) -> Result<Exit, Failure> {
    match args {
        cli::Config::Check(args) => check(args, named),
        cli::Config::Show(args) => show(args, named),
    }
}

fn check(args: &cli::ConfigCheck, named: Option<&Path>) -> Result<Exit, Failure> {
    if args.file.is_some() && named.is_some() {
        let message =
            "two files are named, one by --config and one without: leave one of them away";
        return Err(Failure::told(Exit::Usage, message));
    }
    let mut gathered = config::gather(args.file.as_deref().or(named), &Process);
    let filters = config::check(&gathered);
    gathered.errors.extend(filters);
    if complain(&gathered) {
        return Ok(Exit::Usage);
    }
    print(&verdict(&gathered))
}

fn verdict(gathered: &Gathered) -> String {
    let path = escape::path(&gathered.path);
    let filters = gathered.settings.filters.len();
    let plural = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    if !gathered.found() {
        return format!("{path}: ok, there is none: the defaults are in force\n");
    }
    format!(
        "{path}: ok, {} and {}\n",
        plural(gathered.options(), "setting"),
        plural(filters, "filter")
    )
}

/// Tells what is wrong; whether anything is.
fn complain(gathered: &Gathered) -> bool {
    for warning in &gathered.warnings {
        status::warn(warning);
    }
    for line in config::lines(&gathered.errors) {
        status::warn(&line);
    }
    !gathered.errors.is_empty()
}

fn show(args: &cli::ConfigShow, named: Option<&Path>) -> Result<Exit, Failure> {
    if args.sample {
        return print(&config::sample(&config::parameters(&Cli::command())));
    }
    let gathered = config::gather(named, &Process);
    if complain(&gathered) {
        return Ok(Exit::Usage);
    }
    let chosen = choose(&gathered, args.command.as_deref())?;
    let text = match args.json {
        true => json(&gathered, &chosen)?,
        false => text(&gathered, &chosen),
    };
    print(&text)
}

/// The settings of one command, those of every command included, or all.
fn choose<'a>(gathered: &'a Gathered, command: Option<&str>) -> Result<Vec<&'a Setting>, Failure> {
    let all = &gathered.settings.values;
    let Some(command) = command else {
        return Ok(all.iter().collect());
    };
    let of = |setting: &&Setting| setting.parameter.command.as_deref() == Some(command);
    if !all.iter().any(|setting| of(&setting)) {
        let mut known: Vec<&str> = all
            .iter()
            .filter_map(|setting| setting.parameter.command.as_deref())
            .collect();
        known.dedup();
        let message = format!(
            "no command with settings is called `{}`: there are {}",
            escape::text(command),
            known.join(", ")
        );
        return Err(Failure::told(Exit::Usage, message));
    }
    let every = |setting: &&Setting| setting.parameter.command.is_none();
    Ok(all.iter().filter(|s| of(s) || every(s)).collect())
}

/// A config file again, with where each value came from as comments.
fn text(gathered: &Gathered, settings: &[&Setting]) -> String {
    let none = if gathered.found() {
        ""
    } else {
        " (there is none)"
    };
    let mut text = format!("# {}{none}\n", escape::path(&gathered.path));
    let mut table = None;
    let mut rows = Vec::new();
    for setting in settings {
        let command = setting.parameter.command.as_deref();
        if command != table {
            align(&mut text, &mut rows);
            text += &format!("\n[{}]\n", command.unwrap_or_default());
            table = command;
        }
        let name = &setting.parameter.name;
        rows.push(
            match config::toml_value(&setting.parameter, &setting.values) {
                Some(value) => (format!("{name} = {value}"), told(&setting.origin)),
                None => (format!("#{name} ="), "not set".to_owned()),
            },
        );
    }
    align(&mut text, &mut rows);
    if !gathered.settings.filters.is_empty() {
        text += "\n[filters]\n";
        for (name, filter) in &gathered.settings.filters {
            let value = config::toml_string(&filter.text);
            rows.push((format!("{name} = {value}"), filter.spot.told()));
        }
        align(&mut text, &mut rows);
    }
    text
}

fn align(text: &mut String, rows: &mut Vec<(String, String)>) {
    let width = |row: &(String, String)| row.0.chars().count();
    let widest = rows.iter().map(width).max().unwrap_or(0);
    for (left, right) in rows.drain(..) {
        *text += &format!("{left:<widest$}  # {right}\n");
    }
}

fn told(origin: &Origin) -> String {
    match origin {
        Origin::Variable(name) => format!("environment {name}"),
        Origin::File(spot) => spot.told(),
        Origin::Default => "default".to_owned(),
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    file: Option<String>,
    settings: Vec<Row<'a>>,
    filters: Vec<NamedRow<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    command: Option<&'a str>,
    name: &'a str,
    value: Value,
    origin: &'static str,
    /// The variable, or file and line.
    place: Option<String>,
}

#[derive(Serialize)]
struct NamedRow<'a> {
    name: &'a str,
    filter: &'a str,
    place: String,
}

fn json(gathered: &Gathered, settings: &[&Setting]) -> Result<String, Failure> {
    let filters = gathered.settings.filters.iter();
    let shown = Shown {
        file: gathered.found().then(|| escape::path(&gathered.path)),
        settings: settings.iter().map(|setting| Row::of(setting)).collect(),
        filters: filters
            .map(|(name, filter)| NamedRow {
                name,
                filter: &filter.text,
                place: filter.spot.told(),
            })
            .collect(),
    };
    let text = serde_json::to_string_pretty(&shown).map_err(anyhow::Error::from)?;
    Ok(text + "\n")
}

impl<'a> Row<'a> {
    fn of(setting: &'a Setting) -> Self {
        let (origin, place) = match &setting.origin {
            Origin::Variable(name) => ("environment", Some(name.clone())),
            Origin::File(spot) => ("file", Some(spot.told())),
            Origin::Default => ("default", None),
        };
        Row {
            command: setting.parameter.command.as_deref(),
            name: &setting.parameter.name,
            value: value(setting),
            origin,
            place,
        }
    }
}

fn value(setting: &Setting) -> Value {
    let one = |value: &OsString| {
        let text = value.to_string_lossy();
        match setting.parameter.kind {
            Kind::Switch => Value::from(text == "true"),
            Kind::Number => text
                .parse::<u64>()
                .map_or_else(|_| Value::from(&*text), Value::from),
            Kind::Text => Value::from(&*text),
        }
    };
    if setting.parameter.repeatable {
        return setting.values.iter().map(one).collect();
    }
    setting.values.first().map_or(Value::Null, one)
}

fn print(text: &str) -> Result<Exit, Failure> {
    sink::write_stdout(|to| write!(to, "{text}"))
        .map_err(|error| Failure::new(Exit::Output, error))?;
    Ok(Exit::Ok)
}
