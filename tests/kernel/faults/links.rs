//! The interface itself: down and up, moved away, its other end's namespace deleted.

use crate::harness::{Namespace, Pair, Sensor, ip, need_kernel};
use crate::reports;
use crate::traffic;

#[test]
fn an_interface_that_goes_down_and_up_is_counted_on() {
    need_kernel!();
    for backend in ["xdp", "tc", "af-packet"] {
        let pair = Pair::new(1500);
        let mut sensor = Sensor::start(&pair.a, &["-i", "a0", "--backend", backend]);
        let frames = traffic::frames(10);
        traffic::send(&pair.a, "a0", &frames, 1);
        traffic::send(&pair.b, "b0", &frames, 2);
        sensor.counted(30);
        let name = &pair.a.name;
        for _ in 0..3 {
            ip(&["-n", name, "link", "set", "a0", "down"]);
            ip(&["-n", name, "link", "set", "a0", "up"]);
        }
        traffic::send(&pair.a, "a0", &frames, 3);
        traffic::send(&pair.b, "b0", &frames, 4);
        sensor.counted(100);
        let ended = sensor.stop();
        assert!(!ended.stderr.contains("is gone"), "{}", ended.stderr);
        let report = ended.checked();
        assert_eq!(report["totals"]["egress"]["packets"], 40, "{backend}");
        assert_eq!(report["totals"]["ingress"]["packets"], 60, "{backend}");
    }
}

#[test]
fn the_counts_survive_the_namespace_of_the_other_end() {
    need_kernel!();
    for backend in ["xdp", "tc", "af-packet"] {
        let pair = Pair::new(1500);
        let Pair { a, b } = pair;
        let mut sensor = Sensor::start(&a, &["-i", "a0", "--backend", backend]);
        traffic::send(&a, "a0", &traffic::frames(10), 5);
        sensor.counted(50);
        drop(b);
        gone(sensor, 50);
    }
}

#[test]
fn an_interface_that_is_moved_away_is_gone_and_not_counted_there() {
    need_kernel!();
    for backend in ["xdp", "tc", "af-packet"] {
        let pair = Pair::new(1500);
        let elsewhere = Namespace::new();
        let mut sensor = Sensor::start(&pair.a, &["-i", "a0", "--backend", backend]);
        traffic::send(&pair.a, "a0", &traffic::frames(10), 5);
        sensor.counted(50);
        let there = &elsewhere.name;
        ip(&["-n", &pair.a.name, "link", "set", "a0", "netns", there]);
        gone(sensor, 50);
        ip(&["-n", there, "link", "set", "a0", "up"]);
        let left = elsewhere.inside(|| sensor::link::by_name("a0").unwrap().unwrap().xdp);
        assert_eq!(left, None, "{backend} went along");
    }
}

/// The run ends by itself, says why, and has counted everything.
fn gone(sensor: Sensor, packets: u64) {
    let ended = sensor.wait();
    assert_eq!(ended.status.code(), Some(4), "{}", ended.stderr);
    assert!(ended.stderr.contains("a0 is gone"), "{}", ended.stderr);
    reports::add_up(&ended);
    assert_eq!(ended.report["totals"]["packets"], packets);
    assert_eq!(ended.report["accounting"]["identity_holds"], true);
}
