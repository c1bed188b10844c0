//! The command line: parse, run, and end with the exit code that the contract names.

use std::ffi::OsString;
use std::process::ExitCode;

use sensor::cli::{Cli, Command};
use sensor::config::{Edge, LoadError, Loaded, Process};
use sensor::failure::{Exit, Failure};
use sensor::{commands, config, cost, status};

fn main() -> ExitCode {
    cost::start();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let Loaded {
        cli,
        library,
        warnings,
    } = match config::load(&arguments, &Process) {
        Ok(loaded) => loaded,
        Err(LoadError::Usage(error)) => error.exit(),
        Err(LoadError::Config(errors)) => {
            for line in config::lines(&errors) {
                status::warn(&line);
            }
            return ExitCode::from(Exit::Usage as u8);
        }
    };
    for warning in &warnings {
        status::warn(warning);
    }
    if cli.quiet {
        status::quiet();
    }
    let exit = run(&cli, &library).unwrap_or_else(|Failure { exit, error }| {
        status::warn(&format!("{error:#}"));
        exit
    });
    ExitCode::from(exit as u8)
}

fn run(cli: &Cli, library: &Edge) -> Result<Exit, Failure> {
    match &cli.command {
        Command::Run(args) => commands::run::run(args, library, cli.verbose),
        Command::Read(args) => commands::read::run(args, library),
        Command::Report(args) => commands::report::run(args, library, cli.verbose),
        Command::Diff(args) => commands::diff::run(args, library, cli.verbose),
        Command::Top(args) => commands::top::run(args, library, cli.verbose),
        Command::Explain(args) => commands::explain::run(args, library),
        Command::Filter(args) => commands::filter::run(args, library),
        Command::Interfaces(args) => commands::interfaces::run(args),
        Command::Doctor(args) => commands::doctor::run(args),
        Command::Schema(args) => commands::schema::run(args),
        Command::Pages(args) => commands::pages::run(args),
        Command::Config(args) => commands::config::run(args, cli.config.as_deref()),
    }
}
