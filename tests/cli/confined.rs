//! Commands that read what strangers wrote have given up everything else by then, unless they were told not to.

use std::fs;

use crate::meanwhile::{self, field};

/// The header of a pcap file with Ethernet: little-endian, microseconds, 65,535 bytes at most.
const HEADER: [u8; 24] = [
    0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0,
];

#[test]
fn whoever_reads_a_capture_has_given_up_the_rest() {
    if !fs::exists("/proc/sys/kernel/seccomp").unwrap() {
        return println!("skipped: this kernel has no seccomp");
    }
    let status = meanwhile::status(&["read", "-"], &HEADER);
    assert_eq!(field(&status, "Seccomp"), "2", "{status}");
    assert_eq!(field(&status, "NoNewPrivs"), "1", "{status}");
    // Root may still read files of others: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH.
    let kept = u64::from_str_radix(field(&status, "CapPrm"), 16).unwrap();
    assert_eq!(kept & !0b110, 0, "{kept:#x}");
}

#[test]
fn whoever_is_told_to_keeps_everything() {
    let mine = fs::read_to_string("/proc/self/status").unwrap();
    let status = meanwhile::status(&["read", "--no-sandbox", "-"], &HEADER);
    for name in ["Seccomp", "NoNewPrivs", "CapPrm", "CapEff"] {
        assert_eq!(field(&status, name), field(&mine, name), "{name}: {status}");
    }
}
