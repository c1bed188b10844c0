//! What the kernel hands over of a capture, as a capture: the same packets, of whose payloads only those bytes are there that
//! the programs take. `sensor read` finds in it what a live run can find, so that nothing has to be excused by hand.

use std::collections::{HashMap, HashSet};

use sensor_common::flow::FlowKey;
use sensor_common::parse::{self, LinkType, Packet};
use sensor_common::protocol::ip;
use sensor_common::sample::{budget, is_handshake, wanted};
use sensor_common::view::SliceView;

/// See [`of`].
pub(crate) struct Handed {
    /// How many bytes of each frame.
    pub captured: Vec<usize>,
    /// Flows that lost payload by it, both ways of each.
    pub withheld: HashSet<String>,
}

/// Of frames that are sent in one interval.
pub(crate) fn of(frames: &[Vec<u8>]) -> Handed {
    let mut taken: HashMap<FlowKey, (u8, bool)> = HashMap::new();
    let mut withheld = HashSet::new();
    let mut captured = Vec::new();
    for frame in frames {
        let packet = match parse::packet(&SliceView(frame), LinkType::Ethernet) {
            Ok(packet) if packet.payload_len > 0 && packet.key.has_ports() => packet,
            _ => {
                captured.push(frame.len());
                continue;
            }
        };
        let header = usize::from(packet.header_len).min(frame.len());
        let there = (frame.len() - header).min(packet.payload_len as usize);
        let payload = &frame[header..header + there];
        let (count, goes_on) = taken.entry(packet.key).or_default();
        let handed = if *count < budget(&packet.key).payloads {
            *count += 1;
            let start = payload.first_chunk().copied().unwrap_or_default();
            let wanted = wanted(start, &packet.key, *goes_on);
            *goes_on = packet.key.protocol() == ip::TCP && is_handshake(start);
            wanted.min(there)
        } else {
            0
        };
        captured.push(header + handed);
        if handed < there {
            withheld.extend(both_ways(&packet));
        }
    }
    Handed { captured, withheld }
}

/// As [`crate::alike::flow_name`] has them.
fn both_ways(packet: &Packet) -> [String; 2] {
    let key = &packet.key;
    let a = format!("{} {}", key.src_addr(), key.src_port());
    let b = format!("{} {}", key.dst_addr(), key.dst_port());
    [format!("{a} {b}"), format!("{b} {a}")]
}
