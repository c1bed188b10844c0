//! Mirror ports that the host comes to use while they are counted: it would wonder why nothing arrives there.

use crate::link::{self, Link, LinkError};
use crate::source::{Event, mirror};

use super::{AF_PACKET, Live};

impl Live {
    /// What the interface is used for on this host; asked of mirror ports only.
    pub(super) fn uses(&self, link: &Link) -> Vec<String> {
        match self.config.mirror {
            Some(_) => mirror::uses(link).unwrap_or_default(),
            None => Vec::new(),
        }
    }

    /// Each use is told once.
    pub(super) fn note_uses(&mut self, events: &mut Vec<Event>) -> Result<(), LinkError> {
        if self.config.mirror.is_none() {
            return Ok(());
        }
        let takes_away = |name: Option<&str>| name != Some(AF_PACKET);
        for interface in &mut self.interfaces {
            if !interface.alive || !takes_away(interface.ingress.name) {
                continue;
            }
            let Some(link) = link::by_index(interface.link.index)? else {
                continue;
            };
            let mut new = mirror::uses(&link)?;
            new.retain(|one| !interface.uses.contains(one));
            if !new.is_empty() {
                interface.uses.extend(new.iter().cloned());
                events.push(Event::Used {
                    interface: link.name,
                    by: new.join("; "),
                });
            }
        }
        Ok(())
    }
}
