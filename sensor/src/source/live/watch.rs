//! Interfaces that change under a run: deleted, made again, renamed, put below others; and new ones that are meant too.

use crate::link::wanted::Choice;
use crate::link::{self, Link, LinkError};
use crate::sandbox::capabilities;
use crate::source::Event;
use crate::source::kernel::object::ObjectError;

use super::{Interface, Live, OpenError};

/// An interface that is there and can't be attached to.
#[derive(PartialEq, Eq)]
pub(super) struct Refusal {
    ifindex: u32,
    why: String,
}

impl Refusal {
    pub(super) fn of(link: &Link, error: &OpenError) -> Self {
        Refusal {
            ifindex: link.index,
            why: why(error),
        }
    }
}

/// What is there: all of it where new interfaces may matter, else each is asked for.
struct Present(Option<(Vec<Link>, Choice)>);

impl Present {
    fn by_index(&self, index: u32) -> Result<Option<Link>, LinkError> {
        match &self.0 {
            Some((all, _)) => Ok(all.iter().find(|link| link.index == index).cloned()),
            None => link::by_index(index),
        }
    }

    /// To count on.
    fn by_name(&self, name: &str) -> Result<Option<Link>, LinkError> {
        match &self.0 {
            Some((_, choice)) => Ok(choice.links.iter().find(|link| link.name == name).cloned()),
            None => link::by_name(name),
        }
    }
}

impl Live {
    /// What happened since the last call. Where the kernel does not answer, the next call tries again.
    pub(super) fn changes(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let trouble = self
            .look_at_all(&mut events)
            .err()
            .map(|error| error.to_string());
        if let Some(what) = trouble.clone().filter(|_| self.trouble.is_none()) {
            events.push(Event::Trouble { what });
        }
        self.trouble = trouble;
        let gone = self.interfaces.iter().all(|interface| !interface.alive)
            && !self.config.wanted.is_open();
        if gone && !self.all_gone {
            events.push(Event::AllGone);
        }
        self.all_gone = gone;
        events
    }

    /// The first error; all others are looked at nevertheless.
    fn look_at_all(&mut self, events: &mut Vec<Event>) -> Result<(), LinkError> {
        let present = self.present()?;
        let mut result = Ok(());
        for index in 0..self.interfaces.len() {
            result = result.and(self.look_after(index, &present, events));
        }
        if let Some((_, choice)) = present.0 {
            self.follow(choice, events);
        }
        result.and(self.note_uses(events))
    }

    fn present(&self) -> Result<Present, LinkError> {
        if !self.config.wanted.is_open() {
            return Ok(Present(None));
        }
        let all = link::links()?;
        let choice = self.config.wanted.choose(&all);
        Ok(Present(Some((all, choice))))
    }

    fn look_after(
        &mut self,
        index: usize,
        present: &Present,
        events: &mut Vec<Event>,
    ) -> Result<(), LinkError> {
        let interface = &mut self.interfaces[index];
        if !interface.alive {
            return self.try_again(index, present, events);
        }
        match present.by_index(interface.link.index)? {
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
                self.let_go(index, events);
                self.try_again(index, present, events)
            }
        }
    }

    /// Takes in new interfaces that are meant, and lets those go that have come to stand on others.
    fn follow(&mut self, choice: Choice, events: &mut Vec<Event>) {
        for stacked in &choice.left_out {
            let counted = |one: &Interface| one.alive && one.link.index == stacked.ifindex;
            if let Some(index) = self.interfaces.iter().position(counted) {
                events.push(Event::LeftOut(stacked.clone()));
                self.let_go(index, events);
            }
        }
        self.left_out = choice.left_out;
        for link in choice.links {
            let known = |one: &Interface| match one.alive {
                true => one.link.index == link.index,
                false => one.link.name == link.name,
            };
            if !self.interfaces.iter().any(known) {
                self.take_in(link, events);
            }
        }
    }

    /// A new one: as one that never counted, until it does.
    fn take_in(&mut self, link: Link, events: &mut Vec<Event>) {
        let interface = self.expected(self.free_slot(), link.clone());
        // Of those that share a slot the gone ones are nobody any more.
        let gone = |one: &Interface| one.shared && !one.alive;
        let place = match interface.shared {
            true => self.interfaces.iter().position(gone),
            false => None,
        };
        let index = place.unwrap_or(self.interfaces.len());
        match place {
            Some(index) => self.interfaces[index] = interface,
            None => self.interfaces.push(interface),
        }
        self.attach_as(index, link, events);
    }

    fn let_go(&mut self, index: usize, events: &mut Vec<Event>) {
        if let Err(error) = self.detach(index) {
            let what = error.to_string();
            events.push(Event::Trouble { what });
        }
    }

    fn detach(&mut self, index: usize) -> Result<(), ObjectError> {
        let _raised = capabilities::raise();
        let interface = &mut self.interfaces[index];
        interface.alive = false;
        let (gone, rings) = std::mem::take(&mut self.rings)
            .into_iter()
            .partition(|ring| ring.ifindex() == interface.link.index);
        self.rings = rings;
        self.gone_rings.extend::<Vec<_>>(gone);
        self.promiscuous
            .retain(|(ifindex, _)| *ifindex != interface.link.index);
        match &mut self.kernel {
            Some(kernel) => kernel.let_go(interface.slot, interface.link.index),
            None => Ok(()),
        }
    }

    /// A gone interface's name is there again, or what refused us may do so no more.
    fn try_again(
        &mut self,
        index: usize,
        present: &Present,
        events: &mut Vec<Event>,
    ) -> Result<(), LinkError> {
        let Some(link) = present.by_name(&self.interfaces[index].link.name)? else {
            self.interfaces[index].refused = None;
            return Ok(());
        };
        let counted = |other: &Interface| other.alive && other.link.index == link.index;
        // Else another one of the run has taken the name.
        if !self.interfaces.iter().any(counted) {
            self.attach_as(index, link, events);
        }
        Ok(())
    }

    /// Attaches to what is there now, for the slot of what was or is expected, and tells it. A refusal is told once.
    fn attach_as(&mut self, index: usize, link: Link, events: &mut Vec<Event>) {
        let interface = link.name.clone();
        let before = &self.interfaces[index];
        let (slot, back) = (before.slot, before.never_counted().is_none());
        match self.attach(&link, slot) {
            Ok(hooks) => {
                self.interfaces[index] = self.interface(slot, link, hooks);
                let how = how(&self.interfaces[index]);
                events.push(match back {
                    true => Event::Back { interface, how },
                    false => Event::New { interface, how },
                });
            }
            Err(error) => {
                let refusal = Refusal::of(&link, &error);
                if self.interfaces[index].refused.as_ref() == Some(&refusal) {
                    return;
                }
                let why = refusal.why.clone();
                match back {
                    true => self.interfaces[index].refused = Some(refusal),
                    false => self.interfaces[index] = self.refused_one(slot, link, &error),
                }
                events.push(Event::Refused {
                    interface,
                    why,
                    back,
                });
            }
        }
    }
}

fn how(interface: &Interface) -> String {
    let name = interface.ingress.name.or(interface.egress.name);
    name.unwrap_or("nothing").to_owned()
}

pub(super) fn why(error: &OpenError) -> String {
    match error {
        OpenError::Interface { reasons, .. } => reasons.join("; "),
        OpenError::Permission(_)
        | OpenError::Statistics(_)
        | OpenError::Programs(_)
        | OpenError::Filter(_) => error.to_string(),
    }
}
