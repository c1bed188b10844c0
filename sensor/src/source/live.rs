//! The live source: every interface of a run, each on its own rung of the ladder.

mod arrival;
mod attach;
mod filter;
mod rights;
mod ring;
mod slots;
mod used;
mod watch;

use std::sync::Arc;

use sensor_common::flow::HashSeeds;

use crate::cli::Backend;
use crate::clock::Now;
use crate::counters::Delta;
use crate::link::Link;
use crate::link::wanted::{Choice, Stacked, Wanted};
use crate::privilege::{self, Missing};

use super::af_packet::RingStatistics;
use super::dedup::SharedDedup;
use super::kernel::drain;
use super::kernel::object::{Cpus, ObjectError, Role, TableSize, Task};
use super::kernel::{Kernel, RunTime, Statistics};
use super::ladder::Wish;
use super::mirror::{MirrorPort, Promiscuous};
use super::tap::SharedTap;
use super::{Event, Hook, Source, SourceError, first_line};
pub use filter::{LiveFilter, Preparation, Prepared, ReloadError, SETTLED, Switched};
use ring::Ring;
use watch::Refusal;

const AF_PACKET: &str = "af-packet";
const AF_XDP: &str = "af-xdp";

pub struct LiveConfig {
    /// Interfaces, also those that come later.
    pub wanted: Wanted,
    pub wish: Wish,
    /// Flows per interval that the kernel's table has room for.
    pub kernel_flows: u32,
    pub seeds: HashSeeds,
    pub filter: Option<LiveFilter>,
    /// Payloads are wanted, for names.
    pub samples: bool,
    /// The programs' run time is measured.
    pub bpf_stats: bool,
    /// Hears of each packet; only AF_PACKET has them to tell.
    pub tap: Option<SharedTap>,
    /// Bytes of each packet that the tap wants; 0 = those that are there for counting.
    pub snaplen: u32,
    /// The interfaces are mirror ports.
    pub mirror: Option<Arc<MirrorPort>>,
    /// Packets that come twice count once; by sockets only.
    pub dedup: Option<SharedDedup>,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}")]
    Permission(Missing),
    #[error(
        "the kernel does not measure its programs: {0}; --bpf-stats needs root, or CAP_SYS_ADMIN, and a kernel of 5.8 or newer"
    )]
    Statistics(String),
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
    /// Others count for its slot too, because there are more interfaces than slots.
    pub shared: bool,
    pub link: Link,
    pub ingress: Hook,
    pub egress: Hook,
    /// What was tried and refused, one line each.
    pub refusals: Vec<String>,
    /// False once it was deleted or moved away; its counts stay.
    pub alive: bool,
    /// Of a mirror port: what the host uses it for, as far as it was told.
    uses: Vec<String>,
    /// It is there, but can't be attached to: what was told of that.
    refused: Option<Refusal>,
}

pub struct Live {
    config: LiveConfig,
    kernel: Option<Kernel>,
    /// Why the kernel's programs can't be had at all.
    no_kernel: Option<String>,
    rings: Vec<Ring>,
    /// Of interfaces that are gone, with what was not read yet.
    gone_rings: Vec<Ring>,
    interfaces: Vec<Interface>,
    /// Of mirror ports, with the index of the interface.
    promiscuous: Vec<(u32, Promiscuous)>,
    statistics: Option<Statistics>,
    /// Of programs that others have taken over from.
    run_before: RunTime,
    /// Slots that there are.
    room: usize,
    left_out: Vec<Stacked>,
    all_gone: bool,
    /// Why the state of the interfaces is not known at present.
    trouble: Option<String>,
}

impl Live {
    pub fn open(choice: Choice, config: LiveConfig, now: Now) -> Result<Self, OpenError> {
        let room = slots::room(choice.links.len(), config.wanted.is_open());
        let mut live = Live {
            kernel: None,
            no_kernel: None,
            rings: Vec::new(),
            gone_rings: Vec::new(),
            interfaces: Vec::new(),
            promiscuous: Vec::new(),
            statistics: None,
            run_before: RunTime::default(),
            room,
            left_out: choice.left_out,
            all_gone: false,
            trouble: None,
            config,
        };
        if live.config.bpf_stats {
            live.statistics = Some(Statistics::enable().map_err(OpenError::Statistics)?);
        }
        live.load_kernel(room as u32, now)?;
        live.attach_first(choice.links)?;
        Ok(live)
    }

    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Meant by a pattern or by `any`, and not counted, because their packets are counted on others.
    pub fn left_out(&self) -> &[Stacked] {
        &self.left_out
    }

    /// How long the programs ran since the start; `None` where nobody measures it.
    pub fn run_time(&self) -> Option<RunTime> {
        self.statistics.as_ref()?;
        let mut sum = self.run_before;
        if let Some(kernel) = &self.kernel {
            sum += kernel.run_time();
        }
        Some(sum)
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
        } else if uses(&[AF_XDP]) {
            AF_XDP
        } else {
            AF_PACKET
        }
    }

    /// Whether the programs count on any interface: their counts take their time from the polls.
    pub fn counts_in_kernel(&self) -> bool {
        ![AF_PACKET, AF_XDP].contains(&self.backend())
    }

    /// What the sockets have got and lost so far, by the index of their interface.
    pub fn received(&self) -> impl Iterator<Item = (u32, RingStatistics)> {
        let rings = self.rings.iter();
        rings.map(|ring| (ring.ifindex(), ring.statistics()))
    }

    fn load_kernel(&mut self, slots: u32, now: Now) -> Result<(), OpenError> {
        if self.config.wish.backend == Backend::AfPacket {
            self.no_kernel = Some(self.config.wish.why_af_packet().to_owned());
            return Ok(());
        }
        if self.config.wish.backend == Backend::AfXdp {
            let needed = [privilege::EBPF, privilege::AF_PACKET].concat();
            if let Some(missing) = privilege::missing(&needed) {
                return Err(OpenError::Permission(missing));
            }
            self.no_kernel = Some("AF_XDP was asked for".to_owned());
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
        let role = role(self.config.mirror.as_deref());
        load_programs(role, (self.config.kernel_flows, slots), task, now)
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

    fn look_every(&self) -> i64 {
        match self.config.wish.backend {
            Backend::AfXdp if !self.is_idle() => arrival::LOOK_OFTEN,
            _ => super::LOOK_EVERY,
        }
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

/// What the programs do with the packets.
fn role(mirror: Option<&MirrorPort>) -> Role<'_> {
    match mirror {
        Some(mirror) => Role::Tap(mirror.home.as_ref()),
        None => Role::Host,
    }
}

/// `(flows, slots)`: how much room there should be.
fn load_programs(
    role: Role<'_>,
    (flows, slots): (u32, u32),
    task: Task<'_>,
    now: Now,
) -> Result<Kernel, String> {
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
        Kernel::load_as(role, size, task, now)
    };
    load().map_err(|error| first_line(&error))
}

fn finish_all(rings: &mut [Ring], delta: &mut Delta) -> Result<(), SourceError> {
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
