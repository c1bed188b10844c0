//! What a run needs from when it counts, and giving up the rest.

use crate::cli;
use crate::commands::confined::{Written, of_live};
use crate::failure::{Exit, Failure};
use crate::sandbox::{self, Needs, Sandbox};
use crate::source::live::Live;
use crate::status;

/// Both can't be had.
pub(super) fn check(asked: &cli::Sandbox) -> Result<(), Failure> {
    match asked.not.no_sandbox && asked.strict_sandbox {
        true => Err(Failure::told(
            Exit::Usage,
            "--strict-sandbox and --no-sandbox contradict each other: leave one away",
        )),
        false => Ok(()),
    }
}

/// Gives up what is not needed any more, unless that is not wanted. What can't be given up is told, and in strict mode an
/// error.
pub(super) fn enter(args: &cli::Run, live: &mut Live) -> Result<Option<Sandbox>, Failure> {
    if args.sandbox.not.no_sandbox {
        return Ok(None);
    }
    let needs = needs(args, live);
    let (sandbox, troubles) = sandbox::enter(&needs, || live.can_read());
    for trouble in troubles {
        if args.sandbox.strict_sandbox {
            return Err(Failure::new(Exit::Failed, trouble));
        }
        status::warn(&format!("{trouble}; it goes on with what it has"));
    }
    Ok(Some(sandbox))
}

fn needs(args: &cli::Run, live: &Live) -> Needs {
    let written = Written::of(&args.outputs, Some(&args.capture));
    let mut remade = written.folders;
    remade.push(args.out.clone());
    Needs {
        write: remade.iter().chain(&written.around).cloned().collect(),
        remade,
        connect: written.connect,
        resolver: args.naming.resolve,
        ..of_live(live, args.sandbox.strict_sandbox)
    }
}
