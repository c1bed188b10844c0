//! `sensor pages`: pages of the manual and completions for shells, off the command line's own definition.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::{self, Cli};
use crate::escape;
use crate::failure::{Exit, Failure};

/// What only the first page has, behind its options: headings and entries.
const SECTIONS: [(&str, &[(&str, &str)]); 4] = [
    (
        "EXIT STATUS",
        &[
            ("0", "ok"),
            ("1", "failed while running"),
            ("2", "usage"),
            ("3", "no permission"),
            (
                "4",
                "no such interface, it can't be attached, or none is left",
            ),
            (
                "5",
                "bad input file; everything before the damage was reported",
            ),
            ("6", "bad filter"),
            ("7", "an output could not be written; counting went on"),
            ("8", "the accounting identity is violated: please report it"),
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            ("SENSOR_CONFIG", "the file of settings"),
            (
                "SENSOR_*",
                "a setting, by the long name of its option: SENSOR_TOP=20",
            ),
            ("NO_COLOR", "no colours"),
            ("COLUMNS", "the width of text through a pipe"),
        ],
    ),
    (
        "FILES",
        &[
            (
                "/etc/sensor/sensor.toml",
                "settings; all of them, with what they do: sensor config show --sample",
            ),
            ("./reports", "reports and history of sensor run"),
            ("/var/lib/sensor", "the same, of the service"),
        ],
    ),
    (
        "SIGNALS",
        &[
            (
                "INT, TERM",
                "sensor run writes its last report and exits with 0",
            ),
            (
                "HUP",
                "sensor run reads filter and limits again, without losing a count",
            ),
            ("USR1", "sensor run prints the counts and goes on"),
        ],
    ),
];

pub fn run(args: &cli::Pages) -> Result<Exit, Failure> {
    write(&args.folder).map_err(|error| {
        let folder = escape::path(&args.folder);
        Failure::told(Exit::Output, format!("could not write {folder}: {error}"))
    })?;
    Ok(Exit::Ok)
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, page) in pages()? {
        fs::write(folder.join(name), page)?;
    }
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut shown(), "sensor", folder)?;
    }
    Ok(())
}

/// The definition without what is hidden, which the completions would offer too.
fn shown() -> Command {
    let whole = Cli::command();
    let commands = whole.get_subcommands().filter(|sub| !sub.is_hide_set());
    Command::new("sensor")
        .version(env!("CARGO_PKG_VERSION"))
        .args(whole.get_arguments().cloned())
        .subcommands(commands.cloned())
}

/// Names and texts: `sensor.1`, `sensor-run.1`, `sensor-config-show.1`.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut definition = Cli::command().disable_help_subcommand(true);
    definition.build();
    let mut pages = Vec::new();
    let mut waiting = vec![definition];
    while let Some(command) = waiting.pop() {
        let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
        waiting.extend(shown.cloned());
        pages.push(page(command)?);
    }
    pages.sort();
    Ok(pages)
}

fn page(mut command: Command) -> io::Result<(String, Vec<u8>)> {
    let is_first = !command
        .get_bin_name()
        .is_some_and(|name| name.contains(' '));
    let behind = command.get_after_help().map(ToString::to_string);
    // The many options stand below, each with its meaning.
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    // Of the examples it would make running text.
    let man = Man::new(command.override_usage(usage).after_help(None::<&str>))
        .source(concat!("sensor ", env!("CARGO_PKG_VERSION")))
        .manual("sensor");
    let mut text = Vec::new();
    man.render(&mut text)?;
    let mut roff = Roff::new();
    if is_first {
        for (heading, entries) in SECTIONS {
            section(&mut roff, heading, entries);
        }
    }
    examples(&mut roff, behind.as_deref().unwrap_or_default());
    see_also(&mut roff, is_first);
    roff.to_writer(&mut text)?;
    Ok((man.get_filename(), text))
}

fn section(roff: &mut Roff, heading: &str, entries: &[(&str, &str)]) {
    roff.control("SH", [heading]);
    for (term, meaning) in entries {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
}

/// `Examples:` and its lines as they stand; what follows them is a sentence.
fn examples(roff: &mut Roff, behind: &str) {
    let lines = behind.lines().filter(|line| *line != "Examples:");
    let (typed, said): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("  "));
    if typed.is_empty() {
        return;
    }
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for line in typed {
        roff.text([roman(line.trim_start())]);
    }
    roff.control("fi", []);
    for line in said {
        roff.control("PP", []);
        roff.text([roman(line)]);
    }
}

fn see_also(roff: &mut Roff, is_first: bool) {
    roff.control("SH", ["SEE ALSO"]);
    if !is_first {
        roff.text([bold("sensor"), roman("(1)")]);
        roff.control("PP", []);
    }
    roff.text([roman(
        "The documents that are named docs/... lie below /usr/share/doc/sensor.",
    )]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_shown_has_a_page() {
        let pages = pages().unwrap();
        let names: Vec<_> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["sensor.1", "sensor-run.1", "sensor-config-show.1"] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert!(!names.contains(&"sensor-pages.1"), "{names:?}");
    }

    #[test]
    fn options_exit_codes_and_examples_stand_in_their_pages() {
        let pages = pages().unwrap();
        let text = |wanted: &str| {
            let (_, page) = pages.iter().find(|(name, _)| name == wanted).unwrap();
            // Hyphens are escaped: else they are not those that can be typed.
            String::from_utf8(page.clone()).unwrap().replace("\\-", "-")
        };
        let first = text("sensor.1");
        for (heading, entries) in SECTIONS {
            assert!(first.contains(heading) && first.contains(entries[0].1));
        }
        let run = text("sensor-run.1");
        assert!(run.contains(".nf\nsensor run  "), "{run}");
        assert!(run.contains("--xdp-mode") && !run.contains("EXIT STATUS"));
    }

    #[test]
    fn completions_know_commands_and_options() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        for name in ["sensor.bash", "_sensor", "sensor.fish"] {
            let text = fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(
                text.contains("doctor") && text.contains("xdp-mode"),
                "{name}"
            );
            assert!(!text.contains("pages"), "{name}: what is hidden");
        }
    }
}
