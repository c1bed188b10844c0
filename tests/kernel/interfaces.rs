//! Several interfaces in one run, and interfaces that change under it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Namespace, Pair, Sensor, eventually, ip, need_kernel};
use crate::reports;
use crate::traffic::{self, LEN};

#[test]
fn two_interfaces_are_counted_each_for_itself() {
    need_kernel!();
    for backend in ["xdp", "tc", "af-packet"] {
        let pair = two_pairs();
        let arguments = ["-i", "a0", "-i", "c0", "--backend", backend];
        each_for_itself(&pair, &arguments);
    }
}

#[test]
fn any_is_everything_that_is_up() {
    need_kernel!();
    let pair = two_pairs();
    ip(&["-n", &pair.a.name, "link", "add", "br0", "type", "bridge"]);
    let report = each_for_itself(&pair, &["-i", "any"]);
    let names: Vec<_> = source(&report).map(|one| one["name"].clone()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.contains(&json!("lo")), "{names:?}");
}

fn each_for_itself(pair: &Pair, arguments: &[&str]) -> Value {
    let mut sensor = Sensor::start(&pair.a, arguments);
    let frames = traffic::frames(10);
    let peers: [(&Namespace, &str, usize); 4] = [
        (&pair.a, "a0", 1),
        (&pair.b, "b0", 2),
        (&pair.a, "c0", 3),
        (&pair.b, "d0", 4),
    ];
    for (namespace, interface, times) in peers {
        traffic::send(namespace, interface, &frames, times);
    }
    sensor.counted(100);
    let ended = sensor.stop();
    reports::add_up(&ended);
    let report = ended.checked();
    for (interface, direction, packets) in [
        ("a0", "egress", 10),
        ("a0", "ingress", 20),
        ("c0", "egress", 30),
        ("c0", "ingress", 40),
    ] {
        let counted = counts(packets);
        let one = source(&report).find(|one| one["name"] == interface);
        assert_eq!(one.unwrap()["counted"][direction], counted, "{report:#}");
        let theirs = report["accounting"]["interface_counters"].as_array();
        let theirs = theirs
            .unwrap()
            .iter()
            .find(|row| row["interface"] == interface && row["direction"] == direction);
        let theirs = theirs.unwrap();
        assert_eq!(theirs["counted_packets"], packets, "{theirs}");
        assert_eq!(theirs["packets"], packets, "{theirs}");
    }
    assert_eq!(report["totals"]["egress"], counts(40));
    assert_eq!(report["totals"]["ingress"], counts(60));
    report
}

#[test]
fn loopback_shows_each_packet_once() {
    need_kernel!();
    for backend in ["auto", "tc", "af-packet"] {
        let namespace = Namespace::new();
        let mut sensor = Sensor::start(&namespace, &["-i", "lo", "--backend", backend]);
        namespace.inside(|| {
            let receiver = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            for _ in 0..100 {
                sender
                    .send_to(&[7; 100], receiver.local_addr().unwrap())
                    .unwrap();
            }
        });
        sensor.counted(100);
        let report = sensor.stop().checked();
        assert_eq!(report["totals"]["ingress"], counts(100), "{backend}");
        assert_eq!(report["totals"]["egress"], counts(0), "{backend}");
        let lo = source(&report).next().unwrap();
        assert_eq!(lo["egress"]["hook"], Value::Null);
        assert!(lo["egress"]["why"].as_str().unwrap().contains("twice"));
    }
}

#[test]
fn the_run_ends_with_its_report_when_the_interface_is_deleted() {
    need_kernel!();
    for backend in ["tc", "af-packet"] {
        let pair = Pair::new(1500);
        // A long interval must not keep the news back.
        let arguments = ["-i", "a0", "--interval", "1h", "--backend", backend];
        let sensor = Sensor::start(&pair.a, &arguments);
        traffic::send(&pair.a, "a0", &traffic::frames(10), 10);
        ip(&["-n", &pair.a.name, "link", "del", "a0"]);
        let start = Instant::now();
        let ended = sensor.wait();
        assert!(start.elapsed() < Duration::from_secs(3));
        assert_eq!(ended.status.code(), Some(4), "{}", ended.stderr);
        assert!(ended.stderr.contains("a0 is gone"), "{}", ended.stderr);
        reports::add_up(&ended);
        let report = ended.report;
        assert_eq!(report["accounting"]["identity_holds"], true);
        assert_eq!(report["totals"]["egress"], counts(100));
        assert!(report["notes"].to_string().contains("a0 is gone"));
    }
}

#[test]
fn an_interface_that_comes_back_is_counted_again() {
    need_kernel!();
    for backend in ["xdp", "tc", "af-packet"] {
        let pair = two_pairs();
        let arguments = ["-i", "a0", "-i", "c0", "--backend", backend];
        let arguments = [&arguments[..], &["--report-every", "1s"]].concat();
        let mut sensor = Sensor::start(&pair.a, &arguments);
        let frames = traffic::frames(10);
        traffic::send(&pair.a, "a0", &frames, 1);
        traffic::send(&pair.b, "b0", &frames, 2);
        sensor.counted(30);
        ip(&["-n", &pair.a.name, "link", "del", "a0"]);
        sensor.wait_for_line("a0 is gone");
        traffic::send(&pair.a, "c0", &frames, 3);
        add_pair(&pair, "a0", "b0");
        sensor.wait_for_line("a0 is there again; counting by");
        // The first one may be of the period before.
        let before = sensor.written().len();
        eventually("two reports", || sensor.written().len() >= before + 2);
        traffic::send(&pair.a, "a0", &frames, 4);
        traffic::send(&pair.b, "b0", &frames, 5);
        traffic::send(&pair.a, "c0", &frames, 6);
        sensor.counted(210);
        let ended = sensor.stop();
        reports::add_up(&ended);
        let compared = |report: &Value, interface: &str| {
            let rows = report["accounting"]["interface_counters"].as_array();
            let rows = rows.unwrap().iter();
            let wanted = rows.filter(|row| row["interface"] == interface);
            let numbers = ["packets", "counted_packets"];
            let wanted = wanted.map(|row| numbers.map(|number| row[number].as_u64().unwrap()));
            wanted.fold([0; 2], |sum, row| [sum[0] + row[0], sum[1] + row[1]])
        };
        let since = ended.periods[before + 1..].iter();
        let since = since.map(|period| compared(period, "a0"));
        let since = since.fold([0; 2], |sum, row| [sum[0] + row[0], sum[1] + row[1]]);
        assert_eq!(since, [90, 90], "periods after it came back");
        assert_eq!(compared(&ended.report, "a0"), [0, 0], "not from the start");
        assert_eq!(compared(&ended.report, "c0"), [90, 90]);
        let report = ended.checked();
        let counted =
            |name| source(&report).find(|one| one["name"] == name).unwrap()["counted"].clone();
        assert_eq!(counted("a0")["egress"], counts(50), "{backend}");
        assert_eq!(counted("a0")["ingress"], counts(70), "{backend}");
        assert_eq!(counted("c0")["egress"], counts(90), "{backend}");
    }
}

/// Deleted and made again between two looks: one interface is enough to go on.
#[test]
fn an_interface_that_is_replaced_at_once_does_not_end_the_run() {
    need_kernel!();
    let pair = Pair::new(1500);
    let mut sensor = Sensor::start(&pair.a, &["-i", "a0"]);
    traffic::send(&pair.a, "a0", &traffic::frames(10), 1);
    // In one batch, so that the sensor can hardly look in between; where it does, it ends with exit 4.
    let batch = format!(
        "link del a0\nlink add a0 type veth peer name b0 netns {}\nlink set a0 up\n",
        pair.b.name
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("batch");
    std::fs::write(&file, batch).unwrap();
    sensor.signal(libc::SIGSTOP);
    ip(&["-n", &pair.a.name, "-batch", file.to_str().unwrap()]);
    ip(&["-n", &pair.b.name, "link", "set", "b0", "up"]);
    sensor.signal(libc::SIGCONT);
    sensor.wait_for_line("a0 is there again");
    traffic::send(&pair.a, "a0", &traffic::frames(10), 2);
    assert_eq!(sensor.stop().checked()["totals"]["egress"], counts(30));
}

#[test]
fn a_renamed_interface_is_counted_on() {
    need_kernel!();
    for backend in ["tc", "af-packet"] {
        let pair = Pair::new(1500);
        let mut sensor = Sensor::start(&pair.a, &["-i", "a0", "--backend", backend]);
        traffic::send(&pair.a, "a0", &traffic::frames(10), 1);
        let name = &pair.a.name;
        ip(&["-n", name, "link", "set", "a0", "down"]);
        ip(&["-n", name, "link", "set", "a0", "name", "z0"]);
        ip(&["-n", name, "link", "set", "z0", "up"]);
        sensor.wait_for_line("a0 is now called z0");
        traffic::send(&pair.a, "z0", &traffic::frames(10), 2);
        let report = sensor.stop().checked();
        let z0 = source(&report).next().unwrap();
        assert_eq!(z0["name"], "z0");
        assert_eq!(z0["counted"]["egress"], counts(30), "{backend}");
    }
}

/// Without a free file descriptor there is no netlink socket to ask by.
#[test]
fn interfaces_that_cannot_be_asked_for_are_told_once_and_counting_goes_on() {
    need_kernel!();
    let pair = two_pairs();
    let mut sensor = Sensor::start(&pair.a, &["-i", "a0", "-i", "c0"]);
    let before = sensor.limit_files(0);
    let told = "can't open a netlink socket";
    sensor.wait_for_line(told);
    traffic::send(&pair.a, "a0", &traffic::frames(10), 1);
    ip(&["-n", &pair.a.name, "link", "del", "c0"]);
    sensor.limit_files(before);
    sensor.wait_for_line("c0 is gone");
    let ended = sensor.stop();
    assert_eq!(ended.stderr.matches(told).count(), 1, "{}", ended.stderr);
    let report = ended.checked();
    assert!(report["notes"].to_string().contains(told), "{report:#}");
    assert_eq!(report["totals"]["egress"], counts(10));
}

#[test]
fn an_interface_that_takes_the_name_of_a_deleted_one_is_counted_once() {
    need_kernel!();
    for backend in ["tc", "af-packet"] {
        let pair = two_pairs();
        let arguments = ["-i", "a0", "-i", "c0", "--backend", backend];
        let mut sensor = Sensor::start(&pair.a, &arguments);
        let name = &pair.a.name;
        ip(&["-n", name, "link", "del", "a0"]);
        sensor.wait_for_line("a0 is gone");
        ip(&["-n", name, "link", "set", "c0", "down"]);
        ip(&["-n", name, "link", "set", "c0", "name", "a0"]);
        ip(&["-n", name, "link", "set", "a0", "up"]);
        sensor.wait_for_line("c0 is now called a0");
        traffic::send(&pair.a, "a0", &traffic::frames(10), 2);
        sensor.counted(20);
        let ended = sensor.stop();
        assert!(!ended.stderr.contains("there again"), "{}", ended.stderr);
        assert_eq!(ended.checked()["totals"]["egress"], counts(20), "{backend}");
    }
}

#[test]
fn an_interface_that_comes_back_without_the_hook_that_was_asked_for_is_told_once() {
    need_kernel!();
    let pair = two_pairs();
    let arguments = ["-i", "a0", "-i", "c0", "--backend", "xdp"];
    let mut sensor = Sensor::start(&pair.a, &arguments);
    let name = &pair.a.name;
    ip(&["-n", name, "link", "del", "a0"]);
    sensor.wait_for_line("a0 is gone");
    ip(&["-n", name, "link", "add", "a0", "type", "bridge"]);
    let refused = "a0 is there again, but can't be counted: no XDP: the driver of a0";
    sensor.wait_for_line(refused);
    // What is told of c0 comes from a later look at a0, too.
    ip(&["-n", name, "link", "del", "c0"]);
    sensor.wait_for_line("c0 is gone");
    let ended = sensor.wait();
    assert_eq!(ended.status.code(), Some(4), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches(refused).count(), 1, "{}", ended.stderr);
}

#[test]
fn an_interface_that_is_down_is_waited_for() {
    need_kernel!();
    for backend in ["xdp", "tc", "af-packet"] {
        let pair = Pair::new(1500);
        ip(&["-n", &pair.a.name, "link", "set", "a0", "down"]);
        let sensor = Sensor::start(&pair.a, &["-i", "a0", "--backend", backend]);
        let warning = "a0 is down: nothing will be counted until it is up";
        assert!(sensor.greeting.contains(warning), "{}", sensor.greeting);
        ip(&["-n", &pair.a.name, "link", "set", "a0", "up"]);
        traffic::send(&pair.a, "a0", &traffic::frames(10), 1);
        assert_eq!(sensor.stop().checked()["totals"]["egress"], counts(10));
    }
}

/// A second pair, `c0` in `a` and `d0` in `b`.
fn two_pairs() -> Pair {
    let pair = Pair::new(1500);
    add_pair(&pair, "c0", "d0");
    pair
}

fn add_pair(pair: &Pair, here: &str, there: &str) {
    let (a, b) = (&pair.a.name, &pair.b.name);
    ip(&[
        "link", "add", here, "netns", a, "type", "veth", "peer", "name", there, "netns", b,
    ]);
    ip(&["-n", a, "link", "set", here, "up"]);
    ip(&["-n", b, "link", "set", there, "up"]);
}

fn source(report: &Value) -> impl Iterator<Item = &Value> {
    report["source"]["interfaces"].as_array().unwrap().iter()
}

fn counts(packets: u64) -> Value {
    json!({"packets": packets, "bytes": packets * LEN})
}
