//! What `sensor run` would do: the ladder of backends, climbed on paper.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use super::facts::{Host, Nic, PacketSocket};
use super::{Interface, Verdict, Way};
use crate::privilege;
use crate::source::{ladder, starts_with_ip};

/// A way to count, as `--backend` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    Xdp,
    Tc,
    AfPacket,
}

impl Backend {
    pub(super) fn name(self) -> &'static str {
        match self {
            Backend::Xdp => "xdp",
            Backend::Tc => "tc",
            Backend::AfPacket => "af-packet",
        }
    }
}

/// Why the programs can't count here, whatever the interface; `None` = they can.
pub(super) fn no_programs(host: &Host) -> Option<String> {
    if host.preempt_rt {
        return Some(
            "on a PREEMPT_RT kernel the programs of one CPU may interrupt each other".into(),
        );
    }
    if host.membarrier != Ok(true) {
        return Some("the kernel refuses membarrier, so its tables can't be read exactly".into());
    }
    host.programs.as_ref().err().cloned()
}

/// What this machine and this process allow, the best first.
pub(super) fn backends(host: &Host) -> Vec<Backend> {
    let mut backends = Vec::new();
    if let (None, Ok(probe)) = (no_programs(host), &host.programs) {
        if probe.xdp.is_ok() || probe.xdp_frags.is_ok() {
            backends.push(Backend::Xdp);
        }
        if probe.tc_ingress.is_ok() && probe.tc_egress.is_ok() {
            backends.push(Backend::Tc);
        }
    }
    if host.packet_socket.is_ok() {
        backends.push(Backend::AfPacket);
    }
    backends
}

/// The hooks that `sensor run` would take, ingress and egress.
pub(super) fn ways(host: &Host, nic: &Nic) -> (Way, Way) {
    let backends = backends(host);
    let has = |backend| backends.contains(&backend);
    if starts_with_ip(nic.link.arphrd).is_none() {
        let way = none(format!(
            "no decoder for its hardware type {}",
            nic.link.arphrd
        ));
        return (way.clone(), way);
    }
    let no_xdp = match has(Backend::Xdp) {
        true => why_no_xdp(nic),
        false => Some(no_programs(host).unwrap_or_else(|| "the XDP program is refused".into())),
    };
    let tc = has(Backend::Tc).then(|| tc_hook(host));
    let ingress = match (no_xdp, tc) {
        (None, _) => way("xdp", native(nic)),
        (Some(why), Some(hook)) => way(hook, why),
        (Some(why), None) => packets(host, why),
    };
    let egress = match (&ingress.hook, tc) {
        _ if nic.link.loopback => none("what leaves the loopback arrives on it too".to_owned()),
        (Some(Cow::Borrowed("af-packet")), _) => ingress.clone(),
        (None, _) => ingress.clone(),
        (_, Some(hook)) => way(
            hook,
            "super-packets count as the segments that leave".into(),
        ),
        (_, None) => none("the TC program is refused, and egress has no other".to_owned()),
    };
    (ingress, egress)
}

/// In the ladder's words, as far as it needs no attempt.
fn why_no_xdp(nic: &Nic) -> Option<String> {
    let ruled_out = ladder::rules_xdp_out(&nic.link, nic.driver.as_deref(), false);
    ruled_out.or_else(|| match nic.features {
        Ok(Some(features)) if !features.native() => Some("the driver has no native XDP".to_owned()),
        _ if nic.driver.is_none() => {
            Some("there is no driver that could have native XDP".to_owned())
        }
        _ => None,
    })
}

fn native(nic: &Nic) -> String {
    match nic.features {
        Ok(Some(features)) if features.multi_buffer() => {
            "native, jumbo frames in full, says the driver".to_owned()
        }
        Ok(Some(_)) => "native, says the driver".to_owned(),
        _ => "native, if the driver can: it is tried, and TC is next".to_owned(),
    }
}

fn tc_hook(host: &Host) -> &'static str {
    match host
        .programs
        .as_ref()
        .is_ok_and(|probe| probe.tcx == Ok(true))
    {
        true => "tcx",
        false => "clsact",
    }
}

fn packets(host: &Host, why: String) -> Way {
    match &host.packet_socket {
        Ok(()) => way("af-packet", why),
        Err(PacketSocket::NoPermission) => {
            none(format!("{why}; and no packet socket: CAP_NET_RAW missing"))
        }
        Err(PacketSocket::Missing(error)) => none(format!("{why}; and no packet socket: {error}")),
    }
}

fn way(hook: &'static str, why: String) -> Way {
    Way {
        hook: Some(Cow::Borrowed(hook)),
        why,
    }
}

fn none(why: String) -> Way {
    Way { hook: None, why }
}

pub(super) fn verdict(host: &Host, interfaces: &[Interface]) -> Verdict {
    let backends = backends(host);
    let uncounted = interfaces.iter().find(|one| one.ingress.hook.is_none());
    let can_count = !backends.is_empty() && uncounted.is_none();
    let lacks = host.capabilities.as_ref().map(|have| {
        let ebpf = privilege::lacking(*have, privilege::EBPF);
        let packets = privilege::lacking(*have, privilege::AF_PACKET);
        (ebpf, packets)
    });
    let permission = backends.is_empty()
        && (host.packet_socket == Err(PacketSocket::NoPermission)
            || matches!(&lacks, Ok((ebpf, _)) if !ebpf.is_empty()));
    let names: Vec<_> = backends.iter().map(|backend| backend.name()).collect();
    let why = match (uncounted, lacks) {
        (_, Ok((ebpf, packets))) if permission => {
            let missing = match packets.is_empty() {
                true => ebpf.join(", "),
                false => format!("{} (or {})", ebpf.join(", "), packets.join(", ")),
            };
            format!(
                "packets can't be counted: {missing} missing; grant them with: {}",
                host.grant
            )
        }
        _ if backends.is_empty() => "packets can't be counted: no backend is to be had".to_owned(),
        (Some(one), _) => format!("{} can't be counted: {}", one.name, one.ingress.why),
        (None, _) => format!("packets can be counted by {}", names.join(", ")),
    };
    Verdict {
        can_count,
        backends,
        permission,
        why,
    }
}
