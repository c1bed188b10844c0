//! The shipped sample: every option with what it does and its default value, made from the command line's definition.

use std::ffi::OsStr;
use std::fmt::Write;

use super::parameters::{Kind, Parameter};

const HEAD: &str = "\
# Settings of sensor. Everything here is commented out and shows the default: remove the # in front of what you change.
#
# sensor reads /etc/sensor/sensor.toml, or the file that --config or SENSOR_CONFIG names. The command line comes first,
# then the environment (SENSOR_TOP=20), then this file. `sensor config check` says what is wrong with it, `sensor config
# show` what is in force and why. More in docs/configuration.md.

# Above the first table: for every command that has the option.
";

const FILTERS: &str = r#"
# Filters with names, used in others as @name: sensor run -i eth0 @web and not @office
[filters]
#web = "port in {80, 443}"
#office = "net 192.0.2.0/24"
"#;

/// The text of the sample.
pub fn sample(parameters: &[Parameter]) -> String {
    let mut text = HEAD.to_owned();
    let (shared, own): (Vec<_>, Vec<_>) = parameters
        .iter()
        .partition(|parameter| is_shared(parameter, parameters));
    let mut told: Vec<&str> = Vec::new();
    for parameter in shared {
        if !told.contains(&parameter.name.as_str()) {
            told.push(&parameter.name);
            describe(&mut text, parameter);
        }
    }
    for command in commands(parameters) {
        let _infallible = write!(
            text,
            "\n# For `sensor {command}` alone; what stands above may be repeated here with another value.\n[{command}]\n"
        );
        for parameter in &own {
            if parameter.command.as_deref() == Some(command) {
                describe(&mut text, parameter);
            }
        }
    }
    text + FILTERS
}

/// As the file holds it.
pub fn toml_value<S: AsRef<OsStr>>(parameter: &Parameter, values: &[S]) -> Option<String> {
    let one = |value: &S| {
        let value = value.as_ref().to_string_lossy();
        match parameter.kind {
            Kind::Text => toml_string(&value),
            Kind::Number | Kind::Switch => value.into_owned(),
        }
    };
    if parameter.repeatable {
        let all: Vec<String> = values.iter().map(one).collect();
        return Some(format!("[{}]", all.join(", ")));
    }
    values.first().map(one)
}

fn is_shared(parameter: &Parameter, all: &[Parameter]) -> bool {
    parameter.command.is_none()
        || all
            .iter()
            .any(|other| other.name == parameter.name && other.command != parameter.command)
}

/// Names of commands in the order of their first option.
fn commands(parameters: &[Parameter]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in parameters.iter().filter_map(|p| p.command.as_deref()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn describe(text: &mut String, parameter: &Parameter) {
    let value = toml_value(parameter, &parameter.defaults);
    let value = value.unwrap_or_else(|| "# not set".to_owned());
    let help = parameter.help.replace('\n', "\n# ");
    let _infallible = write!(text, "\n# {help}\n#{} = {value}\n", parameter.name);
}

/// A TOML string that holds whatever bytes it must.
pub fn toml_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if crate::escape::is_unsafe(c) => {
                let _infallible = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
