//! Attaching to an interface, at the start or whenever it comes (back) later: the only place of a run that needs the
//! privileges to attach once it counts.

use crate::cli::{Backend, XdpMode};
use crate::clock::Now;
use crate::link::{self, Link};
use crate::privilege;
use crate::sandbox::capabilities;
use crate::source::Hook;
use crate::source::af_packet::{self, RingError};
use crate::source::af_xdp;
use crate::source::ladder::{self, Hooks, Wish};
use crate::source::mirror::{self, Promiscuous};

use super::ring::Ring;
use super::{AF_PACKET, AF_XDP, Live, OpenError, asks_for_tags};

impl Live {
    /// What is named must be had, and at least one of what a pattern or `any` means.
    pub(super) fn attach_first(&mut self, links: Vec<Link>) -> Result<(), OpenError> {
        let mut first = None;
        for link in links {
            let slot = self.free_slot();
            match self.attach(&link, slot) {
                Ok(hooks) => {
                    let interface = self.interface(slot, link, hooks);
                    self.interfaces.push(interface);
                }
                Err(error @ OpenError::Interface { .. }) if !self.config.wanted.names(&link) => {
                    let refused = self.refused_one(slot, link, &error);
                    self.interfaces.push(refused);
                    first.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        match first {
            Some(error) if self.interfaces.iter().all(|one| !one.alive) => Err(error),
            _ => Ok(()),
        }
    }

    /// One interface: at the start, and whenever one comes (back) later. Nothing else of a run that counts
    /// needs the privileges to attach.
    pub(super) fn attach(&mut self, link: &Link, slot: u8) -> Result<Hooks, OpenError> {
        let _raised = capabilities::raise();
        let Some(mirror) = self.config.mirror.clone() else {
            return self.climb(link, slot);
        };
        if !mirror.force {
            self.refuse_used(link)?;
        }
        let promiscuous = self.promiscuous(link)?;
        let hooks = self.climb(link, slot)?;
        self.promiscuous.push((link.index, promiscuous));
        Ok(hooks)
    }

    /// Packets that are counted on a mirror port never reach the host.
    fn refuse_used(&self, link: &Link) -> Result<(), OpenError> {
        let uses =
            mirror::uses(link).map_err(|error| self.refused(link, vec![error.to_string()]))?;
        if uses.is_empty() {
            return Ok(());
        }
        let mut reasons = uses;
        reasons.push("with --tap nothing that arrives on it would reach this host".to_owned());
        Err(OpenError::Interface {
            interface: link.name.clone(),
            reasons,
            advice: "name the interface of a mirror port, or add --force",
        })
    }

    fn promiscuous(&self, link: &Link) -> Result<Promiscuous, OpenError> {
        if let Some(missing) = privilege::missing(privilege::AF_PACKET) {
            return Err(OpenError::Permission(missing));
        }
        Promiscuous::on(link.index).map_err(|error| {
            let why = format!("promiscuous mode can't be switched on: {error}");
            self.refused(link, vec![why])
        })
    }

    /// The ladder.
    fn climb(&mut self, link: &Link, slot: u8) -> Result<Hooks, OpenError> {
        let asks_tags = asks_for_tags(self.config.filter.as_ref());
        if asks_tags
            && (self.config.wish.pins_xdp() || self.config.wish.backend == Backend::AfXdp)
            && let Some(why) = ladder::hides_tags(link)
        {
            let name = &link.name;
            return Err(OpenError::Filter(format!(
                "{name}: {why}; try --backend tc, or: ethtool -K {name} rxvlan off"
            )));
        }
        let wish = (self.config.wish, asks_tags);
        if self.config.wish.backend == Backend::AfXdp {
            return self.by_sockets(link, slot);
        }
        let mut refusals = match (&mut self.kernel, &self.no_kernel) {
            (Some(kernel), _) => match ladder::climb(kernel, link, slot, wish) {
                Ok(hooks) => return Ok(hooks),
                Err(refusals) => match self.climb_without_samples(link, slot, wish, &refusals) {
                    Some(hooks) => return Ok(hooks),
                    None => refusals,
                },
            },
            (None, why) => vec![format!(
                "no eBPF: {}",
                why.as_deref().unwrap_or("not loaded")
            )],
        };
        let (asked, pins_xdp) = (self.config.wish.backend, self.config.wish.pins_xdp());
        if matches!(asked, Backend::Auto | Backend::AfPacket) && !pins_xdp {
            let want = self.want_packets(link);
            match af_packet::AfPacket::open(link.index, slot, link.loopback, want) {
                Ok(ring) => {
                    self.rings.push(Ring::Packet(ring));
                    return Ok(packet_hooks(link, refusals, self.config.wish));
                }
                Err(error @ RingError::NoPermission(_)) => {
                    return Err(match privilege::missing(privilege::AF_PACKET) {
                        Some(missing) => OpenError::Permission(missing),
                        None => self.refused(link, vec![error.to_string()]),
                    });
                }
                Err(error) => refusals.push(format!("no AF_PACKET: {error}")),
            }
        }
        Err(self.refused(link, refusals))
    }

    fn want_packets(&self, link: &Link) -> af_packet::Want {
        af_packet::Want {
            mirror: self.config.mirror.clone(),
            dedup: self.config.dedup.clone(),
            filter: self.matcher(),
            samples: self.config.samples,
            tap: self.config.tap.clone().map(|tap| af_packet::Listener {
                tap,
                interface: link.name.as_str().into(),
                snaplen: self.config.snaplen,
            }),
        }
    }

    /// AF_XDP is on no ladder: it is had or it is not.
    fn by_sockets(&mut self, link: &Link, slot: u8) -> Result<Hooks, OpenError> {
        let mirror = self.config.mirror.as_deref();
        let native = self.config.wish.xdp_mode != XdpMode::Generic;
        let want = af_xdp::Want {
            native,
            busy_poll: mirror.is_some_and(|mirror| mirror.busy_poll),
            counter: af_packet::Counter::new(slot, false, self.want_packets(link)),
        };
        let driver = link::driver(&link.name);
        let opened = match ladder::rules_xdp_out(link, driver.as_deref(), true) {
            Some(why) => Err(why),
            None => af_xdp::AfXdp::open(link, want).map_err(|error| error.to_string()),
        };
        let ring = opened.map_err(|why| self.refused(link, vec![format!("no AF_XDP: {why}")]))?;
        let xdp = if native { "native" } else { "generic" };
        let hook = Hook {
            name: Some(AF_XDP),
            mode: Some(ring.mode()),
            why: format!(
                "XDP ({xdp}) hands over whole packets, {}, {}; none reaches the host",
                ring.size(),
                copied(&ring, native)
            ),
        };
        self.rings.push(Ring::Xdp(ring));
        Ok(Hooks {
            ingress: hook,
            egress: Hook::mirror_egress(),
            refusals: Vec::new(),
        })
    }

    /// A kernel may refuse the programs for what they do for names (lockdown forbids a helper): better counts without names
    /// than none. Only where nothing is attached yet.
    fn climb_without_samples(
        &mut self,
        link: &Link,
        slot: u8,
        wish: (Wish, bool),
        refusals: &[String],
    ) -> Option<Hooks> {
        let kernel = self.kernel.as_ref()?;
        if !self.config.samples || !kernel.programs().is_empty() {
            return None;
        }
        let slots = kernel.object.size.slots;
        self.config.samples = false;
        let climbed = self.kernel(slots, Now::read()).ok().and_then(|mut plain| {
            let hooks = ladder::climb(&mut plain, link, slot, wish).ok()?;
            Some((plain, hooks))
        });
        self.config.samples = climbed.is_none();
        let (plain, mut hooks) = climbed?;
        self.kernel = Some(plain);
        hooks.refusals.splice(0..0, refusals.iter().cloned());
        let why = refusals.last().map_or("", String::as_str);
        let told = format!("; no payloads for names: {why}");
        hooks.ingress.why += &told;
        Some(hooks)
    }

    fn refused(&self, link: &Link, reasons: Vec<String>) -> OpenError {
        OpenError::Interface {
            interface: link.name.clone(),
            reasons,
            advice: self.config.wish.advice(),
        }
    }
}

fn copied(ring: &af_xdp::AfXdp, native: bool) -> &'static str {
    match (ring.copies_nothing(), native) {
        (true, _) => "none copied on the way",
        (false, true) => "each copied once, as the driver gave no zero-copy",
        (false, false) => "each copied, as generic XDP has no zero-copy",
    }
}

fn packet_hooks(link: &Link, refusals: Vec<String>, wish: Wish) -> Hooks {
    let why = if wish.backend == Backend::AfPacket {
        wish.why_af_packet().to_owned()
    } else {
        format!(
            "{}; it costs a copy of every packet's headers, and under load some may be lost, which the reports say",
            refusals.last().map_or("", String::as_str)
        )
    };
    let hook = Hook {
        name: Some(AF_PACKET),
        mode: None,
        why,
    };
    let egress = if wish.tap {
        Hook::mirror_egress()
    } else if link.loopback {
        Hook::loopback_egress()
    } else {
        hook.clone()
    };
    Hooks {
        ingress: hook,
        egress,
        refusals,
    }
}
