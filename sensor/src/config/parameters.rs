//! The options that can be set without typing them, read off the command line's definition: a new option is covered
//! without another line anywhere.

use std::any::TypeId;
use std::error::Error;
use std::ffi::{OsStr, OsString};

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

/// Commands that only show something: what they take is a question, not a setting.
const ONLY_SHOW: [&str; 8] = [
    "top",
    "report",
    "diff",
    "explain",
    "filter",
    "interfaces",
    "doctor",
    "config",
];
/// Says where the settings are, so it can't be one.
const CONFIG: &str = "config";

/// One option of one command.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// None: every command has it.
    pub command: Option<String>,
    /// What clap calls it.
    pub id: String,
    /// The long name: what it is called on the command line and in the file.
    pub name: String,
    pub kind: Kind,
    /// It may be given several times.
    pub repeatable: bool,
    pub defaults: Vec<OsString>,
    /// Ids of the options and arguments that exclude it.
    pub conflicts: Vec<String>,
    pub help: String,
    parser: ValueParser,
    ignores_case: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Switch,
    Number,
    Text,
}

/// Every option that may be set, those of every command first.
pub fn parameters(definition: &Command) -> Vec<Parameter> {
    let of = |command: &Command, name: Option<&str>| -> Vec<Parameter> {
        command
            .get_arguments()
            .filter_map(|arg| Parameter::new(command, name, arg))
            .collect()
    };
    let mut all = of(definition, None);
    for command in definition.get_subcommands() {
        if !ONLY_SHOW.contains(&command.get_name()) {
            all.extend(of(command, Some(command.get_name())));
        }
    }
    all
}

impl Parameter {
    fn new(command: &Command, name: Option<&str>, arg: &Arg) -> Option<Self> {
        let long = arg.get_long().filter(|long| *long != CONFIG)?;
        let parser = arg.get_value_parser().clone();
        let kind = match arg.get_action() {
            ArgAction::SetTrue => Kind::Switch,
            ArgAction::Set | ArgAction::Append if is_number(&parser) => Kind::Number,
            ArgAction::Set | ArgAction::Append => Kind::Text,
            _ => return None,
        };
        Some(Parameter {
            command: name.map(str::to_owned),
            id: arg.get_id().to_string(),
            name: long.to_owned(),
            kind,
            repeatable: matches!(arg.get_action(), ArgAction::Append),
            defaults: default_values(arg, kind),
            conflicts: conflicts(command, arg),
            help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
            parser,
            ignores_case: arg.is_ignore_case_set(),
        })
    }

    /// `SENSOR_KERNEL_FLOWS`.
    pub fn variable(&self) -> String {
        format!("SENSOR_{}", self.name.to_uppercase().replace('-', "_"))
    }

    /// What a file must hold, with the default value as an example.
    pub fn expected(&self) -> String {
        let (one, several) = match self.kind {
            Kind::Switch => return "true or false".to_owned(),
            Kind::Number => ("an integer", "an array of integers"),
            Kind::Text => ("a string", "an array of strings"),
        };
        let example = match self.defaults.first().and_then(|value| value.to_str()) {
            Some(value) if self.kind == Kind::Text => format!(" such as {value:?}"),
            Some(value) => format!(" such as {value}"),
            None => String::new(),
        };
        match self.repeatable {
            true => format!("{one} or {several}{example}"),
            false => format!("{one}{example}"),
        }
    }

    /// Whether the command line would take this value; the error says what is wrong with it.
    pub fn check(&self, value: &OsStr) -> Result<(), String> {
        let arg = Arg::new("value")
            .long("value")
            .allow_hyphen_values(true)
            .require_equals(true)
            .ignore_case(self.ignores_case)
            .value_parser(self.parser.clone());
        let mut typed = OsString::from("--value=");
        typed.push(value);
        Command::new("check")
            .no_binary_name(true)
            .arg(arg)
            .try_get_matches_from([typed])
            .map(drop)
            .map_err(|error| reason(&error, value))
    }
}

fn is_number(parser: &ValueParser) -> bool {
    [
        TypeId::of::<u8>(),
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<usize>(),
        TypeId::of::<i32>(),
        TypeId::of::<i64>(),
    ]
    .iter()
    .any(|number| parser.type_id() == *number)
}

fn default_values(arg: &Arg, kind: Kind) -> Vec<OsString> {
    if kind == Kind::Switch {
        return vec!["false".into()];
    }
    arg.get_default_values()
        .iter()
        .map(|value| value.to_os_string())
        .collect()
}

/// Of either side's making: what this one excludes, and what excludes this one.
fn conflicts(command: &Command, arg: &Arg) -> Vec<String> {
    let excludes = |a: &Arg, b: &Arg| {
        let excluded = command.get_arg_conflicts_with(a);
        excluded.iter().any(|other| other.get_id() == b.get_id())
    };
    command
        .get_arguments()
        .filter(|other| excludes(arg, other) || excludes(other, arg))
        .map(|other| other.get_id().to_string())
        .collect()
}

/// Clap's sentence speaks of flags; this keeps what it says of the value.
fn reason(error: &clap::Error, value: &OsStr) -> String {
    let value = value.to_string_lossy();
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(all)) => Some(all.join(", ")),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => "it must not be empty".to_owned(),
        ErrorKind::InvalidValue => {
            let possible = text(ContextKind::ValidValue).unwrap_or_default();
            let hint = text(ContextKind::SuggestedValue)
                .map(|hint| format!("; did you mean `{hint}`?"))
                .unwrap_or_default();
            format!("`{value}` is none of {possible}{hint}")
        }
        ErrorKind::InvalidUtf8 => "the value is not UTF-8 text".to_owned(),
        _ => match error.source() {
            Some(source) => format!("`{value}`: {source}"),
            None => format!("`{value}` is no value for it"),
        },
    }
}
