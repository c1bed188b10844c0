//! DNS and its kin: the names that a flow asks for, and what the answers say of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sensor_common::application::Application;
use sensor_common::protocol::ip;

use super::super::Book;
use super::super::answers::Given;
use super::super::asked::{Belief, Waiting};
use super::super::ends::Ends;
use crate::names::decode::dns::{self, Data, End, Message, Record};
use crate::names::resolving::{Heard, What};
use crate::names::{NameSource, Sample};

/// Messages of one TCP segment.
const MESSAGES: usize = 16;
/// Names that a chain of CNAMEs leads over.
const CHAIN: usize = 16;

impl Book {
    pub(super) fn questions(&mut self, ends: Ends, sample: &Sample<'_>, application: Application) {
        if sample.key.protocol() != ip::TCP {
            if let Some(message) = datagram(sample, application) {
                self.take_message(ends, sample, application, &message);
            }
            return;
        }
        let mut rest = sample.payload;
        for _ in 0..MESSAGES {
            let Some((len, behind)) = rest.split_first_chunk::<2>() else {
                return;
            };
            let len = usize::from(u16::from_be_bytes(*len));
            let bytes = &behind[..len.min(behind.len())];
            // A segment may as well be the middle of a message.
            if !dns::is_plausible(bytes, len) {
                return;
            }
            if let Some(message) = dns::message(bytes) {
                self.take_message(ends, sample, application, &message);
            }
            rest = &behind[bytes.len()..];
        }
    }

    pub(super) fn take_message(
        &mut self,
        ends: Ends,
        sample: &Sample<'_>,
        application: Application,
        message: &Message,
    ) {
        let source = match application {
            Application::Mdns => NameSource::Mdns,
            Application::Llmnr => NameSource::Llmnr,
            Application::NetbiosNs => NameSource::Netbios,
            _ => NameSource::Dns,
        };
        for question in &message.questions {
            if !matches!(question.name.as_str(), "." | "*") {
                self.conversations.name(ends, &question.name, source);
            }
        }
        if source == NameSource::Dns {
            self.take_answers(ends, sample, message);
            return;
        }
        // A host that takes a NetBIOS name says so in a request.
        let tells = message.response || source == NameSource::Netbios;
        if tells && message.code == 0 {
            for record in &message.records {
                self.take_record(sample, record, (&record.name, source));
            }
        }
    }

    /// Of DNS itself, where only one is asked, and only that one may answer.
    fn take_answers(&mut self, ends: Ends, sample: &Sample<'_>, message: &Message) {
        let asked = message.questions.first().map(|asked| asked.name.as_str());
        if !message.response {
            if let Some(asked) = asked {
                let client = sample.key.src_addr();
                let again = self.asked.ask(ends, client, (message.id, asked), sample.at);
                let server = sample.key.dst_addr();
                self.hear(server, asked, What::Question { again });
            }
            return;
        }
        self.hear_answer(ends, sample, message);
        let client = sample.key.dst_addr();
        let belief = self
            .asked
            .answer(ends, client, (message.id, asked), sample.at);
        if belief == Belief::Forged || message.code != 0 {
            return;
        }
        let chain = asked.map_or(Vec::new(), |asked| chain(asked, &message.records));
        for (number, record) in message.records.iter().enumerate() {
            let is_asked = chain.iter().any(|name| same(name, &record.name));
            if belief == Belief::Perhaps && !(is_asked && number < message.answers) {
                continue;
            }
            let name = match asked {
                Some(asked) if is_asked => asked,
                _ => &record.name,
            };
            self.take_record(sample, record, (name, NameSource::Dns));
        }
    }

    /// Before it is noted that the question has an answer.
    fn hear_answer(&mut self, ends: Ends, sample: &Sample<'_>, message: &Message) {
        let Some(asked) = message.questions.first() else {
            return; // some servers leave out the question where they refuse it
        };
        let asked = &asked.name;
        let what = match self.asked.waiting(ends, (message.id, asked)) {
            Waiting::Since(since) => What::Answer {
                code: message.code,
                waited: sample
                    .at
                    .zip(since)
                    .map(|(at, since)| at.saturating_sub(since)),
            },
            Waiting::Answered => return,
            Waiting::Unknown => What::Unasked,
        };
        self.hear(sample.key.src_addr(), asked, what);
    }

    fn hear(&mut self, server: IpAddr, name: &str, what: What) {
        let name = name.to_ascii_lowercase();
        self.heard.push(Heard { server, name, what });
    }

    /// `name`: the one that was asked for, if the record answers that; else the record's own.
    fn take_record(&mut self, sample: &Sample<'_>, record: &Record, name: (&str, NameSource)) {
        match &record.data {
            Data::Address(addr) => {
                self.addresses.name(*addr, name.0, name.1);
                let client = (name.1 == NameSource::Dns).then(|| sample.key.dst_addr());
                let given = Given {
                    client,
                    at: sample.at,
                    ttl: record.ttl,
                };
                self.answers.add(*addr, name, given);
            }
            Data::Pointer(host) => {
                if let Some(addr) = reversed(&record.name).or_else(|| reversed(name.0)) {
                    self.addresses.name(addr, host, name.1);
                }
            }
            Data::Cname(_) => {}
        }
    }
}

/// The message, if it fits its datagram; of one that is damaged nothing can be believed, and anything may come by on a
/// port.
fn datagram(sample: &Sample<'_>, application: Application) -> Option<Message> {
    let wire_len = sample.payload_len as usize;
    let message = match application {
        Application::NetbiosNs => dns::netbios(sample.payload),
        Application::Dns if !dns::is_plausible(sample.payload, wire_len) => None,
        _ => dns::message(sample.payload),
    }?;
    let sound = match message.end {
        End::Whole | End::Full => true,
        End::Cut => sample.payload.len() < wire_len,
        End::Damaged => false,
    };
    sound.then_some(message)
}

/// The name that was asked for and those that it stands for, in whichever order the records are.
fn chain<'a>(asked: &'a str, records: &'a [Record]) -> Vec<&'a str> {
    let mut names = vec![asked];
    let mut at = 0;
    while let Some(&name) = names.get(at) {
        at += 1;
        for record in records {
            let Data::Cname(other) = &record.data else {
                continue;
            };
            let is_new = !names.iter().any(|one| same(one, other));
            if names.len() < CHAIN && same(name, &record.name) && is_new {
                names.push(other);
            }
        }
    }
    names
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// The address of `1.2.0.192.in-addr.arpa` and of its long brother under `ip6.arpa`.
fn reversed(name: &str) -> Option<IpAddr> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if let Some(digits) = without_end(name, ".in-addr.arpa") {
        let mut bits = 0_u32;
        let mut parts = 0;
        for part in digits.rsplit('.') {
            bits = bits.checked_mul(256)? | u32::from(part.parse::<u8>().ok()?);
            parts += 1;
        }
        return (parts == 4).then_some(Ipv4Addr::from_bits(bits).into());
    }
    let digits = without_end(name, ".ip6.arpa")?;
    let mut bits = 0_u128;
    let mut parts = 0;
    for part in digits.rsplit('.') {
        let digit = (part.len() == 1).then(|| u8::from_str_radix(part, 16).ok())??;
        bits = bits << 4 | u128::from(digit);
        parts += 1;
    }
    (parts == 32).then_some(Ipv6Addr::from_bits(bits).into())
}

fn without_end<'a>(name: &'a str, end: &str) -> Option<&'a str> {
    let (head, tail) = name.split_at_checked(name.len().checked_sub(end.len())?)?;
    same(tail, end).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cname(name: &str, to: &str) -> Record {
        Record {
            name: name.into(),
            ttl: 1,
            data: Data::Cname(to.into()),
        }
    }

    #[test]
    fn chains_end() {
        let records = [
            cname("b", "c"),
            cname("A", "b"),
            cname("c", "a"),
            cname("x", "y"),
        ];
        assert_eq!(chain("a", &records), ["a", "b", "c"]);
        let long: Vec<Record> = (0..100)
            .map(|number| cname(&number.to_string(), &(number + 1).to_string()))
            .collect();
        assert_eq!(chain("0", &long).len(), CHAIN);
    }

    #[test]
    fn reversed_names_are_addresses() {
        let addr = |text: &str| Some(text.parse().unwrap());
        assert_eq!(reversed("1.2.0.192.in-addr.arpa"), addr("192.0.2.1"));
        assert_eq!(reversed("1.2.0.192.IN-ADDR.ARPA."), addr("192.0.2.1"));
        let zeros = "0.".repeat(23);
        let name = format!("1.{zeros}8.b.d.0.1.0.0.2.ip6.arpa");
        assert_eq!(reversed(&name), addr("2001:db8::1"));
        for wrong in [
            "2.0.192.in-addr.arpa",
            "0.1.2.0.192.in-addr.arpa",
            "x.2.0.192.in-addr.arpa",
            ".in-addr.arpa",
            "in-addr.arpa",
            "1.2.ip6.arpa",
            "\u{e9}.arpa",
            "",
        ] {
            assert_eq!(reversed(wrong), None, "{wrong}");
        }
    }
}
