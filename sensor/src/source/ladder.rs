//! The ladder of backends: for each interface the best way to count that it allows, each refusal kept.
//!
//! XDP native, then TC ingress, then AF_PACKET. On veth native XDP would cost the host its segmentation offload
//! (measured: 60 % of TCP throughput), so TC comes first there; generic XDP sees several packets as one and is used only
//! when it is asked for. A tap has nobody who would miss an offload: there native XDP comes first on veth too, and counted
//! packets are dropped.

use crate::cli::{Backend, XdpMode};
use crate::link::{self, Link};

use super::kernel::Kernel;
use super::kernel::attach::{self, Refusal};
use super::{Hook, first_line, starts_with_ip};

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub backend: Backend,
    pub xdp_mode: XdpMode,
    /// AF_PACKET was not asked for by name, but follows from what was.
    pub whole_packets: bool,
    /// Counted packets go no further, and nothing leaves.
    pub tap: bool,
}

impl Wish {
    pub fn new(backend: Backend, xdp_mode: XdpMode) -> Self {
        Wish {
            backend,
            xdp_mode,
            whole_packets: false,
            tap: false,
        }
    }

    /// An XDP mode for a backend that has none.
    pub fn contradicts_itself(self) -> bool {
        self.xdp_mode != XdpMode::Auto
            && !matches!(self.backend, Backend::Auto | Backend::Xdp | Backend::AfXdp)
    }

    /// Packets are to be written as they are, which only a packet socket can.
    pub fn for_whole_packets(self) -> Self {
        Wish {
            backend: Backend::AfPacket,
            whole_packets: true,
            ..self
        }
    }

    /// Why AF_PACKET, where nothing else is tried.
    pub(super) fn why_af_packet(self) -> &'static str {
        match self.whole_packets {
            true => {
                "-w takes whole packets, which programs in the kernel count without handing them over"
            }
            false => "AF_PACKET was asked for",
        }
    }

    pub(crate) fn pins_xdp(self) -> bool {
        self.backend == Backend::Xdp || self.xdp_mode != XdpMode::Auto
    }

    /// What to type when what was asked for is refused.
    pub(super) fn advice(self) -> &'static str {
        match (self.backend, self.pins_xdp()) {
            (Backend::AfXdp, _) => "try --backend xdp",
            (_, true) => "try --backend tc",
            (Backend::Tc, _) => "try --backend af-packet",
            (Backend::AfPacket, _) => "try --backend auto",
            (Backend::Auto | Backend::Xdp, _) => "see: sensor interfaces",
        }
    }
}

/// How an interface is counted, with what was tried before.
#[derive(Clone, Debug, Default)]
pub(super) struct Hooks {
    pub(super) ingress: Hook,
    pub(super) egress: Hook,
    pub(super) refusals: Vec<String>,
}

/// Why the filter's tests of VLAN tags would be false of tagged packets if XDP counted `link`.
pub(super) fn hides_tags(link: &Link) -> Option<&'static str> {
    tags_are_hidden(link.kind.as_deref(), link::takes_vlan_tags_off(&link.name))
}

/// On veth no hardware takes tags off, although it says so, and XDP there has to be asked for.
fn tags_are_hidden(kind: Option<&str>, taken_off: Option<bool>) -> Option<&'static str> {
    match (kind, taken_off) {
        (Some("veth"), _) | (_, Some(false)) => None,
        (_, Some(true)) => Some(
            "its driver takes VLAN tags off before XDP sees them, and the filter asks for tags",
        ),
        (_, None) => Some(
            "its driver may take VLAN tags off before XDP sees them, and the filter asks for tags",
        ),
    }
}

/// Attaches the kernel's programs to `link` for `slot`. `Err` holds why neither direction could be had.
pub(super) fn climb(
    kernel: &mut Kernel,
    link: &Link,
    slot: u8,
    (wish, filter_asks_tags): (Wish, bool),
) -> Result<Hooks, Vec<String>> {
    let Some(l3) = starts_with_ip(link.arphrd) else {
        return Err(vec![format!(
            "no decoder for its hardware type {}",
            link.arphrd
        )]);
    };
    if let Err(error) = kernel.object.assign(link.index, slot, l3) {
        return Err(vec![error.to_string()]);
    }
    let mut refusals = Vec::new();
    let ingress = ingress(kernel, link, (wish, filter_asks_tags), &mut refusals);
    let Some(ingress) = ingress else {
        // Nothing may stay attached: half an interface counted here and half elsewhere would be counted twice.
        if let Err(error) = kernel.let_go(slot, link.index) {
            refusals.push(error.to_string());
        }
        return Err(refusals);
    };
    let egress = match wish.tap {
        true => Hook::mirror_egress(),
        false => egress(kernel, link, &mut refusals),
    };
    Ok(Hooks {
        ingress,
        egress,
        refusals,
    })
}

fn ingress(
    kernel: &mut Kernel,
    link: &Link,
    (wish, filter_asks_tags): (Wish, bool),
    refusals: &mut Vec<String>,
) -> Option<Hook> {
    let xdp = if wish.backend == Backend::Tc {
        Err("TC was asked for".to_owned())
    } else {
        xdp(kernel, link, (wish, filter_asks_tags))
    };
    let why_not = match xdp {
        Ok(hook) => return Some(hook),
        Err(why) => why,
    };
    refusals.push(format!("no XDP: {why_not}"));
    if wish.pins_xdp() {
        return None;
    }
    match attach::tc(&mut kernel.object, link, false) {
        Ok((attached, name)) => {
            kernel.hold(link.index, attached);
            Some(Hook {
                name: Some(name),
                mode: None,
                why: said_of_tap(wish, &why_not),
            })
        }
        Err(refusal) => {
            refusals.push(format!("no TC ingress: {}", told(&refusal)));
            None
        }
    }
}

fn xdp(
    kernel: &mut Kernel,
    link: &Link,
    (wish, filter_asks_tags): (Wish, bool),
) -> Result<Hook, String> {
    let native = wish.xdp_mode != XdpMode::Generic;
    let driver = link::driver(&link.name);
    let free = wish.tap && link.xdp.is_none();
    if let Some(why) = rules_xdp_out(link, driver.as_deref(), wish.pins_xdp() || free) {
        return Err(why);
    }
    if !wish.pins_xdp()
        && filter_asks_tags
        && let Some(why) = hides_tags(link)
    {
        return Err(why.to_owned());
    }
    let (attached, frags) =
        attach::xdp(&mut kernel.object, link, native).map_err(|refusal| told(&refusal))?;
    kernel.hold(link.index, attached);
    let why = match (native, frags) {
        (false, _) => {
            "generic mode was asked for: several packets that the kernel merged count as one"
        }
        (true, true) => "the driver runs it on every packet, jumbo frames in full",
        (true, false) => "the driver runs it on every packet; no multi-buffer support",
    };
    let mode = if native { "native" } else { "generic" };
    Ok(Hook {
        name: Some("xdp"),
        mode: Some(mode),
        why: said_of_tap(wish, why),
    })
}

fn said_of_tap(wish: Wish, why: &str) -> String {
    match wish.tap {
        true => format!("{why}; counted packets are dropped"),
        false => why.to_owned(),
    }
}

/// Why native XDP is not tried on `link`; some of it is overruled where it was `asked` for.
pub(crate) fn rules_xdp_out(link: &Link, driver: Option<&str>, asked: bool) -> Option<String> {
    if hands_packets_to_others(link, driver) {
        let why = "its packets arrive on the interfaces below it, where XDP would see them";
        return Some(why.to_owned());
    }
    if !asked && link.kind.as_deref() == Some("veth") {
        return Some("on veth it would cost the host its segmentation offload".to_owned());
    }
    if !asked && let Some(other) = &link.xdp {
        return Some(format!(
            "the XDP hook is taken by program id {}; what that one drops or redirects is not counted",
            other.prog_id
        ));
    }
    let ethernet = starts_with_ip(link.arphrd) == Some(false);
    (!ethernet).then(|| "the device has no link-layer header".to_owned())
}

/// XDP on these is run by the members (bond) or by a second device (Azure's accelerated networking), and says so: packets
/// would count for an interface that nobody watches.
fn hands_packets_to_others(link: &Link, driver: Option<&str>) -> bool {
    matches!(link.kind.as_deref(), Some("bond" | "team")) || driver == Some("hv_netvsc")
}

fn egress(kernel: &mut Kernel, link: &Link, refusals: &mut Vec<String>) -> Hook {
    if link.loopback {
        return Hook::loopback_egress();
    }
    match attach::tc(&mut kernel.object, link, true) {
        Ok((attached, name)) => {
            kernel.hold(link.index, attached);
            Hook {
                name: Some(name),
                mode: None,
                why: "super-packets count as the segments that leave".to_owned(),
            }
        }
        Err(refusal) => {
            let why = told(&refusal);
            refusals.push(format!("egress is NOT counted: {why}"));
            Hook {
                name: None,
                mode: None,
                why,
            }
        }
    }
}

/// One line; the verifier's log would fill pages.
fn told(refusal: &Refusal) -> String {
    let first = first_line(refusal);
    match (refusal.errno(), first.contains("os error")) {
        (Some(errno), false) => format!("{first}: {}", std::io::Error::from_raw_os_error(errno)),
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_hidden_where_a_driver_takes_them_off_or_may() {
        let hidden = |kind, taken_off| tags_are_hidden(kind, taken_off);
        assert_eq!(hidden(None, Some(false)), None);
        assert!(hidden(None, Some(true)).is_some_and(|why| why.contains("takes VLAN tags off")));
        assert!(hidden(None, None).is_some_and(|why| why.contains("may take")));
        assert!(hidden(Some("bond"), Some(true)).is_some());
        assert_eq!(hidden(Some("veth"), Some(true)), None);
    }
}
