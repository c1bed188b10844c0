//! The facts of interfaces.

use std::net::IpAddr;

use super::holders;
use crate::commands::live::select;
use crate::doctor::{Nic, NicProgram};
use crate::failure::{Exit, Failure};
use crate::link::{self, Link};
use crate::source::kernel::probe;

/// As `sensor run` chooses; where there is no default route, all that are up.
pub(super) fn chosen(names: &[String]) -> Result<Vec<Link>, Failure> {
    let failed = |error| Failure::new(Exit::Failed, error);
    let any = ["any".to_owned()];
    let meant = match names {
        [] if link::default_route().map_err(failed)?.is_none() => &any,
        names => names,
    };
    let (_, choice) = select::links(meant)?;
    Ok(choice.links)
}

pub(super) fn gather(link: Link) -> Nic {
    let xdp = link.xdp.as_ref().map(|attached| NicProgram {
        name: probe::name_of(attached.prog_id),
        holders: holders::of(attached.prog_id),
    });
    Nic {
        driver: link::driver(&link.name),
        features: link::xdp_features(link.index).map_err(|error| error.to_string()),
        offloads: link::offloads(&link.name),
        queues: link::queues(&link.name),
        addresses: addresses(link.index),
        xdp,
        tcx_ingress: probe::tcx_programs(&link.name, false),
        tcx_egress: probe::tcx_programs(&link.name, true),
        link,
    }
}

/// Nothing is known of them where the kernel does not answer.
fn addresses(ifindex: u32) -> Vec<IpAddr> {
    let mut all = link::addresses().unwrap_or_default();
    let own = all.remove(&ifindex).unwrap_or_default();
    let wanted = own.into_iter().map(|address| address.addr);
    wanted.filter(|addr| !is_link_local(*addr)).collect()
}

fn is_link_local(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => addr.is_link_local(),
        IpAddr::V6(addr) => addr.is_unicast_link_local(),
    }
}
