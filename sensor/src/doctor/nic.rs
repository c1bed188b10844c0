//! Gates of an interface.

use std::borrow::Cow;

use super::facts::{Host, Nic};
use super::{Gate, Interface, af_xdp, plan};
use crate::link::Link;
use crate::source::kernel::probe::Loaded;

pub(super) fn judge(host: &Host, nic: &Nic) -> Interface {
    let (ingress, egress) = plan::ways(host, nic);
    let mut gates = vec![up(&nic.link), native_xdp(host, nic), hook_free(nic)];
    gates.extend(mtu(host, nic));
    gates.extend(tcx(nic));
    gates.extend(merging(nic));
    gates.extend(tags(nic));
    gates.extend(af_xdp::gates(nic));
    Interface {
        name: nic.link.name.clone(),
        ifindex: nic.link.index,
        state: Cow::Borrowed(nic.link.state()),
        driver: nic.driver.clone(),
        kind: nic.link.kind.clone(),
        mtu: nic.link.mtu,
        receive_queues: nic.queues.map(|queues| queues.now),
        ingress,
        egress,
        gates,
    }
}

fn up(link: &Link) -> Gate {
    const NAME: &str = "up";
    let gate = match link.state() {
        "up" => return Gate::open(NAME, "it can carry packets"),
        "down" => Gate::closed(NAME, "it is switched off")
            .remedy(format!("sudo ip link set {} up", link.name)),
        state => Gate::closed(NAME, format!("it is on, with {state}"))
            .remedy("plug the cable in, or look at the other end"),
    };
    gate.costs("there is nothing to count")
}

fn native_xdp(host: &Host, nic: &Nic) -> Gate {
    const NAME: &str = "native-xdp";
    let costs = "xdp: TC counts ingress, as exactly, later on a packet's way";
    let driver = nic.driver.as_deref().unwrap_or("none");
    match &nic.features {
        Ok(Some(features)) if features.native() => Gate::open(NAME, format!("the driver ({driver}) says that it can")),
        Ok(Some(_)) => Gate::closed(NAME, format!("the driver ({driver}) says that it can't")).costs(costs),
        Ok(None) => {
            let gate = match known_to_have_xdp(driver) {
                true => Gate::unknown(NAME, format!("kernels before 6.3 don't tell; the driver {driver} is known to have it")),
                false => Gate::unknown(NAME, format!("kernels before 6.3 don't tell, and of the driver ({driver}) it is not known; it is tried")),
            };
            gate.costs(costs)
        }
        Err(why) => Gate::unknown(NAME, why).costs(costs),
    }
    .only_if(plan::no_programs(host).is_none(), "native XDP would take the programs, which can't be had")
}

/// Of the drivers that have had it since 5.8 or before.
fn known_to_have_xdp(driver: &str) -> bool {
    const DRIVERS: [&str; 19] = [
        "virtio_net",
        "veth",
        "tun",
        "ixgbe",
        "ixgbevf",
        "i40e",
        "ice",
        "igb",
        "mlx4_en",
        "mlx5_core",
        "bnxt_en",
        "qede",
        "nfp",
        "thunder-nic",
        "fsl_dpaa2_eth",
        "mvneta",
        "sfc",
        "ena",
        "hv_netvsc",
    ];
    DRIVERS.contains(&driver)
}

fn hook_free(nic: &Nic) -> Gate {
    const NAME: &str = "xdp-hook-free";
    let Some(attached) = &nic.link.xdp else {
        return Gate::open(NAME, "no XDP program is attached");
    };
    let id = attached.prog_id;
    let mut evidence = format!("taken by program id {id}");
    match nic.xdp.as_ref().map(|program| &program.name) {
        Some(Ok(Some(name))) => evidence += &format!(" ({name})"),
        Some(Err(why)) => evidence += &format!(" (its name: {why})"),
        _ => {}
    }
    let holders = nic.xdp.iter().flat_map(|program| &program.holders);
    let holders: Vec<String> = holders
        .map(|one| format!("{} (pid {})", one.name, one.pid))
        .collect();
    match holders.is_empty() {
        true => evidence += ", held by no process that can be seen",
        false => evidence += &format!(", held by {}", holders.join(", ")),
    }
    Gate::closed(NAME, evidence)
        .costs("xdp: TC counts ingress; what that program drops or redirects is not counted")
        .remedy(
            "end the process that holds it; if none does: sudo ip link set IF xdp off"
                .replace("IF", &nic.link.name),
        )
}

/// Drivers without multi-buffer take packets of a page at most.
fn mtu(host: &Host, nic: &Nic) -> Option<Gate> {
    const NAME: &str = "mtu";
    /// A page of 4,096 bytes without XDP's headroom (256) and the kernel's tail (320), and Ethernet's header.
    const FITS: u32 = 4096 - 256 - 320 - 14;
    let mtu = nic.link.mtu;
    let Ok(Some(features)) = nic.features else {
        return (mtu > FITS).then(|| {
            Gate::unknown(
                NAME,
                format!("MTU {mtu}: more than a driver takes without multi-buffer XDP"),
            )
            .costs("native XDP may be refused: TC counts ingress")
        });
    };
    if !features.native() {
        return None;
    }
    let multi = host
        .programs
        .as_ref()
        .is_ok_and(|probe| probe.xdp_frags.is_ok());
    Some(match (features.multi_buffer() && multi, mtu > FITS) {
        (true, _) => Gate::open(NAME, format!("MTU {mtu}; multi-buffer XDP takes any")),
        (false, false) => Gate::open(NAME, format!("MTU {mtu} fits a page")),
        (false, true) => Gate::closed(NAME, format!("MTU {mtu}, and no multi-buffer XDP"))
            .costs("native XDP: TC counts ingress")
            .remedy(format!("sudo ip link set {} mtu 1500", nic.link.name)),
    })
}

/// Others' programs see packets after ours: only worth a word where there are any.
fn tcx(nic: &Nic) -> Option<Gate> {
    const NAME: &str = "other-tcx";
    let list = |way: &str, programs: &[Loaded]| {
        let names: Vec<_> = programs
            .iter()
            .map(|one| format!("{} (id {})", one.name, one.id))
            .collect();
        (!names.is_empty()).then(|| format!("{way} {}", names.join(", ")))
    };
    match (&nic.tcx_ingress, &nic.tcx_egress) {
        (Ok(ingress), Ok(egress)) => {
            let found: Vec<_> = [list("ingress", ingress), list("egress", egress)]
                .into_iter()
                .flatten()
                .collect();
            (!found.is_empty()).then(|| {
                Gate::open(
                    NAME,
                    format!(
                        "{}; sensor goes first and lets every packet pass on",
                        found.join("; ")
                    ),
                )
            })
        }
        (Err(why), _) | (_, Err(why)) => Some(Gate::unknown(
            NAME,
            format!("the kernel does not say whose programs are there: {why}"),
        )),
    }
}

/// Merged packets can be told apart by TC and packet sockets, but what hardware merged is one packet to everybody.
fn merging(nic: &Nic) -> Vec<Gate> {
    const NAME: &str = "one-packet-a-frame";
    let offloads = nic.offloads;
    if offloads.lro == Some(true) {
        return vec![
            Gate::closed(
                NAME,
                "large-receive-offload is on: the hardware merges packets",
            )
            .costs("a merged packet may count as one")
            .remedy(format!("sudo ethtool -K {} lro off", nic.link.name)),
        ];
    }
    let on = |name: &str, value: Option<bool>| {
        value.map(|on| format!("{name} {}", if on { "on" } else { "off" }))
    };
    let named: Vec<_> = [
        on("gro", offloads.gro),
        on("gso", offloads.gso),
        on("tso", offloads.tso),
        on("lro", offloads.lro),
    ]
    .into_iter()
    .flatten()
    .collect();
    match named.is_empty() {
        true => Vec::new(),
        false => vec![Gate::open(
            NAME,
            format!(
                "{}: super-packets count as their segments",
                named.join(", ")
            ),
        )],
    }
}

fn tags(nic: &Nic) -> Option<Gate> {
    const NAME: &str = "vlan-tags";
    let virtual_pair = nic.link.kind.as_deref() == Some("veth");
    match nic.offloads.rx_vlan {
        Some(true) if !virtual_pair => Some(
            Gate::closed(NAME, "rx-vlan-offload is on: XDP does not see the tags that the hardware takes off")
                .costs("with a filter that asks for VLAN tags, TC counts ingress; XDP may count a tagged packet 4 bytes short")
                .remedy(format!("sudo ethtool -K {} rxvlan off", nic.link.name)),
        ),
        Some(_) => Some(Gate::open(NAME, "packets keep their VLAN tags")),
        None => None,
    }
}

impl Gate {
    /// What an open gate leads to may be closed all the same.
    fn only_if(self, usable: bool, else_why: &str) -> Gate {
        match usable {
            true => self,
            false => Gate {
                evidence: format!("{}; {else_why}", self.evidence),
                ..self
            },
        }
    }
}
