//! The interfaces' own counters beside ours: a second opinion, with a verdict.

use super::{Context, Counts, Interface, InterfaceCounters};

/// Native XDP on virtual devices leaves the Ethernet header out of the interface's bytes.
const ETHERNET_LEN: u64 = 14;

/// The context's counters, with what was counted on the same interface and direction.
pub(super) fn compared(context: &Context, interfaces: &[Interface]) -> Vec<InterfaceCounters> {
    let mut list = context.interface_counters.clone();
    for theirs in &mut list {
        if let Some(ours) = interfaces
            .iter()
            .find(|interface| interface.name == theirs.interface)
        {
            let super::SlotCounts {
                ingress,
                egress,
                unknown,
            } = ours.counted;
            let counted = match (theirs.direction.as_str(), &ours.egress.hook) {
                // On a mirror port all of it comes in, whichever way it went before.
                ("ingress", None) => ingress + egress + unknown,
                ("ingress", Some(_)) => ingress,
                _ => egress,
            };
            compare(theirs, counted);
        }
    }
    list
}

/// Fills in what was counted, and says how the two compare.
pub(super) fn compare(theirs: &mut InterfaceCounters, counted: Counts) {
    (theirs.counted_packets, theirs.counted_bytes) = (counted.packets, counted.bytes);
    theirs.verdict = verdict(theirs);
}

fn verdict(counters: &InterfaceCounters) -> String {
    let InterfaceCounters {
        packets,
        bytes,
        counted_packets,
        counted_bytes,
        ..
    } = *counters;
    if packets == counted_packets {
        if bytes == counted_bytes {
            return "equal".to_owned();
        }
        if u128::from(bytes) + u128::from(ETHERNET_LEN) * u128::from(packets)
            == u128::from(counted_bytes)
        {
            return "equal; the interface leaves the Ethernet header out of its bytes".to_owned();
        }
        return format!("packets equal; the interface counts {bytes} bytes by its own rules");
    }
    let off = packets.abs_diff(counted_packets);
    let more = packets > counted_packets;
    let side = if more { "more" } else { "fewer" };
    if off <= 16.max(packets / 1000) {
        return format!(
            "close: the interface has {off} {side}, from around the first or last poll"
        );
    }
    let why = if more {
        "the hook did not see them: dropped before it, or handled elsewhere"
    } else {
        "it counts what segmentation offload merges as one packet, sensor as on the wire"
    };
    format!("differs: the interface has {off} {side}; {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict_of(packets: u64, bytes: u64, counted: (u64, u64)) -> String {
        let mut counters = InterfaceCounters {
            packets,
            bytes,
            ..InterfaceCounters::default()
        };
        compare(
            &mut counters,
            Counts {
                packets: counted.0,
                bytes: counted.1,
            },
        );
        counters.verdict
    }

    #[test]
    fn the_verdict_knows_the_usual_reasons() {
        assert_eq!(verdict_of(10, 1000, (10, 1000)), "equal");
        assert!(verdict_of(10, 1000, (10, 1140)).starts_with("equal; the interface leaves"));
        assert!(verdict_of(10, 900, (10, 1140)).starts_with("packets equal"));
        assert!(verdict_of(12, 900, (10, 1140)).starts_with("close: the interface has 2 more"));
        assert!(
            verdict_of(100, 900, (100_000, 1140))
                .starts_with("differs: the interface has 99900 fewer")
        );
    }
}
