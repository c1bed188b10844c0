//! Every command of ours that stands in a document can be typed: words, options and values are those that exist.

use clap::Parser;
use clap::error::ErrorKind;
use sensor::cli::{Cli, Command, Expression, FilterOption};
use sensor::filter::{Filter, Nothing};

use crate::support::document;
use crate::support::shell::{self, simple_commands};

#[test]
fn commands_in_blocks_are_complete() {
    let mut count = 0;
    for (path, document) in documents() {
        for block in shell::blocks(&document) {
            let typed = shell::commands(&block.text);
            let lines: Vec<String> = match block.language.split(' ').next() {
                _ if !typed.is_empty() => typed.into_iter().map(|typed| typed.line).collect(),
                Some("sh") => block.text.lines().map(str::to_owned).collect(),
                _ => continue,
            };
            for line in lines {
                for words in ours(&line) {
                    count += 1;
                    let cli = Cli::try_parse_from(&words);
                    let cli = cli.unwrap_or_else(|error| panic!("{path}: {line}\n{error}"));
                    check_filter(&cli.command, &format!("{path}: {line}"));
                }
            }
        }
    }
    assert!(count > 60, "only {count} commands were found");
}

/// Its filter is one, unless it speaks of files or settings that are not here.
fn check_filter(command: &Command, place: &str) {
    let named = |filter: &FilterOption| filter.filter.clone();
    let typed = |expression: &Expression| match expression.words.is_empty() {
        true => named(&expression.option),
        false => Some(expression.words.join(" ")),
    };
    let filter = match command {
        Command::Run(args) => typed(&args.expression),
        Command::Read(args) => named(&args.filter),
        Command::Explain(args) => named(&args.filter),
        Command::Filter(args) => typed(&args.expression),
        _ => None,
    };
    let filter = filter.filter(|filter| !filter.contains('@') && !filter.contains("in file"));
    if let Some(filter) = filter
        && let Err(error) = Filter::compile(&filter, &Nothing)
    {
        panic!("{place}\n{error}");
    }
}

/// In a sentence a command may be short of what it needs.
#[test]
fn commands_in_sentences_exist() {
    let mut count = 0;
    for (path, document) in documents() {
        let quoted = document.split("```").step_by(2);
        let quoted = quoted.flat_map(|text| text.split('`').skip(1).step_by(2));
        for code in quoted.filter(|code| code.starts_with("sensor ")) {
            for mut words in ours(&code.replace('\n', " ")) {
                count += 1;
                for word in words.iter_mut().filter(|word| *word == "N") {
                    *word = "1".to_owned();
                }
                let Err(error) = Cli::try_parse_from(&words) else {
                    continue;
                };
                let short = [
                    ErrorKind::MissingRequiredArgument,
                    ErrorKind::MissingSubcommand,
                    ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
                    ErrorKind::DisplayHelp,
                    ErrorKind::DisplayVersion,
                ];
                // An option without its value.
                let bare = error.to_string().contains("a value is required");
                assert!(
                    bare || short.contains(&error.kind()),
                    "{path}: `{code}`\n{error}"
                );
            }
        }
    }
    assert!(count > 20, "only {count} commands were found");
}

fn documents() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths = vec!["README.md".to_owned()];
    for entry in std::fs::read_dir(root.join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            paths.push(format!("docs/{name}"));
        }
    }
    paths.sort();
    let read = |path: String| (path.clone(), document::read(&path));
    paths.into_iter().map(read).collect()
}

/// Those that run `sensor`, from that word on.
fn ours(line: &str) -> Vec<Vec<String>> {
    let mut ours = Vec::new();
    for words in simple_commands(line) {
        let is_run = words.starts_with(&["cargo", "xtask", "run"].map(str::to_owned));
        let place = match is_run {
            true => {
                let mut run = vec!["sensor".to_owned(), "run".to_owned()];
                run.extend(words.into_iter().skip(4));
                ours.push(run);
                continue;
            }
            false => words.iter().position(|word| word == "sensor"),
        };
        // Behind these it is run, with sudo or without; behind others (`pidof`, `systemctl`) it is a name.
        let names = ["apt", "install", "systemctl"];
        let runs = |before: &[String]| {
            if before.iter().any(|word| names.contains(&&**word)) {
                return false;
            }
            before.is_empty()
                || ["sudo", "nsenter", "ip"].contains(&&*before[0])
                || before.iter().all(|one| one.contains('='))
        };
        if let Some(place) = place
            && runs(&words[..place])
        {
            ours.push(words[place..].to_vec());
        }
    }
    ours
}

#[test]
fn lines_are_taken_apart_as_a_shell_does() {
    let line = "tcpdump -w - | sudo sensor read - -f 'net in {1, 2} or \"x\"' --json - 2>&1 > x.json  # why";
    let expected = [
        "sensor",
        "read",
        "-",
        "-f",
        "net in {1, 2} or \"x\"",
        "--json",
        "-",
    ];
    assert_eq!(ours(line), [expected.map(str::to_owned)]);
    assert_eq!(
        ours("cargo xtask run -- -i eth0"),
        [["sensor", "run", "-i", "eth0"].map(str::to_owned)]
    );
    assert_eq!(
        ours("kill -USR1 $(pidof sensor)"),
        [[""; 0]; 0].map(|one| one.map(str::to_owned))
    );
}
