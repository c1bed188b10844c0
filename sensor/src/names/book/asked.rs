//! Questions of DNS that were seen, so that nobody can answer what was never asked.

use super::bounded::Bounded;
use super::ends::{Addr, Ends};

/// After this nobody waits for the answer any more.
const PATIENCE: i64 = 10 * 1_000_000_000;

#[derive(Clone, Debug)]
pub(super) struct Asked {
    open: Bounded<(Ends, u16), Question>,
    /// Whose questions come by here.
    askers: Bounded<Addr, ()>,
    /// Until then answers may come to questions that had to go.
    lacks_until: Option<i64>,
    /// Answers that were not believed while there was no room for all questions.
    pub(super) put_out: u64,
}

#[derive(Clone, Debug, Default)]
struct Question {
    name: Box<str>,
    at: Option<i64>,
    /// When it was asked for the first time.
    since: Option<i64>,
    answered: bool,
}

/// How far an answer is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Belief {
    /// It was asked for.
    Asked,
    /// Of this client only answers are seen: they may have been asked for.
    Perhaps,
    /// The client asks, but not for this.
    Forged,
}

/// What is known of the question to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// Asked at that time for the first time, where it has one.
    Since(Option<i64>),
    Answered,
    Unknown,
}

impl Asked {
    pub(super) fn new(most: usize) -> Self {
        Asked {
            open: Bounded::new(most),
            askers: Bounded::new(most),
            lacks_until: None,
            put_out: 0,
        }
    }

    /// Whether the same was asked before, and nobody has answered since.
    pub(super) fn ask(
        &mut self,
        ends: Ends,
        client: impl Into<Addr>,
        (id, name): (u16, &str),
        at: Option<i64>,
    ) -> bool {
        self.askers.entry(client.into());
        let (question, out) = self.open.entry((ends, id));
        let is_same = *question.name == *name;
        let again = is_same && !name.is_empty() && question.waits(at);
        if !is_same {
            question.name = name.into();
        }
        if !again {
            question.since = at;
        }
        (question.at, question.answered) = (at, false);
        if out.is_some_and(|(_, out)| out.waits(at)) {
            let until = at.map_or(i64::MAX, |at| at.saturating_add(PATIENCE));
            self.lacks_until = Some(until);
        }
        again
    }

    pub(super) fn waiting(&self, ends: Ends, (id, name): (u16, &str)) -> Waiting {
        match self.open.get(&(ends, id)) {
            Some(question) if !question.name.eq_ignore_ascii_case(name) => Waiting::Unknown,
            Some(question) if question.answered => Waiting::Answered,
            Some(question) => Waiting::Since(question.since),
            None => Waiting::Unknown,
        }
    }

    /// An answer may come by several times, here and there: the question stays.
    pub(super) fn answer(
        &mut self,
        ends: Ends,
        client: impl Into<Addr>,
        (id, name): (u16, Option<&str>),
        at: Option<i64>,
    ) -> Belief {
        if self.askers.get(&client.into()).is_none() {
            return Belief::Perhaps;
        }
        let key = (ends, id);
        let asked = self.open.get(&key).zip(name);
        if !asked.is_some_and(|(question, name)| question.name.eq_ignore_ascii_case(name)) {
            let lacks = |until| at.is_none_or(|at| at <= until);
            self.put_out += u64::from(self.lacks_until.is_some_and(lacks));
            return Belief::Forged;
        }
        if let Some(question) = self.open.get_mut(&key) {
            question.answered = true;
        }
        Belief::Asked
    }
}

impl Question {
    fn waits(&self, now: Option<i64>) -> bool {
        let since = now
            .zip(self.at)
            .map_or(0, |(now, at)| now.saturating_sub(at));
        !self.answered && since <= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::super::ends::tests::flow;
    use super::*;

    fn ends(port: u16) -> Ends {
        Ends::of(&flow(&format!("10.0.0.1:{port}"), "10.0.0.53:53", 17))
    }

    #[test]
    fn only_what_was_asked_is_answered() {
        let client: IpAddr = "10.0.0.1".parse().unwrap();
        let mut asked = Asked::new(4096);
        let answer = |asked: &mut Asked, port, id, name| {
            asked.answer(ends(port), client, (id, name), Some(9))
        };
        assert_eq!(answer(&mut asked, 7, 1, Some("a")), Belief::Perhaps);
        asked.ask(ends(7), client, (1, "a.Example"), Some(0));
        assert_eq!(answer(&mut asked, 7, 1, Some("a.exAmple")), Belief::Asked);
        assert_eq!(answer(&mut asked, 7, 1, Some("a.example")), Belief::Asked);
        for (port, id, name) in [
            (8, 1, Some("a.example")),
            (7, 2, Some("a.example")),
            (7, 1, Some("b.example")),
            (7, 1, None),
        ] {
            assert_eq!(answer(&mut asked, port, id, name), Belief::Forged);
        }
        let other: IpAddr = "10.0.0.2".parse().unwrap();
        let belief = asked.answer(ends(7), other, (1, Some("x")), None);
        assert_eq!(belief, Belief::Perhaps);
    }

    #[test]
    fn open_questions_are_bounded_and_counted() {
        let client: IpAddr = "10.0.0.1".parse().unwrap();
        let mut asked = Asked::new(4096);
        for id in 0..30_000 {
            asked.ask(ends(7), client, (id, "a"), Some(0));
        }
        assert_eq!((asked.open.len(), asked.put_out), (4096, 0));
        let mut gone = 0;
        for id in 0..30_000 {
            let belief = asked.answer(ends(7), client, (id, Some("a")), Some(PATIENCE));
            gone += u64::from(belief == Belief::Forged);
        }
        assert_eq!((asked.put_out, gone), (gone, 30_000 - 4096));
        asked.answer(ends(7), client, (0, Some("x")), Some(PATIENCE + 1));
        assert_eq!(asked.put_out, gone);
        // Those that were answered may go.
        let mut asked = Asked::new(4096);
        for id in 0..30_000 {
            asked.ask(ends(7), client, (id, "a"), Some(0));
            asked.answer(ends(7), client, (id, Some("a")), Some(0));
        }
        asked.answer(ends(7), client, (0, Some("a")), Some(0));
        assert_eq!(asked.put_out, 0);
    }
}
