//! Interfaces that change under a run: deleted, made again, renamed.

use crate::link::{self, LinkError};
use crate::source::Event;
use crate::source::kernel::object::ObjectError;

use super::{Interface, Live, OpenError};

/// An interface that is there again and can't be attached to.
#[derive(PartialEq, Eq)]
pub(super) struct Refusal {
    ifindex: u32,
    why: String,
}

impl Live {
    /// What happened since the last call. Where the kernel does not answer, the next call tries again.
    pub(super) fn changes(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let mut trouble = None;
        for index in 0..self.interfaces.len() {
            if let Err(error) = self.look_after(index, &mut events) {
                trouble.get_or_insert(error.to_string());
            }
        }
        if let Some(what) = trouble.clone().filter(|_| self.trouble.is_none()) {
            events.push(Event::Trouble { what });
        }
        self.trouble = trouble;
        let gone = self.interfaces.iter().all(|interface| !interface.alive);
        if gone && !self.all_gone {
            events.push(Event::AllGone);
        }
        self.all_gone = gone;
        events
    }

    fn look_after(&mut self, index: usize, events: &mut Vec<Event>) -> Result<(), LinkError> {
        let interface = &mut self.interfaces[index];
        if !interface.alive {
            return self.try_again(index, events);
        }
        match link::by_index(interface.link.index)? {
            Some(link) if link.name == interface.link.name => Ok(()),
            Some(link) => {
                let from = std::mem::replace(&mut interface.link.name, link.name.clone());
                events.push(Event::Renamed {
                    from,
                    to: link.name,
                });
                Ok(())
            }
            None => {
                events.push(Event::Gone {
                    interface: interface.link.name.clone(),
                });
                if let Err(error) = self.let_go(index) {
                    events.push(Event::Trouble {
                        what: error.to_string(),
                    });
                }
                self.try_again(index, events)
            }
        }
    }

    fn let_go(&mut self, index: usize) -> Result<(), ObjectError> {
        let interface = &mut self.interfaces[index];
        interface.alive = false;
        let (gone, rings) = std::mem::take(&mut self.rings)
            .into_iter()
            .partition(|ring| ring.slot() == interface.slot);
        self.rings = rings;
        self.gone_rings.extend::<Vec<_>>(gone);
        match &mut self.kernel {
            Some(kernel) => kernel.let_go(interface.slot, interface.link.index),
            None => Ok(()),
        }
    }

    /// A gone interface's name is there again: attach to the new one, for the same slot.
    fn try_again(&mut self, index: usize, events: &mut Vec<Event>) -> Result<(), LinkError> {
        let (name, slot) = (
            self.interfaces[index].link.name.clone(),
            self.interfaces[index].slot,
        );
        let Some(link) = link::by_name(&name)? else {
            self.interfaces[index].refused = None;
            return Ok(());
        };
        let counted = |other: &Interface| other.alive && other.link.index == link.index;
        if self.interfaces.iter().any(counted) {
            return Ok(()); // another one of the run has taken the name
        }
        match self.attach(&link, slot) {
            Ok(hooks) => {
                let interface = Interface::new(slot, link, hooks);
                events.push(Event::Back {
                    interface: name,
                    how: interface.ingress.name.unwrap_or("nothing").to_owned(),
                });
                self.interfaces[index] = interface;
            }
            Err(error) => {
                let refusal = Refusal {
                    ifindex: link.index,
                    why: why(error),
                };
                let told = &mut self.interfaces[index].refused;
                if told.as_ref() != Some(&refusal) {
                    events.push(Event::Refused {
                        interface: name,
                        why: refusal.why.clone(),
                    });
                    *told = Some(refusal);
                }
            }
        }
        Ok(())
    }
}

fn why(error: OpenError) -> String {
    match error {
        OpenError::Interface { reasons, .. } => reasons.join("; "),
        OpenError::Permission(_) | OpenError::Programs(_) | OpenError::Filter(_) => {
            error.to_string()
        }
    }
}
