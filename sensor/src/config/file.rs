//! What the keys of a file mean: options above the first table are every command's, `[run]` and `[read]` hold one
//! command's, `[filters]` names filters.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::document::{Document, Entry, Value, What};
use super::error::{ConfigError, Problem};

use super::parameters::{Kind, Parameter};
use super::settings::{NamedFilter, Origin, Setting, Spot};
use crate::filter::suggest::nearest;

/// The table of named filters.
pub(super) const FILTERS: &str = "filters";

pub(super) fn apply(
    document: &Document,
    settings: &mut [Setting],
    filters: &mut BTreeMap<String, NamedFilter>,
    errors: &mut Vec<ConfigError>,
) {
    let commands: BTreeSet<String> = settings
        .iter()
        .filter_map(|setting| setting.parameter.command.clone())
        .collect();
    for (table, at) in &document.tables {
        if table != FILTERS && !commands.contains(table) {
            errors.push(document.error(*at, unknown_table(table, settings, &commands)));
        }
    }
    for entry in &document.entries {
        let result = match &entry.table {
            Some(table) if table == FILTERS => name_filter(document, entry, filters),
            Some(table) if !commands.contains(table) => Ok(()), // said above
            _ => set(document, entry, settings, &commands),
        };
        errors.extend(result.err());
    }
}

fn set(
    document: &Document,
    entry: &Entry,
    settings: &mut [Setting],
    commands: &BTreeSet<String>,
) -> Result<(), ConfigError> {
    let mut found = false;
    for setting in settings.iter_mut() {
        let parameter = &setting.parameter;
        let own = entry.table.is_some();
        if parameter.name != entry.key || (own && parameter.command != entry.table) {
            continue;
        }
        found = true;
        let values = values(document, parameter, &entry.value)?;
        let better = matches!(&setting.origin, Origin::File(spot) if spot.own && !own);
        if !better {
            setting.values = values;
            setting.origin = Origin::File(spot(document, entry));
        }
    }
    if found {
        return Ok(());
    }
    let problem = match &entry.table {
        None if commands.contains(&entry.key) || entry.key == FILTERS => Problem::WrongType {
            name: entry.key.clone(),
            expected: format!("a table, as in [{}]", entry.key),
            found: entry.value.what.kind(),
        },
        _ => unknown_key(entry, settings, commands),
    };
    Err(document.error(entry.key_at, problem))
}

fn spot(document: &Document, entry: &Entry) -> Spot {
    let (line, column) = document.line_column(entry.key_at);
    Spot {
        path: document.path().to_owned(),
        line,
        column,
        own: entry.table.is_some(),
    }
}

/// What the command line would be given, or where the value is wrong.
fn values(
    document: &Document,
    parameter: &Parameter,
    value: &Value,
) -> Result<Vec<OsString>, ConfigError> {
    let single = std::slice::from_ref(value);
    let values = match &value.what {
        What::List(list) if parameter.repeatable => list,
        _ => single,
    };
    let typed = |value: &Value| {
        let refused = |problem| document.error(value.at.start, problem);
        let text: OsString = match (&value.what, parameter.kind) {
            (What::Text(text), Kind::Text) => text.into(),
            (What::Integer(digits), Kind::Number) => digits.into(),
            (What::Boolean(boolean), Kind::Switch) => boolean.to_string().into(),
            (other, _) => {
                return Err(refused(Problem::WrongType {
                    name: parameter.name.clone(),
                    expected: parameter.expected(),
                    found: other.kind(),
                }));
            }
        };
        match parameter.check(&text) {
            Ok(()) => Ok(text),
            Err(message) => Err(refused(Problem::Value {
                name: parameter.name.clone(),
                message,
            })),
        }
    };
    values.iter().map(typed).collect()
}

fn name_filter(
    document: &Document,
    entry: &Entry,
    filters: &mut BTreeMap<String, NamedFilter>,
) -> Result<(), ConfigError> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if entry.key.is_empty() || !entry.key.chars().all(good) {
        let problem = Problem::Value {
            name: "filters".to_owned(),
            message: format!(
                "`{}` is no name for a filter: use a to z, 0 to 9, _ and -",
                entry.key
            ),
        };
        return Err(document.error(entry.key_at, problem));
    }
    let What::Text(text) = &entry.value.what else {
        let problem = Problem::WrongType {
            name: entry.key.clone(),
            expected: "a filter in a string such as \"port 80\"".to_owned(),
            found: entry.value.what.kind(),
        };
        return Err(document.error(entry.value.at.start, problem));
    };
    let filter = NamedFilter {
        text: text.clone(),
        spot: spot(document, entry),
    };
    filters.insert(entry.key.clone(), filter);
    Ok(())
}

fn unknown_table(table: &str, settings: &[Setting], commands: &BTreeSet<String>) -> Problem {
    let known = commands.iter().map(String::as_str).chain([FILTERS]);
    let help = match nearest(table, known.clone()) {
        Some(near) => format!("did you mean `[{near}]`?"),
        None if settings.iter().any(|s| s.parameter.name == table) => {
            format!("`{table}` is an option, write: {table} = ...")
        }
        None => {
            let known: Vec<String> = known.map(|name| format!("[{name}]")).collect();
            format!("there are {}", known.join(", "))
        }
    };
    Problem::Unknown {
        what: "table".to_owned(),
        name: table.to_owned(),
        help: Some(help),
    }
}

fn unknown_key(entry: &Entry, settings: &[Setting], commands: &BTreeSet<String>) -> Problem {
    let (what, help) = match &entry.table {
        Some(table) => (
            format!("option of [{table}]"),
            elsewhere(entry, table, settings),
        ),
        None if entry.key == "config" => {
            let help = "a config file can't name a further one".to_owned();
            ("option of a file".to_owned(), Some(help))
        }
        None => ("option".to_owned(), None),
    };
    let here = |setting: &&Setting| match &entry.table {
        Some(table) => setting.parameter.command.as_ref() == Some(table),
        None => true,
    };
    let names = settings
        .iter()
        .filter(here)
        .map(|setting| setting.parameter.name.as_str());
    let tables = commands.iter().map(String::as_str).chain([FILTERS]);
    let tables = tables.filter(|_| entry.table.is_none());
    let help = help.or_else(|| {
        nearest(&entry.key, names.chain(tables)).map(|near| format!("did you mean `{near}`?"))
    });
    Problem::Unknown {
        what,
        name: entry.key.clone(),
        help,
    }
}

/// For an option that exists, but not for this command.
fn elsewhere(entry: &Entry, table: &str, settings: &[Setting]) -> Option<String> {
    let mut others = settings
        .iter()
        .filter(|setting| setting.parameter.name == entry.key);
    let other = others.next()?;
    Some(match &other.parameter.command {
        None => "it is for every command, so it must stand above the first table".to_owned(),
        Some(command) => {
            format!("`{table}` has none of this name, but `{command}` has: move it to [{command}]")
        }
    })
}
