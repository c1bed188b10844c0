//! How questions of DNS fared: asked, answered, refused or left without an answer, and how long that took, by server and
//! by name. Counts of messages that were seen, which never touch those of packets.
//!
//! Bounded: [`MOST_SERVERS`] and [`MOST_NAMES`]; what finds no room counts in the whole all the same.

mod waits;

use std::collections::BTreeMap;
use std::net::IpAddr;

pub use self::waits::Waits;

pub const MOST_SERVERS: usize = 256;
/// Of at most 255 bytes each: a megabyte.
pub const MOST_NAMES: usize = 4096;

/// What one message tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub server: IpAddr,
    /// What was asked for, in lower case: some clients mix capitals in, so that answers are harder to forge.
    pub name: String,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// `again`: from the same port with the same number, before there was an answer.
    Question { again: bool },
    /// The first one to a question that was seen. `waited`: nanoseconds since it was first asked, where both have a time.
    Answer { code: u8, waited: Option<i64> },
    /// Its question was not seen.
    Unasked,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Without those that were asked again.
    pub questions: u64,
    pub again: u64,
    pub answered: u64,
    pub unasked: u64,
    /// Of the answered, by RCODE.
    codes: [u64; 16],
    /// Nanoseconds.
    pub slowest: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolving {
    all: (Tally, Waits),
    servers: BTreeMap<IpAddr, (Tally, Waits)>,
    names: BTreeMap<String, Tally>,
    nameless: u64,
}

impl Resolving {
    pub fn add(&mut self, heard: Heard) {
        add(&mut self.all, heard.what);
        if let Some(server) = room(&mut self.servers, heard.server, MOST_SERVERS) {
            add(server, heard.what);
        }
        match room(&mut self.names, heard.name, MOST_NAMES) {
            Some(name) => name.add(heard.what),
            None => self.nameless += u64::from(heard.what == What::Question { again: false }),
        }
    }

    /// Adds what was heard later.
    pub fn merge(&mut self, other: &Resolving) {
        merge(&mut self.all, &other.all);
        for (addr, theirs) in &other.servers {
            if let Some(ours) = room(&mut self.servers, *addr, MOST_SERVERS) {
                merge(ours, theirs);
            }
        }
        for (name, theirs) in &other.names {
            match room(&mut self.names, name.clone(), MOST_NAMES) {
                Some(ours) => ours.merge(theirs),
                None => self.nameless += theirs.questions,
            }
        }
        self.nameless += other.nameless;
    }

    pub fn is_empty(&self) -> bool {
        self.all.0 == Tally::default()
    }

    pub fn all(&self) -> &(Tally, Waits) {
        &self.all
    }

    pub fn servers(&self) -> &BTreeMap<IpAddr, (Tally, Waits)> {
        &self.servers
    }

    pub fn names(&self) -> &BTreeMap<String, Tally> {
        &self.names
    }

    /// Questions for names that found no room.
    pub fn nameless(&self) -> u64 {
        self.nameless
    }
}

impl Tally {
    fn add(&mut self, what: What) {
        match what {
            What::Question { again: false } => self.questions += 1,
            What::Question { again: true } => self.again += 1,
            What::Unasked => self.unasked += 1,
            What::Answer { code, waited } => {
                self.answered += 1;
                self.codes[usize::from(code & 15)] += 1;
                self.slowest = self.slowest.max(waited);
            }
        }
    }

    fn merge(&mut self, other: &Tally) {
        self.questions += other.questions;
        self.again += other.again;
        self.answered += other.answered;
        self.unasked += other.unasked;
        for (ours, theirs) in self.codes.iter_mut().zip(other.codes) {
            *ours += theirs;
        }
        self.slowest = self.slowest.max(other.slowest);
    }

    /// Questions without an answer so far. Of a period in which old ones were answered it may be too few, of the whole it
    /// is right.
    pub fn unanswered(&self) -> u64 {
        self.questions.saturating_sub(self.answered)
    }

    /// Answers that say anything else than "here it is", or "there is none of this kind".
    pub fn failed(&self) -> u64 {
        self.codes[1..].iter().sum()
    }

    /// By RCODE, those that occurred.
    pub fn codes(&self) -> impl Iterator<Item = (u8, u64)> {
        let numbered = (0..).zip(self.codes);
        numbered.filter(|(_, count)| *count > 0)
    }
}

/// The mnemonic of an RCODE in lower case (RFC 1035 and RFC 2136); of one that has none its number.
pub fn code_name(code: u8) -> String {
    const NAMES: [&str; 11] = [
        "noerror", "formerr", "servfail", "nxdomain", "notimp", "refused", "yxdomain", "yxrrset",
        "nxrrset", "notauth", "notzone",
    ];
    let name = NAMES.get(usize::from(code));
    name.map_or_else(|| format!("rcode-{code}"), |name| (*name).to_owned())
}

fn add((tally, waits): &mut (Tally, Waits), what: What) {
    tally.add(what);
    if let What::Answer {
        waited: Some(waited),
        ..
    } = what
    {
        waits.add(waited);
    }
}

fn merge(ours: &mut (Tally, Waits), theirs: &(Tally, Waits)) {
    ours.0.merge(&theirs.0);
    ours.1.merge(&theirs.1);
}

/// The entry, made if there is room for it.
fn room<K: Ord, V: Default>(map: &mut BTreeMap<K, V>, key: K, most: usize) -> Option<&mut V> {
    if map.len() >= most && !map.contains_key(&key) {
        return None;
    }
    Some(map.entry(key).or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(name: &str, what: What) -> Heard {
        let server = IpAddr::from([10, 0, 0, 53]);
        let name = name.into();
        Heard { server, name, what }
    }

    const ASKED: What = What::Question { again: false };

    #[test]
    fn parts_add_up_to_the_whole() {
        let answer = |code, ms: i64| What::Answer {
            code,
            waited: Some(ms * 1_000_000),
        };
        let story = [
            heard("a", ASKED),
            heard("a", answer(0, 4)),
            heard("b", ASKED),
            heard("b", What::Question { again: true }),
            heard("b", answer(2, 900)),
            heard("c", ASKED),
            heard("d", What::Unasked),
        ];
        let mut whole = Resolving::default();
        let mut parts = Resolving::default();
        for (place, one) in story.iter().enumerate() {
            whole.add(one.clone());
            let mut part = Resolving::default();
            part.add(one.clone());
            assert!(!part.is_empty(), "{place}");
            parts.merge(&part);
        }
        assert_eq!(parts, whole);
        let (tally, waits) = whole.all();
        assert_eq!((tally.questions, tally.again, tally.unasked), (3, 1, 1));
        assert_eq!(
            (tally.answered, tally.unanswered(), tally.failed()),
            (2, 1, 1)
        );
        assert_eq!(tally.codes().collect::<Vec<_>>(), [(0, 1), (2, 1)]);
        assert_eq!(waits.most(), Some(900_000_000));
        assert_eq!(whole.names()["b"].slowest, Some(900_000_000));
        assert_eq!(whole.names()["c"].unanswered(), 1);
    }

    #[test]
    fn what_finds_no_room_counts_in_the_whole() {
        let mut resolving = Resolving::default();
        for number in 0..2 * MOST_NAMES {
            resolving.add(heard(&number.to_string(), ASKED));
        }
        assert_eq!(resolving.names().len(), MOST_NAMES);
        assert_eq!(resolving.nameless(), MOST_NAMES as u64);
        assert_eq!(resolving.all().0.questions, 2 * MOST_NAMES as u64);
        let twice = resolving.clone();
        resolving.merge(&twice);
        assert_eq!(resolving.nameless(), 2 * MOST_NAMES as u64);
    }

    #[test]
    fn codes_have_names() {
        let names = [0, 2, 3, 5, 10, 11, 15].map(code_name);
        assert_eq!(
            names,
            [
                "noerror", "servfail", "nxdomain", "refused", "notzone", "rcode-11", "rcode-15"
            ]
        );
    }
}
