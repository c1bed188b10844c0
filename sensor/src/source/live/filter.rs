//! The filter of a live source: on every rung of the ladder, and another one while it runs.

use std::sync::Arc;
use std::time::Duration;

use sensor_common::flow::HashSeeds;

use crate::clock::Now;
use crate::counters::Delta;
use crate::filter::Matcher;
use crate::sandbox::capabilities;
use crate::source::af_packet::RingError;
use crate::source::kernel::filter::KernelFilter;
use crate::source::kernel::object::Task;
use crate::source::kernel::{Kernel, Programs};
use crate::source::ladder;
use crate::source::mirror::MirrorPort;
use crate::source::starts_with_ip;

use super::{Interface, Live, asks_for_tags, first_line};

/// A block of a packet ring is handed out at the latest by then.
pub const SETTLED: Duration = Duration::from_millis(300);

/// The packet part of a filter.
#[derive(Clone)]
pub struct LiveFilter {
    /// For packet sockets.
    pub matcher: Arc<Matcher>,
    /// For the kernel's programs, or which part they can't decide, and why.
    pub kernel: Result<KernelFilter, String>,
}

/// Why another filter can't be had; the one before stays in force.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error(
        "the kernel's programs can't decide the filter: {0}; start again with --backend af-packet"
    )]
    Undecidable(String),
    #[error("the kernel's programs can't be loaded with the filter: {0}")]
    Programs(String),
    #[error(transparent)]
    Ring(#[from] RingError),
}

/// What another filter takes to get ready. It may take seconds, on a thread of its own, while counting goes on.
pub struct Preparation {
    filter: Option<LiveFilter>,
    kernel_flows: u32,
    seeds: HashSeeds,
    samples: bool,
    mirror: Option<Arc<MirrorPort>>,
    /// The programs in use, and slots.
    kernel: Option<(Programs, u32)>,
}

/// Ready to be switched to: nothing that may fail is left but what can be mended.
pub struct Prepared {
    filter: Option<LiveFilter>,
    kernel_flows: u32,
    kernel: Option<Kernel>,
}

/// Another filter is in force.
pub struct Switched {
    /// Packets since then are in what is polled next.
    pub at: Now,
    /// What went wrong, and what became of it.
    pub notes: Vec<String>,
}

impl Preparation {
    pub fn run(self) -> Result<Prepared, ReloadError> {
        let _raised = capabilities::raise();
        let kernel = match &self.kernel {
            Some((programs, slots)) => Some(self.programs(programs, *slots)?),
            None => None,
        };
        Ok(Prepared {
            filter: self.filter,
            kernel_flows: self.kernel_flows,
            kernel,
        })
    }

    fn programs(&self, programs: &Programs, slots: u32) -> Result<Kernel, ReloadError> {
        let filter = match self.filter.as_ref().map(|filter| &filter.kernel) {
            Some(Err(why)) => return Err(ReloadError::Undecidable(why.clone())),
            Some(Ok(filter)) => Some(filter),
            None => None,
        };
        let room = (self.kernel_flows, slots);
        let role = super::role(self.mirror.as_deref());
        let task = Task {
            seeds: &self.seeds,
            filter,
            samples: self.samples,
        };
        let mut kernel =
            super::load_programs(role, room, task, Now::read()).map_err(ReloadError::Programs)?;
        kernel
            .prepare_for(programs)
            .map_err(|error| ReloadError::Programs(first_line(&error)))?;
        Ok(kernel)
    }
}

impl Live {
    /// Begins to get another filter ready. Packets are kept as long as both filters want them from now on; a packet that
    /// was cut shorter leaves the rings within [`SETTLED`].
    pub fn prepare(
        &self,
        filter: Option<LiveFilter>,
        kernel_flows: u32,
    ) -> Result<Preparation, ReloadError> {
        if let Some(why) = self.hidden_tags(filter.as_ref()) {
            return Err(ReloadError::Undecidable(why));
        }
        let matcher = filter.as_ref().map(|filter| &*filter.matcher);
        for ring in &self.rings {
            ring.widen(matcher)?;
        }
        let kernel = self.kernel.as_ref().map(|kernel| {
            let slots = kernel.object.size.slots;
            (kernel.programs(), slots)
        });
        Ok(Preparation {
            filter,
            kernel_flows,
            seeds: self.config.seeds,
            samples: self.config.samples,
            mirror: self.config.mirror.clone(),
            // Programs that nothing is attached to have no say.
            kernel: kernel.filter(|(programs, _)| !programs.is_empty()),
        })
    }

    /// From now on the filter decides that was prepared. What was counted under the one before, to the last packet, is in
    /// `delta` then.
    pub fn switch(&mut self, prepared: Prepared, delta: &mut Delta) -> Switched {
        let _raised = capabilities::raise();
        self.config.filter = prepared.filter;
        self.config.kernel_flows = prepared.kernel_flows;
        let mut notes = Vec::new();
        let old = self.kernel.take();
        self.kernel = prepared.kernel;
        let mut lost = Vec::new();
        if let Some(mut old) = old {
            lost = self.take_over(&mut old, &mut notes);
            let at = Now::read();
            if let Some(new) = &mut self.kernel {
                new.begin(at);
            }
            self.run_before += old.run_time();
            // Nothing runs the old programs any more once this has waited for those that do.
            let finished = old.finish(at, delta);
            if let Some(new) = &mut self.kernel {
                new.succeed(&mut old);
            }
            if let Err(error) = finished {
                notes.push(format!(
                    "the counts before the switch can't be read: {error}"
                ));
            }
        }
        if self.kernel.is_none() {
            let why = "no interface was counted by programs when the filter changed";
            self.no_kernel.get_or_insert_with(|| why.to_owned());
        }
        let matcher = self.matcher();
        for ring in &mut self.rings {
            ring.poll(delta);
            if let Err(error) = ring.set_filter(matcher.clone()) {
                notes.push(format!("the ring keeps packets as before: {error}"));
            }
        }
        let at = Now::read();
        for (ifindex, why) in lost {
            notes.extend(self.attach_again(ifindex, &why));
        }
        Switched { at, notes }
    }

    /// An interface that XDP counts and on which XDP sees no tags, if the filter asks for tags.
    fn hidden_tags(&self, filter: Option<&LiveFilter>) -> Option<String> {
        if !asks_for_tags(filter) {
            return None;
        }
        let on_xdp = |one: &&Interface| one.alive && one.ingress.name == Some("xdp");
        self.interfaces.iter().filter(on_xdp).find_map(|one| {
            let why = ladder::hides_tags(&one.link)?;
            Some(format!("{}: {why}", one.link.name))
        })
    }

    pub(super) fn matcher(&self) -> Option<Arc<Matcher>> {
        let filter = self.config.filter.as_ref()?;
        Some(Arc::clone(&filter.matcher))
    }

    /// Hands the hooks of `old` over to the new programs. Gives the interfaces that were lost on the way, each once, and
    /// why.
    fn take_over(&mut self, old: &mut Kernel, notes: &mut Vec<String>) -> Vec<(u32, String)> {
        let Some(new) = &mut self.kernel else {
            return Vec::new();
        };
        for interface in self.interfaces.iter().filter(|one| one.alive) {
            let in_kernel =
                ![Some(super::AF_PACKET), Some(super::AF_XDP)].contains(&interface.ingress.name);
            if let Some(l3) = starts_with_ip(interface.link.arphrd)
                && in_kernel
                && let Err(error) = new.object.assign(interface.link.index, interface.slot, l3)
            {
                notes.push(format!("{}: {error}", interface.link.name));
            }
        }
        let mut lost: Vec<(u32, String)> = Vec::new();
        for (ifindex, refusal) in new.take_over(old) {
            if lost.iter().all(|(known, _)| *known != ifindex) {
                lost.push((ifindex, first_line(&refusal)));
            }
        }
        lost
    }

    /// A hook could not be handed over: the interface is attached to anew, and the few packets in between are told of.
    fn attach_again(&mut self, ifindex: u32, why: &str) -> Option<String> {
        let counted = |one: &Interface| one.alive && one.link.index == ifindex;
        let index = self.interfaces.iter().position(counted)?;
        let (slot, link) = (
            self.interfaces[index].slot,
            self.interfaces[index].link.clone(),
        );
        if let Some(kernel) = &mut self.kernel {
            let _released = kernel.let_go(slot, link.index);
        }
        let name = link.name.clone();
        Some(match self.attach(&link, slot) {
            Ok(hooks) => {
                self.interfaces[index] = self.interface(slot, link, hooks);
                format!(
                    "{name}: {why}; attached anew, packets between the two filters were not counted"
                )
            }
            Err(error) => {
                self.interfaces[index].alive = false;
                format!("{name}: {why}; it is not counted any more: {error}")
            }
        })
    }
}
