//! Tells a tap of the frames of one interface.

use std::sync::Arc;

use sensor_common::parse::{self, LinkObserver, LinkType};
use sensor_common::view::SliceView;

use super::Frame;
use crate::counters::{Delta, Seen};
use crate::source::starts_with_ip;
use crate::source::tap::{Links, PacketRecord, SharedTap, tcp_header};

pub struct Listener {
    pub tap: SharedTap,
    /// The interface's name.
    pub interface: Arc<str>,
}

impl Listener {
    /// The link layer is walked over once more for its headers, which nobody else wants to know.
    #[inline(never)]
    pub(super) fn tell(&self, frame: &Frame<'_>, seen: &Seen, delta: &Delta) {
        let l3 = starts_with_ip(frame.arphrd);
        let ethernet = l3 == Some(false);
        let mut links = Links::start(match ethernet {
            true => LinkType::Ethernet,
            false => LinkType::RawIp,
        });
        if let Some(vlan) = frame.vlan {
            links.tag(vlan.tpid, vlan.tci);
        }
        if let Some(l3) = l3 {
            // The outcome is known already.
            let _ = parse::on_interface_observed(&SliceView(frame.data), l3, &mut links);
        }
        (self.tap)(&PacketRecord {
            when: seen.when,
            interface: Some(&self.interface),
            direction: seen.direction,
            packets: seen.counts.packets,
            wire_len: seen.counts.bytes,
            cap_len: seen.captured_bytes,
            links: &links,
            parsed: &seen.packet,
            macs: frame.data.first_chunk().filter(|_| ethernet),
            tcp: tcp_header(&seen.packet, frame.data),
            book: delta.book(),
        });
    }
}
