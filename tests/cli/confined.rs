//! Commands that read what strangers wrote have given up everything else by then.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::BINARY;

#[test]
fn whoever_reads_a_capture_has_given_up_the_rest() {
    if !fs::exists("/proc/sys/kernel/seccomp").unwrap() {
        return println!("skipped: this kernel has no seccomp");
    }
    let mut child = Command::new(BINARY)
        .args(["read", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It waits for the capture's first byte.
    let start = Instant::now();
    let given_up = loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim_start_matches(':').trim().to_owned()
        };
        if field("Seccomp") == "2" {
            break (field("NoNewPrivs"), field("CapPrm"));
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{status}");
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(given_up.0, "1");
    // Root may still read files of others: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH.
    let kept = u64::from_str_radix(&given_up.1, 16).unwrap();
    assert_eq!(kept & !0b110, 0, "{kept:#x}");
    drop(child.stdin.take());
    child.wait().unwrap();
}
