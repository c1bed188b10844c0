//! Filters where the kernel hands over super-packets: what matches and what does not are counted in segments.

use serde_json::Value;

use crate::gso;
use crate::harness::need_kernel;

/// A test of the flow, and of the segments' length: of a super-packet that is a full segment's.
#[test]
fn ports_match_the_same_on_both_sides() {
    need_kernel!();
    let [sent, received] = gso::filtered("tcp dst port 5001", "tc", "xdp");
    whole(&sent);
    whole(&received);
    assert_eq!(
        gso::flows(&sent, "egress"),
        gso::flows(&received, "ingress")
    );
    assert_eq!(gso::flows(&sent, "egress").len(), 1);
    assert_eq!(
        gso::flows(&sent, "ingress").len() + gso::flows(&received, "egress").len(),
        0
    );
    let [by_tc, by_ring] = gso::filtered("tcp dst port 5001", "tc", "af-packet");
    whole(&by_ring);
    assert_eq!(
        gso::flows(&by_tc, "egress"),
        gso::flows(&by_ring, "ingress")
    );
}

#[test]
fn the_length_of_a_super_packet_is_that_of_a_full_segment() {
    need_kernel!();
    for (sender, receiver) in [("tc", "tc"), ("af-packet", "af-packet")] {
        let [sent, received] = gso::filtered("greater 1515", sender, receiver);
        for report in [&sent, &received] {
            whole(report);
            assert_eq!(
                report["totals"]["packets"], 0,
                "longer than any segment, by {sender}"
            );
            assert!(
                report["accounting"]["filtered"]["bytes"].as_u64() > Some(gso::TCP_BYTES as u64)
            );
        }
    }
}

/// All that was seen either matched or did not.
fn whole(report: &Value) {
    let number = |value: &Value| value.as_u64().unwrap();
    for part in ["packets", "bytes"] {
        let matched = number(&report["totals"][part]);
        let filtered = number(&report["accounting"]["filtered"][part]);
        assert_eq!(
            matched + filtered,
            number(&report["accounting"]["seen"][part])
        );
    }
}
