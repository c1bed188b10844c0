//! `sensor doctor`: gathers the facts, has them judged, and shows the judgement.

mod holders;
mod host;
mod nics;

use std::io::IsTerminal;

use crate::cli;
use crate::doctor::{self, Doctor, Facts};
use crate::failure::{Exit, Failure};
use crate::outputs;
use crate::{sink, status};

pub fn run(args: &cli::Doctor) -> Result<Exit, Failure> {
    outputs::check_files(&[&args.json], &[])?;
    let links = nics::chosen(&args.interfaces)?;
    let host = host::gather();
    let facts = Facts {
        nics: links.into_iter().map(nics::gather).collect(),
        host,
    };
    let found = doctor::judge(&facts);
    let shown = match args.json.is_empty() {
        true => print(&found),
        false => (args.json.iter()).try_for_each(|path| sink::json::write_value_to(&found, path)),
    };
    shown.map_err(|error| Failure::new(Exit::Output, error))?;
    if !args.json.is_empty() {
        status::note(&found.verdict.why);
    }
    Ok(match (found.verdict.can_count, found.verdict.permission) {
        (true, _) => Exit::Ok,
        (false, true) => Exit::NoPermission,
        (false, false) => Exit::Interface,
    })
}

fn print(found: &Doctor) -> Result<(), sink::SinkError> {
    let options = doctor::Options {
        width: status::columns().unwrap_or(120),
        colour: std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    sink::write_stdout(|to| doctor::write(found, &options, to))
}
