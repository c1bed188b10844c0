//! Passive DNS: what an address was asked for by, for as long as the answer holds.

use std::net::IpAddr;

use super::addresses;
use super::bounded::Bounded;
use super::ends::Addr;
use crate::names::{Name, NameSource};

/// Answers that name one address.
const EACH: usize = 8;
const SECOND: i64 = 1_000_000_000;
/// Answers are used for a moment even when they say that they must not be kept.
const LEAST_SECONDS: u32 = 5;
/// A flow may seem to begin this much before the answer that caused it: payloads from the kernel have the time of its
/// clock tick.
pub(super) const TICK: i64 = SECOND / 50;

#[derive(Clone, Debug)]
pub(super) struct Answers {
    by_address: Bounded<Addr, Vec<Answer>>,
    pub(super) put_out: u64,
}

#[derive(Clone, Debug)]
struct Answer {
    name: Name,
    /// Who asked; `None` if everybody hears the answer.
    client: Option<Addr>,
    from: i64,
    until: i64,
}

/// To whom and when an answer was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    /// `None` if everybody hears it.
    pub(super) client: Option<IpAddr>,
    /// Without a time it holds for ever.
    pub(super) at: Option<i64>,
    /// Seconds.
    pub(super) ttl: u32,
}

impl Answers {
    pub(super) fn new(most: usize) -> Self {
        Answers {
            by_address: Bounded::new(most),
            put_out: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }

    pub(super) fn add(&mut self, addr: IpAddr, (text, source): (&str, NameSource), given: Given) {
        if !addresses::can_be_named(addr) || text.is_empty() {
            return;
        }
        let Given { client, at, ttl } = given;
        let length = i64::from(ttl.max(LEAST_SECONDS)) * SECOND;
        let from = at.unwrap_or(i64::MIN);
        let until = at.map_or(i64::MAX, |at| at.saturating_add(length));
        let client = client.map(Addr::from);
        let (answers, out) = self.by_address.entry(addr.into());
        let mut gone = out.map_or(0, |(_, out)| still_good(&out, from));
        let text = addresses::cut(text);
        let same = answers.iter().position(|answer| {
            answer.client == client && answer.name.source == source && *answer.name.text == *text
        });
        let name = match same {
            Some(place) => answers.remove(place).name,
            None => addresses::name(text, source),
        };
        if answers.len() == EACH {
            gone += still_good(&answers[..1], from);
            answers.remove(0);
        }
        answers.push(Answer {
            name,
            client,
            from,
            until,
        });
        self.put_out += gone;
    }

    /// The name that the address was asked for by, if `other` asked or everybody heard the answer; lately rather than long
    /// ago. What others asked for says nothing of this one: many names share an address.
    pub(super) fn find(&self, addr: IpAddr, other: IpAddr, at: Option<i64>) -> Option<&Name> {
        let answers = self.by_address.get(&addr.into())?;
        let other = Some(Addr::from(other));
        // Only where none was there before: the flow was not caused by what came just after it.
        [0, TICK].into_iter().find_map(|early| {
            let good = |answer: &&Answer| at.is_none_or(|at| answer.holds(at, early));
            let mut heard = None;
            for answer in answers.iter().rev().filter(good) {
                if answer.client == other {
                    return Some(&answer.name);
                }
                if answer.client.is_none() {
                    heard = heard.or(Some(&answer.name));
                }
            }
            heard
        })
    }
}

impl Answer {
    /// `early`: how much before the answer a flow may seem to begin.
    fn holds(&self, at: i64, early: i64) -> bool {
        self.from.saturating_sub(early) <= at && at <= self.until
    }
}

fn still_good(answers: &[Answer], at: i64) -> u64 {
    answers.iter().filter(|answer| answer.until >= at).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn client(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn given(client: Option<IpAddr>, at: i64, ttl: u32) -> Given {
        let at = Some(at * SECOND);
        Given { client, at, ttl }
    }

    fn find(answers: &Answers, other: u8, at: i64) -> Option<&str> {
        let name = answers.find(SERVER, client(other), Some(at * SECOND))?;
        Some(&name.text)
    }

    #[test]
    fn an_answer_holds_as_long_as_it_says() {
        let mut answers = Answers::new(9);
        let mut add = |text, who, at: i64, ttl| {
            let name = (text, NameSource::Dns);
            answers.add(SERVER, name, given(Some(client(who)), at, ttl));
        };
        add("a", 1, 100, 60);
        add("b", 2, 110, 0);
        answers.add(SERVER, ("c", NameSource::Mdns), given(None, 110, 0));
        assert_eq!(find(&answers, 1, 99), None);
        assert_eq!(find(&answers, 1, 100), Some("a"));
        assert_eq!(find(&answers, 1, 112), Some("a")); // its own, though another's is newer
        assert_eq!(find(&answers, 2, 112), Some("b"));
        assert_eq!(find(&answers, 3, 112), Some("c")); // everybody heard it
        assert_eq!(find(&answers, 3, 116), None);
        assert_eq!(find(&answers, 1, 161), None);
        assert_eq!(answers.find(client(1), SERVER, None), None);
    }

    #[test]
    fn what_was_asked_before_goes_before_what_was_asked_just_after() {
        let mut answers = Answers::new(9);
        let mut add = |text, at| {
            let at = Some(at);
            let client = Some(client(1));
            let given = Given {
                client,
                at,
                ttl: 60,
            };
            answers.add(SERVER, (text, NameSource::Dns), given);
        };
        add("a", 9 * SECOND);
        add("b", 10 * SECOND);
        let find = |at| answers.find(SERVER, client(1), Some(at)).unwrap();
        assert_eq!(&*find(10 * SECOND - 1).text, "a");
        assert_eq!(&*find(10 * SECOND).text, "b");
        assert_eq!(&*find(9 * SECOND - TICK).text, "a");
    }

    #[test]
    fn what_has_no_time_holds_for_ever() {
        let mut answers = Answers::new(9);
        let name = ("a", NameSource::Mdns);
        let always = Given {
            client: None,
            at: None,
            ttl: 1,
        };
        answers.add(SERVER, name, always);
        assert_eq!(find(&answers, 1, 1 << 32), Some("a"));
        let at_the_end = Given {
            at: Some(i64::MAX),
            ttl: u32::MAX,
            ..always
        };
        answers.add(SERVER, ("b", NameSource::Dns), at_the_end);
        assert!(answers.find(SERVER, client(1), None).is_some());
    }

    #[test]
    fn answers_that_hold_are_counted_when_they_go() {
        let mut answers = Answers::new(2);
        for number in 0..10 {
            let text = format!("n{number}");
            let name = (text.as_str(), NameSource::Dns);
            answers.add(SERVER, name, given(None, number, 3600));
            answers.add(SERVER, name, given(None, number, 3600)); // again: no new one
        }
        assert_eq!(answers.put_out, 2);
        let name = ("x", NameSource::Dns);
        answers.add(client(1), name, given(None, 20, 1));
        answers.add(client(2), name, given(None, 20, 1));
        assert_eq!(answers.put_out, 10);
        answers.add(client(3), name, given(None, 60, 1)); // that of client 1 was over
        assert_eq!(answers.put_out, 10);
    }
}
