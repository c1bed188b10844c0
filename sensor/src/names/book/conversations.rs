//! What is known of each conversation.

use std::sync::Arc;

use sensor_common::application::Application;

use super::addresses;
use super::bounded::Bounded;
use super::ends::Ends;
use crate::names::{FlowInfo, Http, Name, NameSource, Tls, Verdict};

#[derive(Clone, Debug)]
pub(super) struct Conversations {
    known: Bounded<Ends, Known>,
    /// Of any of them more is known than its label, or was.
    informed: bool,
    pub(super) put_out: u64,
}

#[derive(Clone, Debug, Default)]
struct Known {
    seen: Seen,
    /// Apart, because most have none and each report's book is a copy.
    info: Option<Arc<FlowInfo>>,
    /// When it was counted for the first time.
    counted: Option<i64>,
}

/// What decides what is to be done with its next packet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) verdict: Verdict,
    /// A name was found for it among the answers.
    pub(super) asked: bool,
    /// What another flow said that it would be.
    pub(super) announced: Option<Application>,
}

/// What is counted again after this has a second chance when room must be made: it goes on, and its first payloads, which
/// told what it is, won't come again.
const AGAIN: i64 = 1_000_000_000;

impl Conversations {
    pub(super) fn new(most: usize) -> Self {
        Conversations {
            known: Bounded::new(most),
            informed: false,
            put_out: 0,
        }
    }

    pub(super) fn verdict(&self, ends: &Ends) -> Verdict {
        self.known
            .get(ends)
            .map_or(Verdict::Undecided, |known| known.seen.verdict)
    }

    pub(super) fn info(&self, ends: &Ends) -> Option<&Arc<FlowInfo>> {
        match self.informed {
            true => self.known.get(ends)?.info.as_ref(),
            false => None,
        }
    }

    pub(super) fn seen(&self, ends: &Ends) -> Seen {
        let known = self.known.get(ends);
        known.map_or(Seen::default(), |known| known.seen)
    }

    /// The conversation won't be the next to go out.
    pub(super) fn touch(&mut self, ends: &Ends) -> Seen {
        let known = self.known.get_mut(ends);
        known.map_or(Seen::default(), |known| known.seen)
    }

    /// As [`Self::touch`], of a conversation that is counted.
    pub(super) fn counted(&mut self, ends: &Ends, at: Option<i64>) -> Seen {
        let Some(known) = self.known.get_mut(ends) else {
            return Seen::default();
        };
        let first = *known.counted.get_or_insert(at.unwrap_or(i64::MAX));
        let again = at.is_some_and(|at| at.saturating_sub(first) >= AGAIN);
        let seen = known.seen;
        if again && known.says_something() {
            self.known.keep(ends);
        }
        seen
    }

    /// Unless it is decided already.
    pub(super) fn decide(&mut self, ends: Ends, verdict: Verdict) {
        let known = self.entry(ends);
        if known.seen.verdict == Verdict::Undecided {
            known.seen.verdict = verdict;
        }
    }

    pub(super) fn announce(&mut self, ends: Ends, application: Application) {
        self.entry(ends).seen.announced = Some(application);
    }

    pub(super) fn name(&mut self, ends: Ends, text: &str, source: NameSource) {
        addresses::add_first(&mut self.informed(ends).info_mut().names, text, source);
    }

    /// The name by which the server was asked for just before.
    pub(super) fn name_as_asked(&mut self, ends: Ends, name: &Name) {
        let known = self.informed(ends);
        known.seen.asked = true;
        addresses::add_first(&mut known.info_mut().names, &name.text, name.source);
    }

    pub(super) fn tls(&mut self, ends: Ends) -> &mut Tls {
        Arc::make_mut(self.informed(ends).info_mut().tls.get_or_insert_default())
    }

    pub(super) fn http(&mut self, ends: Ends) -> &mut Http {
        Arc::make_mut(self.informed(ends).info_mut().http.get_or_insert_default())
    }

    pub(super) fn restore(&mut self, ends: Ends, info: Arc<FlowInfo>) {
        self.informed(ends).info = Some(info);
    }

    /// The entry of a conversation of which more is known than its label.
    fn informed(&mut self, ends: Ends) -> &mut Known {
        self.informed = true;
        self.entry(ends)
    }

    fn entry(&mut self, ends: Ends) -> &mut Known {
        let (known, out) = self.known.entry(ends);
        self.put_out += u64::from(out.is_some_and(|(_, out)| out.says_something()));
        known
    }
}

impl Known {
    fn info_mut(&mut self) -> &mut FlowInfo {
        Arc::make_mut(self.info.get_or_insert_default())
    }

    fn says_something(&self) -> bool {
        let labelled = matches!(self.seen.verdict, Verdict::Decided(Some(_)));
        labelled || self.info.as_ref().is_some_and(|info| !info.is_nothing())
    }
}

#[cfg(test)]
mod tests {
    use super::super::ends::tests::flow;
    use super::*;
    use crate::names::{How, Label};

    fn ends(port: u16) -> Ends {
        Ends::of(&flow(&format!("10.0.0.1:{port}"), "10.0.0.2:80", 6))
    }

    #[test]
    fn only_what_says_something_is_counted_when_it_goes() {
        let mut conversations = Conversations::new(2);
        let label = Label {
            application: Application::Ssh,
            how: How::Payload,
        };
        conversations.decide(ends(1), Verdict::Decided(Some(label)));
        conversations.name(ends(2), "name", NameSource::Sni);
        conversations.decide(ends(3), Verdict::Decided(None));
        assert_eq!(conversations.put_out, 1);
        conversations.decide(ends(4), Verdict::Decided(None));
        conversations.decide(ends(5), Verdict::Decided(None));
        assert_eq!(conversations.put_out, 2);
        assert_eq!(conversations.verdict(&ends(1)), Verdict::Undecided);
        assert!(conversations.info(&ends(2)).is_none());
    }

    #[test]
    fn what_goes_on_outlives_what_comes_once() {
        let mut conversations = Conversations::new(3);
        conversations.name(ends(1), "name", NameSource::Sni);
        conversations.name(ends(2), "name", NameSource::Sni);
        conversations.decide(ends(3), Verdict::Decided(None));
        for port in 1..=3 {
            conversations.counted(&ends(port), Some(7));
            conversations.counted(&ends(port), Some(8)); // the other way of it
        }
        for port in [1, 3] {
            conversations.counted(&ends(port), Some(7 + AGAIN));
        }
        for port in 4..=6 {
            conversations.name(ends(port), "name", NameSource::Sni);
        }
        assert!(conversations.info(&ends(1)).is_some());
        for gone in [2, 3, 4] {
            assert!(conversations.info(&ends(gone)).is_none(), "{gone}");
        }
    }

    #[test]
    fn a_verdict_is_final() {
        let mut conversations = Conversations::new(2);
        conversations.decide(ends(1), Verdict::Decided(None));
        let label = Label {
            application: Application::Ssh,
            how: How::Payload,
        };
        conversations.decide(ends(1), Verdict::Decided(Some(label)));
        assert_eq!(conversations.verdict(&ends(1)), Verdict::Decided(None));
    }
}
