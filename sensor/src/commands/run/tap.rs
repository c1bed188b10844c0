//! What `--tap` and its kin mean, and where they mean nothing.

use std::sync::{Arc, Mutex};

use crate::cli;
use crate::failure::{Exit, Failure};
use crate::link::wanted;
use crate::source::dedup::{Dedup, SharedDedup};
use crate::source::home::HomeNet;
use crate::source::ladder::Wish;
use crate::source::mirror::MirrorPort;

/// How packets are to be counted.
pub(super) fn wish(args: &cli::Run) -> Result<Wish, Failure> {
    let wish = Wish {
        tap: args.tap.tap,
        ..Wish::new(args.backend, args.xdp_mode)
    };
    if wish.contradicts_itself() {
        let message = "--xdp-mode is for --backend auto or xdp: leave one of the two away";
        return Err(Failure::told(Exit::Usage, message));
    }
    check(args)?;
    Ok(wish)
}

/// The options fit together.
fn check(args: &cli::Run) -> Result<(), Failure> {
    let told = |message: &str| Err(Failure::told(Exit::Usage, message));
    let sockets = args.backend == cli::Backend::AfXdp;
    if args.tap.busy_poll && !sockets {
        return told("--busy-poll is for --backend af-xdp: leave it away, or add that");
    }
    if args.mirrored.dedup && !sockets && args.backend != cli::Backend::AfPacket {
        return told(
            "--dedup compares whole packets, and programs in the kernel count without handing them over: add --backend af-xdp (with --tap) or af-packet",
        );
    }
    if args.tap.tap {
        let named = |name: &String| name != "any" && !wanted::is_pattern(name);
        return match args.interfaces.is_empty() || !args.interfaces.iter().all(named) {
            true => told(
                "--tap takes packets away from this host: name the interface of the mirror port with -i, no pattern and not any",
            ),
            false => Ok(()),
        };
    }
    if sockets {
        return told(
            "--backend af-xdp takes packets away from this host, so it is for mirror ports only: add --tap",
        );
    }
    if args.tap.force {
        return told("--force is for --tap: leave it away, or add --tap");
    }
    if !args.mirrored.home_net.is_empty() {
        return told(
            "--home-net is for mirror ports, where nothing else tells the direction: add --tap, or leave it away",
        );
    }
    Ok(())
}

/// One for all interfaces.
pub(super) fn dedup(args: &cli::Run) -> Option<SharedDedup> {
    let window = args.mirrored.window()?;
    Some(Arc::new(Mutex::new(Dedup::new(window))))
}

/// `seed`: any number.
pub(super) fn mirror(args: &cli::Run, seed: u64) -> Option<Arc<MirrorPort>> {
    let port = || MirrorPort {
        home: HomeNet::new(&args.mirrored.home_net, seed),
        force: args.tap.force,
        busy_poll: args.tap.busy_poll,
    };
    args.tap.tap.then(|| port().into())
}
