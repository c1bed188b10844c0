//! Whether a frame of the ring matches the filter: what is asked of it, put together from its bytes and its metadata.

use std::sync::Arc;

use sensor_common::facts::{ETHERNET, Facts};
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::{self, LinkObserver, Packet, Reason};
use sensor_common::view::SliceView;
use sensor_common::wire::VLAN_TAG_LEN;

use super::{Frame, Vlan};
use crate::filter::program::Check;
use crate::filter::{Matcher, reads_tags};
use crate::source::starts_with_ip;

/// Destination and source of an Ethernet header: a tag stands behind them.
const ADDRESSES: usize = 12;

pub(super) struct Judge {
    matcher: Arc<Matcher>,
    /// The filter reads bytes that a tag in the metadata has moved.
    restores_tags: bool,
    facts: Facts,
    /// A frame as it was on the wire.
    restored: Vec<u8>,
}

impl Judge {
    pub(super) fn new(matcher: Arc<Matcher>) -> Self {
        Judge {
            restores_tags: asks_where_tags_are(&matcher),
            matcher,
            facts: Facts::NONE,
            restored: Vec::new(),
        }
    }

    pub(super) fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// Parses the frame, and keeps what the filter may ask of its link layer.
    pub(super) fn parse(&mut self, frame: &Frame<'_>) -> Result<Packet, Reason> {
        let view = SliceView(frame.data);
        let l3 = starts_with_ip(frame.arphrd);
        if !self.matcher.program().needs_link() {
            self.facts.flags = if l3 == Some(false) { ETHERNET } else { 0 };
            let l3 = l3.ok_or(Reason::UnsupportedLinkType)?;
            return parse::on_interface(&view, l3);
        }
        self.facts.new_link(l3 == Some(false));
        if let Some(Vlan { tpid, tci }) = frame.vlan {
            self.facts.tag(tpid, tci);
        }
        let l3 = l3.ok_or(Reason::UnsupportedLinkType)?;
        parse::on_interface_observed(&view, l3, &mut self.facts)
    }

    /// After [`Self::parse`]. `header_len`: bytes of headers that each segment of a super-packet carries.
    pub(super) fn matches(
        &mut self,
        frame: &Frame<'_>,
        packet: &Result<Packet, Reason>,
        (slot, direction): (u8, Direction),
        header_len: u64,
    ) -> bool {
        let mut origin = FlowKey([0; 5]);
        origin.set_origin(slot, direction);
        let wire_len = full_segment(frame, header_len);
        self.facts.parsed(packet, origin.0[4], wire_len);
        match frame.vlan {
            Some(vlan) if self.restores_tags && frame.data.len() >= ADDRESSES => {
                self.restore(frame.data, vlan);
                self.matcher.matches(&self.facts, &self.restored)
            }
            _ => self.matcher.matches(&self.facts, frame.data),
        }
    }

    /// Puts the tag back to where it was, and moves the offsets behind it.
    fn restore(&mut self, data: &[u8], vlan: Vlan) {
        let (addresses, rest) = data.split_at(ADDRESSES.min(data.len()));
        self.restored.clear();
        self.restored.extend_from_slice(addresses);
        self.restored.extend_from_slice(&vlan.tpid.to_be_bytes());
        self.restored.extend_from_slice(&vlan.tci.to_be_bytes());
        self.restored.extend_from_slice(rest);
        for offset in [
            &mut self.facts.network_offset,
            &mut self.facts.transport_offset,
        ] {
            if *offset != 0 {
                *offset += VLAN_TAG_LEN as u16;
            }
        }
    }
}

fn asks_where_tags_are(matcher: &Matcher) -> bool {
    let mut nodes = matcher.program().nodes.iter();
    nodes.any(|node| matches!(&node.check, Check::Formula(formula) if reads_tags(formula)))
}

/// Bytes on the wire of the frame, or of a full segment of a super-packet.
fn full_segment(frame: &Frame<'_>, header_len: u64) -> u32 {
    let len = u64::from(frame.len);
    let one = match frame.gso_size {
        0 => len,
        size => len.min(header_len + u64::from(size)),
    };
    let tag = frame.vlan.map_or(0, |_| VLAN_TAG_LEN);
    u32::try_from(one + tag).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
