//! Everything that is wrong with the filters of a configuration, before one of them is needed.

use super::document::{Document, Entry, What};
use super::error::{ConfigError, Place, Problem};
use super::file::FILTERS;
use super::settings::Origin;
use super::{Edge, Gathered};
use crate::filter::{self, FilterError};

/// The mistakes in named filters and in `filter` options.
pub fn check(gathered: &Gathered) -> Vec<ConfigError> {
    let library = gathered.library();
    let mut errors: Vec<ConfigError> = in_variable(gathered, &library).into_iter().collect();
    if let Some(document) = &gathered.document {
        let entries = document.entries.iter();
        errors.extend(entries.filter_map(|entry| in_file(document, entry, &library)));
    }
    errors
}

fn in_variable(gathered: &Gathered, library: &Edge) -> Option<ConfigError> {
    let settings = gathered.settings.values.iter();
    let (variable, text) = settings
        .filter(|setting| setting.parameter.name == OPTION)
        .find_map(|setting| match &setting.origin {
            Origin::Variable(name) => Some((name, setting.values.first()?)),
            _ => None,
        })?;
    let error = understand(&text.to_string_lossy(), library).err()?;
    Some(ConfigError {
        place: Place::Variable(variable.clone()),
        problem: problem(OPTION, error),
    })
}

/// The option that is a filter itself.
const OPTION: &str = "filter";

fn in_file(document: &Document, entry: &Entry, library: &Edge) -> Option<ConfigError> {
    let name = match &entry.table {
        Some(table) if table == FILTERS => format!("@{}", entry.key),
        _ if entry.key == OPTION => OPTION.to_owned(),
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
