//! The command line: parse, run, and end with the exit code that the contract names.

use std::process::ExitCode;

use clap::Parser;
use sensor::cli::{Cli, Command};
use sensor::failure::Failure;
use sensor::{commands, status};

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.quiet {
        status::quiet();
    }
    let result = match &cli.command {
        Command::Run(args) => commands::run::run(args, cli.verbose),
        Command::Read(args) => commands::read::run(args),
        Command::Filter(args) => commands::filter::run(args),
        Command::Interfaces(args) => commands::interfaces::run(args),
    };
    let exit = result.unwrap_or_else(|Failure { exit, error }| {
        status::warn(&format!("{error:#}"));
        exit
    });
    ExitCode::from(exit as u8)
}
