//! `sensor filter`: how an expression is understood, what is decided where, and how many packets of a file match.

mod explain;
mod matches;
mod text;

use serde::Serialize;

use super::captures;
use crate::cli;
use crate::failure::{Exit, Failure};
use crate::filter::Library;
use crate::filter::program::Program;
use crate::sink;

use explain::Explanation;
use matches::Matches;

pub fn run(args: &cli::Filter, library: &dyn Library) -> Result<Exit, Failure> {
    if args.expression.is_missing() {
        let message = "which filter? as in: sensor filter 'tcp port 443'";
        return Err(Failure::told(Exit::Usage, message));
    }
    captures::check(&args.read)?;
    let filter = args.expression.compile(library)?.unwrap_or_default();
    let slots = |_: &str| vec![0];
    let program = Program::compile(&filter.plan().packet, &slots)
        .map_err(|error| Failure::new(Exit::Filter, error))?;
    let (matches, exit) = matches::count(&filter, &args.read)?;
    let answer = Answer {
        explanation: Explanation::of(&filter, &program),
        matches,
    };
    let written = sink::write_stdout(|to| {
        if args.json {
            serde_json::to_writer_pretty(&mut *to, &answer)?;
            writeln!(to)
        } else {
            text::write(&answer, to)
        }
    });
    written.map_err(|error| Failure::new(Exit::Output, error))?;
    Ok(exit)
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    explanation: Explanation,
    #[serde(flatten)]
    matches: Option<Matches>,
}
