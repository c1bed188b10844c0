//! From environment, file and defaults: one value for each option, and where it came from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::document::Document;
use super::error::{ConfigError, Place, Problem};
use super::file;
use super::parameters::{Kind, Parameter};
use super::surroundings::Surroundings;
use crate::escape;

/// Everything that is set without typing it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// One for each parameter, in their order.
    pub values: Vec<Setting>,
    /// By name.
    pub filters: BTreeMap<String, NamedFilter>,
}

/// The value that an option has where the command line says nothing.
#[derive(Clone, Debug)]
pub struct Setting {
    pub parameter: Parameter,
    /// None: it isn't set; several: it may be repeated.
    pub values: Vec<OsString>,
    pub origin: Origin,
}

/// From the best to the last resort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Variable(String),
    File(Spot),
    Default,
}

/// Where in the file, for people and for errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub path: PathBuf,
    pub line: usize,
    pub column: usize,
    /// In the command's own table, which is better than above the first one.
    pub own: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFilter {
    pub text: String,
    pub spot: Spot,
}

impl Settings {
    /// Reads every source; whatever is wrong in any of them is told at once.
    pub fn gather(
        parameters: Vec<Parameter>,
        document: Option<&Document>,
        surroundings: &dyn Surroundings,
    ) -> (Self, Vec<ConfigError>) {
        let mut errors = Vec::new();
        let mut values: Vec<Setting> = parameters.into_iter().map(Setting::default_of).collect();
        let mut filters = BTreeMap::new();
        if let Some(document) = document {
            file::apply(document, &mut values, &mut filters, &mut errors);
        }
        for setting in &mut values {
            if let Err(error) = setting.take_variable(surroundings) {
                errors.push(error);
            }
        }
        yield_to_better(&mut values, &mut errors);
        errors.sort_by_key(ConfigError::order);
        errors.dedup(); // of several commands that share an option
        (Settings { values, filters }, errors)
    }

    pub fn get(&self, command: Option<&str>, name: &str) -> Option<&Setting> {
        self.values.iter().find(|setting| {
            setting.parameter.command.as_deref() == command && setting.parameter.name == name
        })
    }
}

impl Setting {
    fn default_of(parameter: Parameter) -> Self {
        Setting {
            values: parameter.defaults.clone(),
            origin: Origin::Default,
            parameter,
        }
    }

    pub(super) fn reset(&mut self) {
        self.values = self.parameter.defaults.clone();
        self.origin = Origin::Default;
    }

    /// An empty variable is none, as after `SENSOR_TOP= sensor read ..`.
    fn take_variable(&mut self, surroundings: &dyn Surroundings) -> Result<(), ConfigError> {
        let name = self.parameter.variable();
        let Some(value) = surroundings.env(&name).filter(|value| !value.is_empty()) else {
            return Ok(());
        };
        let values = match self.parameter.kind {
            Kind::Switch => vec![switch(value)],
            _ if self.parameter.repeatable => split(value),
            _ => vec![value],
        };
        for value in &values {
            self.parameter.check(value).map_err(|message| ConfigError {
                place: Place::Variable(name.clone()),
                problem: Problem::Value {
                    name: self.parameter.name.clone(),
                    message,
                },
            })?;
        }
        self.values = values;
        self.origin = Origin::Variable(name);
        Ok(())
    }
}

impl Origin {
    fn rank(&self) -> u8 {
        match self {
            Origin::Variable(_) => 0,
            Origin::File(spot) if spot.own => 1,
            Origin::File(_) => 2,
            Origin::Default => 3,
        }
    }

    pub(super) fn is_default(&self) -> bool {
        *self == Origin::Default
    }
}

/// The habits of other programs, besides true and false.
fn switch(value: OsString) -> OsString {
    match value.to_str().map(str::to_lowercase).as_deref() {
        Some("1" | "yes" | "on") => "true".into(),
        Some("0" | "no" | "off") => "false".into(),
        _ => value,
    }
}

/// `eth0,wg0`: a variable has no other way to say a list.
fn split(value: OsString) -> Vec<OsString> {
    match value.to_str() {
        Some(text) => text
            .split(',')
            .map(|part| part.trim().into())
            .filter(|part: &OsString| !part.is_empty())
            .collect(),
        None => vec![value],
    }
}

/// Of two options that exclude each other the better source's stays; of equal ones nobody knows which is meant.
fn yield_to_better(values: &mut [Setting], errors: &mut Vec<ConfigError>) {
    let mut worse = Vec::new();
    for (index, setting) in values.iter().enumerate() {
        let rivals = values.iter().filter(|other| {
            other.parameter.command == setting.parameter.command
                && !other.origin.is_default()
                && setting.parameter.conflicts.contains(&other.parameter.id)
        });
        for rival in rivals.filter(|_| !setting.origin.is_default()) {
            match rival.origin.rank().cmp(&setting.origin.rank()) {
                std::cmp::Ordering::Less => worse.push(index),
                std::cmp::Ordering::Equal if comes_first(rival, setting) => {
                    errors.push(conflict(setting, rival));
                }
                _ => {}
            }
        }
    }
    for index in worse {
        values[index].reset();
    }
}

fn comes_first(a: &Setting, b: &Setting) -> bool {
    match (&a.origin, &b.origin) {
        (Origin::File(a), Origin::File(b)) => (a.line, a.column) < (b.line, b.column),
        _ => a.parameter.name < b.parameter.name,
    }
}

fn conflict(setting: &Setting, rival: &Setting) -> ConfigError {
    let place = match &setting.origin {
        Origin::File(spot) => spot.place(),
        Origin::Variable(name) => Place::Variable(name.clone()),
        Origin::Default => Place::Variable(setting.parameter.variable()),
    };
    let told = match &rival.origin {
        Origin::File(spot) => format!("line {}", spot.line),
        _ => rival.parameter.variable(),
    };
    let problem = Problem::Conflict {
        name: setting.parameter.name.clone(),
        other: rival.parameter.name.clone(),
        told,
    };
    ConfigError { place, problem }
}

impl Spot {
    pub fn place(&self) -> Place {
        Place::At {
            path: self.path.clone(),
            line: self.line,
            column: self.column,
        }
    }

    /// `sensor.toml:12`.
    pub fn told(&self) -> String {
        format!("{}:{}", escape::path(&self.path), self.line)
    }
}
