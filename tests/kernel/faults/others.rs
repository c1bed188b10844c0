//! Programs of others on the same interface: they come and go, and no packet is counted less or twice for it.

use crate::harness::{Pair, Sensor, need_kernel};
use crate::reports;
use crate::traffic::{self, Traffic};

#[test]
fn programs_of_others_that_come_and_go_on_tc_change_no_count() {
    need_kernel!();
    beside_others("tc", &["tc", "xdp", "af-packet"]);
}

#[test]
fn programs_of_others_that_come_and_go_beside_xdp_change_no_count() {
    need_kernel!();
    beside_others("xdp", &["tc", "tc", "af-packet"]);
}

/// The others are sensors, too: what they attach is in front of the first one's programs (TCX) or beside them (XDP).
fn beside_others(backend: &str, others: &[&str]) {
    let pair = Pair::new(1500);
    let arguments = ["-i", "b0", "--backend", backend, "--report-every", "1s"];
    let mut sensor = Sensor::start(&pair.b, &arguments);
    let traffic = Traffic::start(&pair.a, "a0");
    for (round, other) in others.iter().enumerate() {
        let mut other = Sensor::start(&pair.b, &["-i", "b0", "--backend", other]);
        other.counted(100);
        match round % 2 {
            0 => assert!(other.stop().status.success()),
            _ => {
                other.signal(libc::SIGKILL);
                other.killed();
            }
        }
    }
    let sent = traffic.stop();
    traffic::received(&pair.b, "b0", sent);
    sensor.counted(sent);
    let ended = sensor.stop();
    reports::add_up(&ended);
    let report = ended.checked();
    assert_eq!(report["totals"]["packets"], sent, "beside {others:?}");
    assert_eq!(report["totals"]["bytes"], sent * traffic::LEN);
}
