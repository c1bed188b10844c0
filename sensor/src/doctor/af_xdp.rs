//! Gates of AF_XDP: whole packets, taken from the driver before the host's network stack sees them. Counting needs none of it.

use super::Gate;
use super::facts::{Host, Nic, PacketSocket};
use crate::link;
use crate::source::af_xdp::MOST_MEMORY;
use crate::source::ladder;
use crate::{privilege, units};

const COSTS: &str = "AF_XDP: whole packets come by AF_PACKET";
/// What the frames of one queue take where there are few queues.
const LOCKED: u64 = MOST_MEMORY as u64;

/// Of the machine.
pub(super) fn socket(host: &Host) -> Gate {
    const NAME: &str = "af-xdp-socket";
    match &host.xdp_socket {
        Ok(()) => {}
        Err(PacketSocket::NoPermission) => {
            return Gate::closed(
                NAME,
                "an AF_XDP socket is refused: CAP_NET_RAW is not in effect",
            )
            .costs(COSTS)
            .remedy(&host.grant);
        }
        Err(PacketSocket::Missing(error)) => {
            return Gate::closed(NAME, format!("an AF_XDP socket can't be opened: {error}"))
                .costs(COSTS)
                .remedy("a kernel with CONFIG_XDP_SOCKETS");
        }
    }
    let unlimited = host
        .capabilities
        .as_ref()
        .is_ok_and(|have| have >> privilege::IPC_LOCK.0 & 1 == 1);
    match host.memlock {
        Some(limit) if limit < LOCKED && !unlimited => Gate::closed(
            NAME,
            format!(
                "one was opened, but only {} of memory may be locked, and a queue takes up to {}",
                units::bytes(limit),
                units::bytes(LOCKED)
            ),
        )
        .costs(COSTS)
        .remedy("ulimit -l unlimited; in a unit: LimitMEMLOCK=infinity; or grant cap_ipc_lock"),
        _ => Gate::open(NAME, "an AF_XDP socket was opened and closed again"),
    }
}

/// Of an interface.
pub(super) fn gates(nic: &Nic) -> [Gate; 3] {
    [possible(nic), zero_copy(nic), queues(nic)]
}

fn possible(nic: &Nic) -> Gate {
    const NAME: &str = "af-xdp";
    let driver = nic.driver.as_deref();
    if let Some(why) = ladder::rules_xdp_out(&nic.link, driver, true) {
        return Gate::closed(NAME, why).costs(COSTS);
    }
    if let Some(other) = &nic.link.xdp {
        let taken = format!("its XDP hook is taken by program id {}", other.prog_id);
        return Gate::closed(NAME, taken).costs(COSTS);
    }
    let driver = driver.unwrap_or("none");
    let gate = |open: bool, evidence: String| match open {
        true => Gate::open(NAME, evidence + &used(nic)),
        false => Gate::closed(NAME, evidence).costs(COSTS),
    };
    match &nic.features {
        Ok(Some(features)) if features.native() && features.redirect() => gate(
            true,
            format!("the driver ({driver}) hands packets to sockets, one for each receive queue"),
        ),
        Ok(Some(features)) if features.native() => gate(
            false,
            format!("the driver ({driver}) runs XDP, but can't hand packets to sockets"),
        ),
        Ok(Some(_)) if let Some(why) = link::veth_without_xdp(&nic.link) => gate(false, why),
        Ok(Some(_)) => gate(
            false,
            format!("the driver ({driver}) has no XDP, and generic XDP copies every packet before"),
        ),
        Ok(None) => {
            let why = "kernels before 6.3 don't tell; it is tried";
            Gate::unknown(NAME, format!("{why}{}", used(nic))).costs(COSTS)
        }
        Err(why) => Gate::unknown(NAME, why).costs(COSTS),
    }
}

/// What the host would miss.
fn used(nic: &Nic) -> String {
    let by = match (nic.addresses.first(), nic.link.master) {
        (Some(addr), _) => format!("it has the address {addr}"),
        (None, Some(_)) => "it is part of a bridge or bond".to_owned(),
        (None, None) => return String::new(),
    };
    format!("; {by}: it is no mirror port, and the host would get none of its packets")
}

fn zero_copy(nic: &Nic) -> Gate {
    const NAME: &str = "af-xdp-zero-copy";
    match &nic.features {
        Ok(Some(features)) if features.zero_copy() => {
            Gate::open(NAME, "the driver says that it can")
        }
        Ok(Some(_)) => Gate::closed(
            NAME,
            "the driver says that it can't: AF_XDP copies each packet once",
        ),
        Ok(None) => Gate::unknown(NAME, "kernels before 6.3 don't tell"),
        Err(why) => Gate::unknown(NAME, why),
    }
}

fn queues(nic: &Nic) -> Gate {
    const NAME: &str = "receive-queues";
    let Some(queues) = nic.queues else {
        return Gate::unknown(NAME, "the driver does not tell how many there are");
    };
    let of = format!("{} in use, of at most {}", queues.now, queues.most);
    match (queues.now, queues.most) {
        (..=1, ..=1) => return Gate::open(NAME, format!("{of}: one CPU takes in all packets")),
        (2.., _) => return Gate::open(NAME, format!("{of}: as many CPUs share the work")),
        (..=1, 2..) => {}
    }
    let kind = if queues.combined { "combined" } else { "rx" };
    Gate::closed(NAME, of)
        .costs("one CPU takes in all packets, by whatever they are counted")
        .remedy(format!(
            "sudo ethtool -L {} {kind} {}",
            nic.link.name, queues.most
        ))
}
