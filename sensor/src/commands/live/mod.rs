//! What all commands do that count live: choosing interfaces, attaching to them, and saying how.

pub(in crate::commands) mod events;
pub(in crate::commands) mod select;
mod words;

use crate::clock::Now;
use crate::failure::{Exit, Failure};
use crate::link::Link;
use crate::report::{self, InterfaceInfo};
use crate::source::live::{Interface, Live, LiveConfig, OpenError};
pub(in crate::commands) use words::{captured, say_how};

/// Attaches to the interfaces; from then on packets are counted.
pub(in crate::commands) fn open(links: Vec<Link>, config: LiveConfig) -> Result<Live, Failure> {
    Live::open(links, config, Now::read()).map_err(refused)
}

/// What reports say of it.
pub(in crate::commands) fn info(interface: &Interface) -> InterfaceInfo {
    InterfaceInfo {
        slot: interface.slot,
        name: interface.link.name.clone(),
        ifindex: interface.link.index,
        link_type: interface.link.link_type().to_owned(),
        ingress: report::Ingress {
            hook: interface.ingress.name.map(str::to_owned),
            mode: interface.ingress.mode.map(str::to_owned),
            why: interface.ingress.why.clone(),
        },
        egress: report::Egress {
            hook: interface.egress.name.map(str::to_owned),
            why: interface.egress.why.clone(),
        },
    }
}

fn refused(error: OpenError) -> Failure {
    let exit = match error {
        OpenError::Permission(_) => Exit::NoPermission,
        OpenError::Filter(_) => Exit::Filter,
        OpenError::Programs(_) | OpenError::Interface { .. } => Exit::Interface,
    };
    Failure::new(exit, error)
}
