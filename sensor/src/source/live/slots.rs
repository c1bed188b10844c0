//! Places for interfaces in the tables: as many as there are, or, where more may come, as many as memory has room for.

use sensor_common::abi::Control;
use sensor_common::flow::MAX_SLOTS;

use crate::link::Link;
use crate::report::SHARED_SLOT;
use crate::source::Hook;
use crate::source::kernel::object::Cpus;
use crate::source::ladder::Hooks;

use super::watch::{Refusal, why};
use super::{Interface, Live, OpenError};

/// Of the totals in the kernel, where interfaces may come later.
const BUDGET: usize = 8 << 20;
/// Room for at least as many that come later.
const LEAST_SPARE: usize = 8;

/// Slots for `links` interfaces, and where more may come for those too.
pub(super) fn room(links: usize, open: bool) -> usize {
    let cpus = Cpus::read().map_or(1, |cpus| cpus.possible as usize);
    match open {
        true => spare(links, cpus),
        false => links,
    }
}

fn spare(links: usize, cpus: usize) -> usize {
    let each = 2 * size_of::<Control>() * cpus.max(1);
    (BUDGET / each).max(links + LEAST_SPARE).min(MAX_SLOTS)
}

impl Live {
    /// For one more interface. The last slot is for all that find no other.
    pub(super) fn free_slot(&self) -> u8 {
        let used = self.interfaces.iter().map(|one| usize::from(one.slot) + 1);
        let next = used.max().unwrap_or(0);
        u8::try_from(next.min(self.room.saturating_sub(1))).unwrap_or(u8::MAX)
    }

    pub(super) fn interface(&self, slot: u8, link: Link, hooks: Hooks) -> Interface {
        Interface {
            uses: self.uses(&link),
            slot,
            shared: self.config.wanted.is_open() && usize::from(slot) + 1 == self.room,
            link,
            ingress: hooks.ingress,
            egress: hooks.egress,
            refusals: hooks.refusals,
            alive: true,
            refused: None,
        }
    }

    /// One that nothing is attached to yet.
    pub(super) fn expected(&self, slot: u8, link: Link) -> Interface {
        let hooks = Hooks {
            ingress: Hook::default(),
            egress: Hook::default(),
            refusals: Vec::new(),
        };
        Interface {
            alive: false,
            ..self.interface(slot, link, hooks)
        }
    }

    /// One that can't be attached to at present.
    pub(super) fn refused_one(&self, slot: u8, link: Link, error: &OpenError) -> Interface {
        let hook = Hook {
            why: why(error),
            ..Hook::default()
        };
        Interface {
            refused: Some(Refusal::of(&link, error)),
            ingress: hook.clone(),
            egress: hook,
            ..self.expected(slot, link)
        }
    }
}

impl Interface {
    /// The name that its counts go by.
    pub fn counted_as(&self) -> &str {
        match self.shared {
            true => SHARED_SLOT,
            false => &self.link.name,
        }
    }

    /// Why it was never counted.
    pub fn never_counted(&self) -> Option<&str> {
        let never = !self.alive && self.ingress.name.is_none() && self.egress.name.is_none();
        never.then_some(&*self.ingress.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_later_interfaces_is_bounded_by_memory_and_by_the_key() {
        assert_eq!(room(3, false), 3);
        let bytes = |links, cpus| spare(links, cpus) * cpus * 2 * size_of::<Control>();
        assert!(spare(1, 2) > 32 && bytes(1, 2) <= BUDGET);
        assert_eq!(spare(5, 512), 5 + LEAST_SPARE);
        assert_eq!(spare(0, 1024), LEAST_SPARE);
        assert_eq!(spare(400, 2), MAX_SLOTS);
    }
}
