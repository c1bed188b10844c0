//! What all commands do that count live: choosing interfaces, attaching to them, and saying how.

pub(in crate::commands) mod events;
pub(in crate::commands) mod select;
mod words;

use crate::clock::Now;
use crate::failure::{Exit, Failure};
use crate::link::wanted::{Choice, Stacked};
use crate::report::{self, InterfaceInfo, LeftOut};
use crate::sink::capture::Received;
use crate::source::live::{Interface, Live, LiveConfig, OpenError};
pub(in crate::commands) use words::{captured, say_how};

/// Attaches to the interfaces; from then on packets are counted.
pub(in crate::commands) fn open(choice: Choice, config: LiveConfig) -> Result<Live, Failure> {
    Live::open(choice, config, Now::read()).map_err(refused)
}

/// What reports say of the interfaces; those that share a slot are one.
pub(in crate::commands) fn infos(interfaces: &[Interface]) -> Vec<InterfaceInfo> {
    let mut infos: Vec<InterfaceInfo> = Vec::new();
    for interface in interfaces {
        if infos.iter().all(|info| info.slot != interface.slot) {
            infos.push(info(interface));
        }
    }
    infos
}

/// The names that a filter may ask for, by slot.
pub(in crate::commands) fn names(interfaces: &[Interface]) -> Vec<String> {
    let infos = infos(interfaces); // a new slot is the next one
    infos.into_iter().map(|info| info.name).collect()
}

/// What reports say of those that are not counted.
pub(in crate::commands) fn left_out(live: &Live) -> Vec<LeftOut> {
    let row = |stacked: &Stacked| LeftOut {
        name: stacked.name.clone(),
        ifindex: stacked.ifindex,
        counted_on: stacked.on.clone(),
    };
    live.left_out().iter().map(row).collect()
}

/// How the packet sockets fared, for whoever writes packets down.
pub(in crate::commands) fn received(live: &Live) -> Vec<Received> {
    let received = live.received().map(|(ifindex, statistics)| Received {
        number: ifindex,
        received: statistics.packets,
        dropped: statistics.drops + statistics.unreadable,
    });
    received.collect()
}

fn info(interface: &Interface) -> InterfaceInfo {
    InterfaceInfo {
        slot: interface.slot,
        name: interface.counted_as().to_owned(),
        ifindex: match interface.shared {
            true => 0,
            false => interface.link.index,
        },
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
        OpenError::Permission(_) | OpenError::Statistics(_) => Exit::NoPermission,
        OpenError::Filter(_) => Exit::Filter,
        OpenError::Programs(_) | OpenError::Interface { .. } => Exit::Interface,
    };
    Failure::new(exit, error)
}
