//! One packet, layer by layer, for people: where each header lies, what its fields say, and what is inside a tunnel.
//!
//! This is for reading, not for counting: what is counted is decided by [`sensor_common::parse`] alone. The headers are
//! decoded by etherparse where it knows them, so that the explanation is a second opinion; [`opinion`] says in words
//! what it makes of the whole packet. Values may hold anything that was on the wire: escape them where they are shown.

mod application;
mod internet;
mod layer;
mod link;
mod mac;
pub mod opinion;
mod transport;
mod tunnel;
mod walk;

#[cfg(test)]
mod tests;

use sensor_common::parse::LinkType;

pub use layer::{Field, Layer};
pub use mac::Vendors;
pub(crate) use walk::printable;
use walk::{Next, Walk};

/// A packet has not more than this; the rest is shown as bytes.
const MAX_LAYERS: usize = 40;

/// What a packet is made of.
#[derive(Debug, Default)]
pub struct Dissection {
    pub layers: Vec<Layer>,
    /// Why it ends before the packet does.
    pub ended: Option<String>,
}

/// Takes a packet apart. `link_type`: the LINKTYPE_ number of the capture.
pub fn dissect(data: &[u8], link_type: u16, vendors: &mut dyn Vendors) -> Dissection {
    let mut walk = Walk::new(data, vendors);
    let mut next = first(link_type, &mut walk);
    while walk.layers.len() < MAX_LAYERS {
        next = match next {
            Next::Done => break,
            Next::Ethernet => link::ethernet(&mut walk),
            Next::Ethertype(number) => link::upper(&mut walk, number),
            Next::Ppp => link::ppp(&mut walk),
            Next::Ip => internet::by_version(&mut walk),
            Next::Transport(header) => transport::step(&mut walk, header),
            Next::Tunnel(kind) => tunnel::step(&mut walk, kind),
            Next::Payload(talk) => application::step(&mut walk, talk),
            Next::Bytes => walk.rest("data"),
        };
    }
    if walk.layers.len() >= MAX_LAYERS {
        walk.ended
            .get_or_insert_with(|| format!("more than {MAX_LAYERS} layers"));
    }
    walk.finish()
}

fn first(number: u16, walk: &mut Walk<'_>) -> Next {
    match LinkType::from_number(number) {
        LinkType::Ethernet => Next::Ethernet,
        LinkType::RawIp | LinkType::RawIpv4 | LinkType::RawIpv6 => Next::Ip,
        LinkType::Null => link::null(walk),
        LinkType::Sll => link::cooked(walk),
        LinkType::Sll2 => link::cooked2(walk),
        LinkType::Ppp => link::framed_ppp(walk),
        LinkType::CiscoHdlc => link::cisco(walk),
        LinkType::Unsupported => {
            walk.ended = Some(format!("no decoder for link type {number}"));
            walk.rest("data")
        }
    }
}
