//! Reading a payload: which decoder is asked, and what becomes of its answer.
//!
//! A label is given once and stays, so a conversation whose first payload says only half of it (a ClientHello in two
//! segments, a request that wants another protocol) waits until the rest has come or nothing more will.

mod hosts;
mod leases;
mod quic;
mod segments;
mod tls;
mod unfinished;
mod web;

use sensor_common::application::Application::{self, *};
use sensor_common::flow::FlowKey;
use sensor_common::protocol::ip;

pub(super) use self::leases::Leases;
use self::quic::Quic as QuicHello;
use self::segments::Segments;
use self::unfinished::Open;
pub(super) use self::unfinished::Unfinished;
use super::conversations::Seen;
use super::ends::Ends;
use super::{Book, by_port, refine};
use crate::names::decode::expect;
use crate::names::decode::signature::identify;
use crate::names::{How, Label, Sample, Verdict};

/// In caches of what is waited for, with room for less than the others.
pub(super) const LEAST_WAITING: usize = 4096;

impl Open {
    /// The label of an announced flow. Anybody can announce any flow, so what its bytes prove goes before that; and of
    /// media, which may go to a relay that the control channel doesn't know, the bytes must at least look like them.
    fn weigh(
        &mut self,
        found: Option<Label>,
        announced: Application,
        sample: &Sample<'_>,
    ) -> Option<Label> {
        match found {
            // ICE asks whether the way is free before the media come.
            Some(label) if label.application == Stun && is_media(announced) => {
                self.way_free = Some(label);
                None
            }
            Some(label) => Some(label),
            None if self.waits() => None,
            None => fits(announced, sample).then(|| expected(announced)),
        }
    }
}

/// Protocols whose payloads ask for names and answer with addresses.
pub(super) fn asks_for_names(application: Application) -> bool {
    matches!(application, Dns | Mdns | Llmnr | NetbiosNs)
}

impl Book {
    pub(super) fn learn(&mut self, sample: &Sample<'_>) {
        let ends = Ends::of(&sample.key);
        let seen = self.conversations.touch(&ends);
        // Here too, for the answer may have come just after the flow's first packet.
        if sample.number == 0 && !seen.asked {
            self.name_as_asked(&ends, &sample.key, sample.at);
        }
        let mut verdict = seen.verdict;
        let announced = self.as_announced(&ends, seen, &sample.key, sample.at);
        let mut open = self.unfinished.take(&ends);
        if !sample.payload.is_empty() {
            let mut found = self.look(ends, sample, verdict, &mut open);
            if let Some(application) = announced {
                found = open.weigh(found, application, sample);
            }
            if verdict == Verdict::Undecided && found.is_some() {
                verdict = Verdict::Decided(found);
                self.conversations.decide(ends, verdict);
            }
            self.announcements(sample, verdict);
        }
        let waits = verdict == Verdict::Undecided && !open.is_empty() || open.is_begun();
        if waits && !sample.last {
            let out = self.unfinished.put(ends, sample.key.src_addr(), open);
            for (ends, open) in out.into_iter().flatten() {
                self.give_up_early(ends, open);
            }
            return;
        }
        self.unfinished.done(&ends, &open);
        if sample.last {
            let seen = Seen {
                verdict,
                announced,
                ..seen
            };
            self.give_up(ends, &sample.key, seen, open);
        }
    }

    /// For want of room.
    fn give_up_early(&mut self, ends: Ends, open: Open) {
        // Of clues alone nothing follows, and others may come.
        if open.says_something() {
            let seen = self.conversations.seen(&ends);
            self.give_up(ends, &ends.key(), seen, open);
        }
    }

    /// What the payload proves of its flow; its names are noted.
    fn look(
        &mut self,
        ends: Ends,
        sample: &Sample<'_>,
        verdict: Verdict,
        open: &mut Open,
    ) -> Option<Label> {
        let known = match verdict {
            Verdict::Decided(label) => label.map(|label| label.application),
            Verdict::Undecided => match open.pending {
                Some(label) => Some(label.application),
                None => identify(sample, &mut open.hints),
            },
        };
        if Segments::begin_in(sample) {
            open.head = None;
        }
        let Some(application) = known else {
            // Of a connection that began anew behind the same ports.
            let again = verdict != Verdict::Undecided
                && (open.hello.is_some() || Segments::begin_in(sample));
            if again {
                self.tls(ends, sample, open);
            } else {
                self.by_habit(ends, sample);
            }
            return None;
        };
        match application {
            Dtls | Coaps => return Some(self.dtls(ends, sample)),
            Quic | Http3 | Doq if verdict == Verdict::Undecided => {
                return self.quic(ends, sample, open);
            }
            Http | HttpProxy | Websocket if !Segments::begin_in(sample) => {
                return self.http(ends, sample, open);
            }
            Dhcp | Dhcpv6 => self.lease(sample, application),
            _ if refine::is_tls(application) => return self.tls(ends, sample, open),
            _ if asks_for_names(application) => self.questions(ends, sample, application),
            // A tunnel, or STARTTLS.
            _ if open.hello.is_some() || Segments::begin_in(sample) => {
                self.tls(ends, sample, open);
            }
            _ => {}
        }
        Some(payload(application))
    }

    /// Names in payloads that prove nothing alone, where the port says how to read them; and requests, which files hand
    /// over wherever they are.
    fn by_habit(&mut self, ends: Ends, sample: &Sample<'_>) {
        match by_port(&sample.key) {
            Some(habit) if asks_for_names(habit) => self.questions(ends, sample, habit),
            Some(habit @ (Dhcp | Dhcpv6)) => self.lease(sample, habit),
            _ if sample.key.protocol() == ip::TCP => self.late_request(ends, sample),
            _ => {}
        }
    }

    /// What a control channel says of flows to come.
    fn announcements(&mut self, sample: &Sample<'_>, verdict: Verdict) {
        let application = match verdict {
            Verdict::Decided(Some(label)) => Some(label.application),
            _ => by_port(&sample.key),
        };
        if let Some(control @ (Ftp | Sip | Rtsp)) = application {
            let announced = &mut self.announced;
            let ends = (sample.key.src_addr(), sample.key.dst_addr());
            expect::announced(sample, control, &mut |flow| {
                announced.add(&flow, ends, sample.at);
            });
        }
    }

    /// Nothing more will come of a flow: what there is must do.
    fn give_up(&mut self, ends: Ends, key: &FlowKey, seen: Seen, open: Open) {
        let mut label = open.otherwise();
        if let Some(hello) = open.hello {
            label = self.cut_hello(ends, key, &hello).or(label);
        }
        if let Some(hello) = open.quic {
            label = Some(self.quic_as_far(ends, key, &hello));
        }
        let announced = seen.announced.filter(|application| !is_media(*application));
        let label = label.or(announced.map(expected));
        if seen.verdict == Verdict::Undecided {
            self.conversations.decide(ends, Verdict::Decided(label));
        }
    }
}

fn is_media(application: Application) -> bool {
    matches!(application, Rtp | Rtcp)
}

/// Version 2 and the length of a header (RFC 3550); FTP's data may be anything.
fn fits(announced: Application, sample: &Sample<'_>) -> bool {
    let version = sample.payload.first().map(|byte| byte >> 6);
    match announced {
        Rtp => version == Some(2) && sample.payload_len >= 12,
        Rtcp => version == Some(2) && sample.payload_len >= 8,
        _ => true,
    }
}

fn expected(application: Application) -> Label {
    let how = How::Expectation;
    Label { application, how }
}

fn payload(application: Application) -> Label {
    let how = How::Payload;
    Label { application, how }
}
