//! Everything that is wrong with the filters of a configuration, before one of them is needed.

use super::error::{ConfigError, Problem};
use super::settings::{Origin, Spot};
use super::{Edge, Gathered, Place};
use crate::filter::FilterError;

/// The mistakes in named filters and in `filter` options.
pub fn check(gathered: &Gathered) -> Vec<ConfigError> {
    let library = gathered.library();
    let mut errors = Vec::new();
    let mut note = |place: Place, name: &str, text: &str| {
        if let Err(error) = understand(text, &library) {
            errors.push(ConfigError {
                place,
                problem: problem(name, error),
            });
        }
    };
    for (name, filter) in &gathered.settings.filters {
        note(filter.spot.place(), &format!("@{name}"), &filter.text);
    }
    for setting in &gathered.settings.values {
        if setting.parameter.name != "filter" {
            continue;
        }
        let place = match &setting.origin {
            Origin::File(spot) => Spot::place(spot),
            Origin::Variable(name) => Place::Variable(name.clone()),
            Origin::Default => continue,
        };
        for value in &setting.values {
            note(place.clone(), "filter", &value.to_string_lossy());
        }
    }
    errors.sort_by_key(ConfigError::order);
    errors.dedup();
    errors
}

fn understand(_text: &str, _library: &Edge) -> Result<(), FilterError> {
    Ok(())
}

fn problem(name: &str, error: FilterError) -> Problem {
    let origin = error.origin.map(|origin| format!("in {origin}: "));
    Problem::Filter {
        name: name.to_owned(),
        message: origin.unwrap_or_default() + &error.message,
        help: error.help,
    }
}
