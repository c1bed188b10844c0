//! The filter of a live source: on every rung of the ladder, and another one while it runs.

use std::sync::Arc;

use crate::clock::Now;
use crate::counters::Delta;
use crate::filter::Matcher;
use crate::source::SourceError;
use crate::source::kernel::Kernel;
use crate::source::kernel::filter::KernelFilter;
use crate::source::starts_with_ip;

use super::Live;

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
    Source(#[from] SourceError),
}

impl Live {
    /// From now on this filter decides. What was counted under the one before, to the last packet, is in `delta` then.
    /// Gives what went wrong on the way and was mended.
    pub fn reload(
        &mut self,
        filter: Option<LiveFilter>,
        kernel_flows: u32,
        now: Now,
        delta: &mut Delta,
    ) -> Result<Vec<String>, ReloadError> {
        let before = std::mem::replace(&mut self.config.filter, filter);
        let flows_before = std::mem::replace(&mut self.config.kernel_flows, kernel_flows);
        let mut notes = Vec::new();
        if let Some(mut old) = self.kernel.take() {
            match self.replacement(&old, now) {
                Ok(new) => {
                    let new = self.kernel.insert(new);
                    let lost = new.take_over(&mut old);
                    new.begin(now);
                    // Nothing runs the old programs any more once this has waited for those that do.
                    let finished = old.finish(now, delta);
                    for (slot, refusal) in lost {
                        notes.extend(self.attach_again(slot, &refusal.to_string()));
                    }
                    finished?;
                }
                Err(error) => {
                    self.kernel = Some(old);
                    self.config.filter = before;
                    self.config.kernel_flows = flows_before;
                    return Err(error);
                }
            }
        }
        let matcher = self.matcher();
        for ring in &mut self.rings {
            ring.poll(delta);
            ring.set_filter(matcher.clone())
                .map_err(SourceError::from)?;
        }
        Ok(notes)
    }

    pub(super) fn matcher(&self) -> Option<Arc<Matcher>> {
        let filter = self.config.filter.as_ref()?;
        Some(Arc::clone(&filter.matcher))
    }

    /// Programs with the new filter, which know the interfaces that the old ones know.
    fn replacement(&self, old: &Kernel, now: Now) -> Result<Kernel, ReloadError> {
        if let Some(Err(why)) = self.config.filter.as_ref().map(|filter| &filter.kernel) {
            return Err(ReloadError::Undecidable(why.clone()));
        }
        let mut new = self
            .kernel(old.object.size.slots, now)
            .map_err(ReloadError::Programs)?;
        for interface in self.interfaces.iter().filter(|one| one.alive) {
            let in_kernel = interface.ingress.name != Some(super::AF_PACKET);
            if let Some(l3) = starts_with_ip(interface.link.arphrd)
                && in_kernel
            {
                new.object
                    .assign(interface.link.index, interface.slot, l3)
                    .map_err(|error| ReloadError::Programs(error.to_string()))?;
            }
        }
        Ok(new)
    }

    /// A hook could not be handed over: the interface is attached to anew, and the few packets in between are told of.
    fn attach_again(&mut self, slot: u8, why: &str) -> Option<String> {
        let index = self.interfaces.iter().position(|one| one.slot == slot)?;
        let link = self.interfaces[index].link.clone();
        if let Some(kernel) = &mut self.kernel {
            let _released = kernel.let_go(slot, link.index);
        }
        let name = link.name.clone();
        Some(match self.attach(&link, slot) {
            Ok(hooks) => {
                self.interfaces[index] = super::Interface::new(slot, link, hooks);
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
