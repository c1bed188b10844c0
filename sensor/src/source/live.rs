//! The live source: every interface of a run, each on its own rung of the ladder.

mod filter;
mod watch;

use sensor_common::flow::HashSeeds;

use crate::cli::Backend;
use crate::clock::Now;
use crate::counters::Delta;
use crate::link::Link;
use crate::privilege::{self, Missing};

use super::af_packet::{self, RingError};
use super::kernel::Kernel;
use super::kernel::drain;
use super::kernel::object::{Cpus, ObjectError, TableSize, Task};
use super::ladder::{self, Hooks, Wish};
use super::tap::SharedTap;
use super::{Event, Hook, Source, SourceError, first_line};
pub use filter::{LiveFilter, Preparation, Prepared, ReloadError, SETTLED, Switched};
use watch::Refusal;

const AF_PACKET: &str = "af-packet";

pub struct LiveConfig {
    pub wish: Wish,
    /// Flows per interval that the kernel's table has room for.
    pub kernel_flows: u32,
    pub seeds: HashSeeds,
    pub filter: Option<LiveFilter>,
    /// Payloads are wanted, for names.
    pub samples: bool,
    /// Hears of each packet; only AF_PACKET has them to tell.
    pub tap: Option<SharedTap>,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}")]
    Permission(Missing),
    #[error("counting in the kernel can't be had: {0}; try --backend af-packet")]
    Programs(String),
    #[error("the kernel's programs can't decide the filter: {0}")]
    Filter(String),
    #[error("{interface} can't be counted: {}; {advice}", .reasons.join("; "))]
    Interface {
        interface: String,
        reasons: Vec<String>,
        /// What to type instead.
        advice: &'static str,
    },
}

/// One interface of the run.
pub struct Interface {
    pub slot: u8,
    pub link: Link,
    pub ingress: Hook,
    pub egress: Hook,
    /// What was tried and refused, one line each.
    pub refusals: Vec<String>,
    /// False once it was deleted or moved away; its counts stay.
    pub alive: bool,
    /// It is there again, but can't be attached to: what was told of that.
    refused: Option<Refusal>,
}

impl Interface {
    fn new(slot: u8, link: Link, hooks: Hooks) -> Self {
        Interface {
            slot,
            link,
            ingress: hooks.ingress,
            egress: hooks.egress,
            refusals: hooks.refusals,
            alive: true,
            refused: None,
        }
    }
}

pub struct Live {
    config: LiveConfig,
    kernel: Option<Kernel>,
    /// Why the kernel's programs can't be had at all.
    no_kernel: Option<String>,
    rings: Vec<af_packet::AfPacket>,
    /// Of interfaces that are gone, with what was not read yet.
    gone_rings: Vec<af_packet::AfPacket>,
    interfaces: Vec<Interface>,
    all_gone: bool,
    /// Why the state of the interfaces is not known at present.
    trouble: Option<String>,
}

impl Live {
    pub fn open(links: Vec<Link>, config: LiveConfig, now: Now) -> Result<Self, OpenError> {
        let mut live = Live {
            kernel: None,
            no_kernel: None,
            rings: Vec::new(),
            gone_rings: Vec::new(),
            interfaces: Vec::new(),
            all_gone: false,
            trouble: None,
            config,
        };
        live.load_kernel(links.len() as u32, now)?;
        for (slot, link) in links.into_iter().enumerate() {
            let hooks = live.attach(&link, slot as u8)?;
            live.interfaces
                .push(Interface::new(slot as u8, link, hooks));
        }
        Ok(live)
    }

    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Of all interfaces, the best that is in use: the word for the report's `source.backend`.
    pub fn backend(&self) -> &'static str {
        let uses = |names: &[&str]| {
            self.interfaces.iter().any(|interface| {
                interface
                    .ingress
                    .name
                    .is_some_and(|name| names.contains(&name))
            })
        };
        if uses(&["xdp"]) {
            "xdp"
        } else if uses(&["tcx", "clsact"]) {
            "tc"
        } else {
            AF_PACKET
        }
    }

    /// Whether the programs count on any interface: their counts take their time from the polls.
    pub fn counts_in_kernel(&self) -> bool {
        self.backend() != AF_PACKET
    }

    fn load_kernel(&mut self, slots: u32, now: Now) -> Result<(), OpenError> {
        if self.config.wish.backend == Backend::AfPacket {
            self.no_kernel = Some("AF_PACKET was asked for".to_owned());
            return Ok(());
        }
        let pinned = self.config.wish.backend != Backend::Auto || self.config.wish.pins_xdp();
        if let Some(missing) = privilege::missing(privilege::EBPF) {
            if pinned || privilege::missing(privilege::AF_PACKET).is_some() {
                return Err(OpenError::Permission(missing));
            }
            self.no_kernel = Some(missing.to_string());
            return Ok(());
        }
        if let Some(Err(why)) = self.config.filter.as_ref().map(|filter| &filter.kernel) {
            if pinned {
                return Err(OpenError::Filter(format!("{why}; --backend af-packet can")));
            }
            self.no_kernel = Some(format!("the programs can't decide the filter: {why}"));
            return Ok(());
        }
        match self.kernel(slots, now) {
            Ok(kernel) => self.kernel = Some(kernel),
            Err(why) if pinned => return Err(OpenError::Programs(why)),
            Err(why) => self.no_kernel = Some(why),
        }
        Ok(())
    }

    fn kernel(&self, slots: u32, now: Now) -> Result<Kernel, String> {
        let filter = self.config.filter.as_ref();
        let filter = filter.and_then(|filter| filter.kernel.as_ref().ok());
        let task = Task {
            seeds: &self.config.seeds,
            filter,
            samples: self.config.samples,
        };
        load_programs((self.config.kernel_flows, slots), task, now)
    }

    /// The ladder, for one interface.
    fn attach(&mut self, link: &Link, slot: u8) -> Result<Hooks, OpenError> {
        let asks_tags = asks_for_tags(self.config.filter.as_ref());
        if asks_tags
            && self.config.wish.pins_xdp()
            && let Some(why) = ladder::hides_tags(link)
        {
            let name = &link.name;
            return Err(OpenError::Filter(format!(
                "{name}: {why}; try --backend tc, or: ethtool -K {name} rxvlan off"
            )));
        }
        let wish = (self.config.wish, asks_tags);
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
            let want = af_packet::Want {
                filter: self.matcher(),
                samples: self.config.samples,
                tap: self.config.tap.clone().map(|tap| af_packet::Listener {
                    tap,
                    interface: link.name.as_str().into(),
                }),
            };
            match af_packet::AfPacket::open(link.index, slot, link.loopback, want) {
                Ok(ring) => {
                    self.rings.push(ring);
                    return Ok(packet_hooks(link, refusals, asked));
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

    fn finish_gone(&mut self, delta: &mut Delta) -> Result<(), SourceError> {
        finish_all(&mut std::mem::take(&mut self.gone_rings), delta)
    }
}

impl Source for Live {
    fn begin(&mut self, now: Now) {
        if let Some(kernel) = &mut self.kernel {
            kernel.begin(now);
        }
    }

    fn poll(&mut self, now: Now, delta: &mut Delta) -> Result<(), SourceError> {
        let kernel = self.kernel.as_mut();
        let polled = kernel.map_or(Ok(()), |kernel| kernel.poll(now, delta));
        self.look(delta);
        polled.and(self.finish_gone(delta))
    }

    fn look(&mut self, delta: &mut Delta) {
        if let Some(kernel) = &mut self.kernel {
            kernel.look(delta);
        }
        // A ring holds a fraction of a second at line rate.
        self.rings.iter_mut().for_each(|ring| ring.poll(delta));
    }

    fn needs_poll(&mut self) -> bool {
        self.kernel.as_ref().is_some_and(Kernel::needs_poll)
    }

    fn check(&mut self) -> Vec<Event> {
        self.changes()
    }

    fn finish(&mut self, now: Now, delta: &mut Delta) -> Result<(), SourceError> {
        let kernel = self.kernel.as_mut();
        let finished = kernel.map_or(Ok(()), |kernel| kernel.finish(now, delta));
        finished
            .and(finish_all(&mut self.rings, delta))
            .and(self.finish_gone(delta))
    }
}

/// `(flows, slots)`: how much room there should be.
fn load_programs((flows, slots): (u32, u32), task: Task<'_>, now: Now) -> Result<Kernel, String> {
    if preempt_rt() {
        return Err(
            "on a PREEMPT_RT kernel the programs of one CPU may interrupt each other".to_owned(),
        );
    }
    if !drain::grace_period_supported().unwrap_or(false) {
        return Err(
            "the kernel refuses membarrier (nohz_full), so its tables can't be read exactly"
                .to_owned(),
        );
    }
    let load = || -> Result<Kernel, ObjectError> {
        let size = TableSize::for_flows(flows, Cpus::read()?, slots);
        Kernel::load(size, task, now)
    };
    load().map_err(|error| first_line(&error))
}

fn finish_all(rings: &mut [af_packet::AfPacket], delta: &mut Delta) -> Result<(), SourceError> {
    let results = rings.iter_mut().map(|ring| ring.finish(delta));
    Ok(first_error(results)?)
}

/// Of all that is tried: one that fails must not cost the counts of the others.
fn first_error<E>(results: impl Iterator<Item = Result<(), E>>) -> Result<(), E> {
    results.fold(Ok(()), Result::and)
}

fn asks_for_tags(filter: Option<&LiveFilter>) -> bool {
    filter.is_some_and(|filter| filter.matcher.program().asks_for_vlans())
}

fn packet_hooks(link: &Link, refusals: Vec<String>, asked: Backend) -> Hooks {
    let why = if asked == Backend::AfPacket {
        "AF_PACKET was asked for".to_owned()
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
    let egress = if link.loopback {
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

/// Programs of one CPU could then preempt each other, and the tables have no locks.
pub(crate) fn preempt_rt() -> bool {
    std::fs::read_to_string("/proc/sys/kernel/version")
        .is_ok_and(|version| version.contains("PREEMPT_RT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_tried_and_the_first_error_is_kept() {
        let mut tried = Vec::new();
        let results = [Ok(()), Err(1), Ok(()), Err(2)].into_iter();
        let result = first_error(results.inspect(|result| tried.push(*result)));
        assert_eq!(result, Err(1));
        assert_eq!(tried.len(), 4);
    }
}
