//! Which signatures a message is worth asking: by its first byte, and by its ports.
//!
//! There are some fifty for each transport, and nearly every payload rules out nearly all of them with its first byte or
//! with ports that are none of theirs. Both are looked up in tables that the compiler makes, one bit for each signature, so
//! that only those that are left are called, in the order in which they are written down.

use super::message::Message;

/// What all messages of which a signature says anything have in common.
#[derive(Clone, Copy)]
pub(super) struct Rule<F> {
    ask: F,
    /// Ranges of the first byte.
    first: &'static [(u8, u8)],
    /// One of the two ports is one of these; any, if there are none.
    ports: &'static [u16],
}

/// A signature that is asked whatever the ports are.
pub(super) const fn on_any_port<F: Copy>(ask: F, first: &'static [(u8, u8)]) -> Rule<F> {
    let ports = &[];
    Rule { ask, first, ports }
}

/// A signature that speaks on its ports only.
pub(super) const fn on_ports<F: Copy>(ask: F, ports: &'static [u16]) -> Rule<F> {
    let first = ANY;
    Rule { ask, first, ports }
}

pub(super) const ANY: &[(u8, u8)] = &[(0, 255)];
/// [`super::message::is_text`]
pub(super) const TEXT: &[(u8, u8)] = &[(b'\t', b'\t'), (0x20, 0x7e), (0x80, 0xff)];
pub(super) const CAPITAL: &[(u8, u8)] = &[(b'A', b'Z')];
/// Codes of answers and commands.
pub(super) const WORD: &[(u8, u8)] = &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')];

/// Bits of one word: the most rules of a table.
const MOST: usize = 64;
/// Ports share these places; who is asked for want of room asks for the ports again.
const PLACES: usize = 256;

/// Rules in their order, and by what they ask for.
pub(super) struct Table<F: 'static> {
    rules: &'static [Rule<F>],
    /// Those that the first byte leaves.
    by_first: [u64; 256],
    /// Those that a port of this place leaves, beside those of any port.
    by_port: [u64; PLACES],
    on_any_port: u64,
}

impl<F: Copy> Table<F> {
    pub(super) const fn new(rules: &'static [Rule<F>]) -> Self {
        assert!(rules.len() <= MOST);
        let mut table = Table {
            rules,
            by_first: [0; 256],
            by_port: [0; PLACES],
            on_any_port: 0,
        };
        let mut number = 0;
        while number < rules.len() {
            table.add(number);
            number += 1;
        }
        table
    }

    const fn add(&mut self, number: usize) {
        let bit = 1 << number;
        let Rule { first, ports, .. } = self.rules[number];
        let mut range = 0;
        while range < first.len() {
            let (mut byte, last) = (first[range].0 as usize, first[range].1 as usize);
            while byte <= last {
                self.by_first[byte] |= bit;
                byte += 1;
            }
            range += 1;
        }
        if ports.is_empty() {
            self.on_any_port |= bit;
        }
        let mut port = 0;
        while port < ports.len() {
            self.by_port[place(ports[port])] |= bit;
            port += 1;
        }
    }

    /// The signatures that may say something of the message, in their order.
    #[inline]
    pub(super) fn for_message(&self, message: &Message<'_>) -> impl Iterator<Item = F> {
        let ports = self.by_port[place(message.src)] | self.by_port[place(message.dst)];
        let first = message.bytes.first();
        let first = first.map_or(0, |byte| self.by_first[usize::from(*byte)]);
        let mut left = first & (ports | self.on_any_port);
        std::iter::from_fn(move || {
            let rule = self.rules.get(left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(rule.ask)
        })
    }

    /// Whether none of those that are not asked would have `said` anything.
    #[cfg(test)]
    pub(super) fn leaves_out_nothing(
        &self,
        message: &Message<'_>,
        said: impl Fn(F) -> bool,
    ) -> bool {
        let asked = self.for_message(message).filter(|ask| said(*ask)).count();
        let all = self.rules.iter().filter(|rule| said(rule.ask)).count();
        asked == all
    }
}

const fn place(port: u16) -> usize {
    (port.wrapping_mul(0x9e37) >> 8) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use sensor_common::flow::FlowKey;
    use sensor_common::protocol::ip;

    use super::super::tables::{TCP_FIRST, UDP};
    use super::*;
    use crate::names::Sample;

    fn with_message<T>(payload: &[u8], ports: [u16; 2], look: impl Fn(&Message<'_>) -> T) -> T {
        let mut key = FlowKey::ipv4(1, 2, ip::TCP);
        let ([a, b], [c, d]) = (ports[0].to_be_bytes(), ports[1].to_be_bytes());
        key.set_ports(u32::from_ne_bytes([a, b, c, d]));
        let sample = Sample {
            key,
            at: None,
            payload,
            payload_len: payload.len() as u32,
            tcp_seq: None,
            number: 0,
            last: false,
        };
        look(&Message::new(&sample).unwrap())
    }

    static LETTERS: Table<char> = Table::new(&[
        on_any_port('a', &[(1, 1), (0xfe, 0xff)]),
        on_ports('b', &[53, 80]),
        on_any_port('c', ANY),
        on_any_port('d', TEXT),
    ]);

    #[test]
    fn first_byte_and_ports_tell_who_is_asked() {
        let asked = |first: u8, ports| {
            with_message(&[first], ports, |message| {
                LETTERS.for_message(message).collect::<String>()
            })
        };
        assert_eq!(asked(0, [1024, 1025]), "c");
        assert_eq!(asked(1, [53, 1025]), "abc");
        assert_eq!(asked(b'x', [1024, 80]), "bcd");
        assert_eq!(asked(0xff, [1024, 1025]), "acd");
    }

    #[test]
    fn few_of_all_are_asked() {
        for payload in [&[0; 64][..], b"any text", &[0x99; 64]] {
            let (tcp, udp) = with_message(payload, [50_000, 40_000], |message| {
                let tcp = TCP_FIRST.for_message(message).count();
                (tcp, UDP.for_message(message).count())
            });
            assert!(tcp <= 20 && udp <= 12, "{payload:?}: {tcp}, {udp}");
        }
    }

    #[test]
    fn text_is_what_messages_take_for_it() {
        for byte in 0..=255 {
            let listed = TEXT
                .iter()
                .any(|(low, high)| (*low..=*high).contains(&byte));
            assert_eq!(listed, super::super::message::is_text(byte));
        }
    }
}
