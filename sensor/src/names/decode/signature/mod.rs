//! Which application a payload belongs to, by its bytes.
//!
//! Signatures stand in families, one file each. There are two kinds: those that prove a protocol with one payload (enough
//! bits that are fixed, or that depend on one another, or fewer on the protocol's own port), and those that need a second
//! message that fits the first; these leave a [`Clue`] in the [`Hints`] of the conversation. What may only open another
//! protocol is there as [`Hints::otherwise`], for when nothing else comes.
//!
//! A protocol of TCP begins with the first payload of a flow and nowhere else: what comes later is content, in which
//! anything may stand.
//!
//! The [`tables`] say in which order they are asked, and the [`gate`] leaves out those that can't apply.

mod clue;
mod databases;
mod directory;
mod exporters;
mod gate;
mod handshake;
mod industry;
mod infrastructure;
mod mail;
mod message;
mod peers;
mod queues;
mod remote;
mod resolver;
mod tables;
mod text;
mod tunnels;
mod voice;

#[cfg(test)]
mod tests;

use sensor_common::application::Application;
use sensor_common::flow::FlowKey;

use crate::names::Sample;
pub use clue::Hints;
use clue::Step;
use message::Message;
#[cfg(test)]
use tables::Pair;
use tables::{TCP_FIRST, TCP_LATER, TCP_PAIRS, UDP, UDP_PAIRS};

/// The application that the payload proves, alone or together with `hints` of earlier ones, which it may change.
/// Conservative: `None` is better than a guess. TLS, DTLS and QUIC are told by their first bytes and named as such, and so
/// is HTTP: what comes inside, and what a port makes of it (https, dot, coaps), others know.
pub fn identify(sample: &Sample<'_>, hints: &mut Hints) -> Option<Application> {
    let message = Message::new(sample)?;
    let way = usize::from(is_second_way(&sample.key));
    let (own, other) = hints.ways(way);
    let (single, pairs) = if message.udp {
        (&UDP, &UDP_PAIRS)
    } else if message.first && !other.began() {
        (&TCP_FIRST, &TCP_PAIRS)
    } else {
        (&TCP_LATER, &TCP_PAIRS)
    };
    #[cfg(test)]
    {
        let says = |pair: Pair| pair(&message, own, other) != Step::Nothing;
        assert!(single.leaves_out_nothing(&message, |one| one(&message).is_some()));
        assert!(pairs.leaves_out_nothing(&message, says));
    }
    let mut singles = single.for_message(&message);
    if let Some(found) = singles.find_map(|signature| signature(&message)) {
        return Some(found);
    }
    for pair in pairs.for_message(&message) {
        match pair(&message, own, other) {
            Step::Nothing => {}
            Step::Keep(clue) => {
                hints.set(way, clue);
                return None;
            }
            Step::Likely(found, clue) => {
                hints.set(way, clue);
                hints.set_otherwise(found);
                return None;
            }
            Step::Sure(found) => return Some(found),
        }
    }
    None
}

/// Both ways of a conversation share the hints; which is which is told by their ends.
fn is_second_way(key: &FlowKey) -> bool {
    let [a, b, c, d, _] = key.0;
    (a, b, key.src_port()) > (c, d, key.dst_port())
}
