//! Settings become default values of the command line's definition.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::settings::{Setting, Settings};

/// `definition` with the settings of the command that was typed as its defaults.
pub(super) fn defaults(definition: Command, settings: &Settings, typed: &ArgMatches) -> Command {
    let mut definition = definition;
    for setting in to_inject(settings, None, typed) {
        definition = with(definition, setting);
    }
    let Some((name, typed)) = typed.subcommand() else {
        return definition;
    };
    if definition.find_subcommand(name).is_none() {
        return definition; // clap's own help
    }
    definition.mut_subcommand(name, |command| {
        to_inject(settings, Some(name), typed).fold(command, with)
    })
}

/// What is set somewhere and isn't excluded by something typed: who types `-F FILE` doesn't want the file's `filter`.
fn to_inject<'a>(
    settings: &'a Settings,
    command: Option<&'a str>,
    typed: &'a ArgMatches,
) -> impl Iterator<Item = &'a Setting> {
    let is_typed = |id: &String| typed.value_source(id) == Some(ValueSource::CommandLine);
    settings.values.iter().filter(move |setting| {
        setting.parameter.command.as_deref() == command
            && !setting.origin.is_default()
            && !setting.parameter.conflicts.iter().any(is_typed)
    })
}

fn with(command: Command, setting: &Setting) -> Command {
    command.mut_arg(&setting.parameter.id, |arg| {
        arg.default_values(setting.values.iter().cloned())
    })
}
