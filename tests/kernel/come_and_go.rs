//! `any` and patterns: interfaces that come during a run, those that go, and those that stand on others.

use serde_json::{Value, json};

use crate::harness::{Namespace, Pair, Sensor, eventually, ip, need_kernel, refused};
use crate::reports;
use crate::traffic::{self, LEN};

#[test]
fn new_interfaces_of_any_are_counted_and_gone_ones_keep_their_counts() {
    need_kernel!();
    for backend in ["auto", "af-packet"] {
        comes_and_goes("any", backend);
    }
}

#[test]
fn new_interfaces_of_a_pattern_are_counted_and_others_are_not() {
    need_kernel!();
    let report = comes_and_goes("[ac]*", "auto");
    let names: Vec<_> = interfaces(&report).map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["a0", "c0"]);
}

/// `a0` is there, `c0` comes, `a0` goes and comes back; each with packets of its own.
fn comes_and_goes(asked: &str, backend: &str) -> Value {
    let pair = Pair::new(1500);
    let arguments = ["-i", asked, "--backend", backend, "--report-every", "1s"];
    let mut sensor = Sensor::start(&pair.a, &arguments);
    let frames = traffic::frames(10);
    traffic::send(&pair.a, "a0", &frames, 1);
    add_pair(&pair, "c0", "d0");
    let line = sensor.wait_for_line("c0 is new; counting by");
    assert!(line.contains("counting by"), "{line}");
    traffic::send(&pair.b, "d0", &frames, 2);
    traffic::send(&pair.a, "c0", &frames, 3);
    sensor.counted(60);
    ip(&["-n", &pair.a.name, "link", "del", "a0"]);
    sensor.wait_for_line("a0 is gone");
    traffic::send(&pair.a, "c0", &frames, 4);
    add_pair(&pair, "a0", "b0");
    sensor.wait_for_line("a0 is there again");
    traffic::send(&pair.a, "a0", &frames, 5);
    sensor.counted(150);
    let ended = sensor.stop();
    reports::add_up(&ended);
    let report = ended.checked();
    assert_eq!(counted(&report, "a0"), [0, 60], "{backend}: {report:#}");
    assert_eq!(counted(&report, "c0"), [20, 70], "{backend}: {report:#}");
    assert_eq!(report["totals"]["packets"], 150);
    report
}

/// Names of a few letters are not enough to tell a typing error from a machine that is not ready yet.
#[test]
fn a_pattern_that_nothing_matches_yet_is_waited_for() {
    need_kernel!();
    let pair = Pair::new(1500);
    let mut sensor = Sensor::start(&pair.a, &["-i", "ppp*"]);
    let said = "no interface matches ppp* yet, waiting for one; there are: lo, a0";
    assert!(sensor.greeting.contains(said), "{}", sensor.greeting);
    add_pair(&pair, "ppp7", "d0");
    sensor.wait_for_line("ppp7 is new; counting by tcx");
    traffic::send(&pair.a, "ppp7", &traffic::frames(10), 1);
    ip(&["-n", &pair.a.name, "link", "del", "ppp7"]);
    // It goes on, for more may come.
    sensor.wait_for_line("ppp7 is gone");
    let report = sensor.stop().checked();
    assert_eq!(counted(&report, "ppp7"), [0, 10]);
    assert_eq!(refused(&pair.a, &["-i", "ppp7"]).0, Some(4));
}

/// A bridge with a port, a macvlan on another interface, and a VLAN where there are any: each packet counts once.
#[test]
fn a_packet_counts_once_where_interfaces_stand_on_each_other() {
    need_kernel!();
    let pair = Pair::new(1500);
    add_pair(&pair, "c0", "d0");
    let Some(on_c0) = stack(&pair.a) else {
        return;
    };
    let mut sensor = Sensor::start(&pair.a, &["-i", "any"]);
    let said = "br0 is left out: its packets are counted on a0; -i br0 counts them there too";
    assert!(sensor.greeting.contains(said), "{}", sensor.greeting);
    for name in on_c0 {
        let said = format!("{name} is left out: its packets are counted on c0");
        assert!(sensor.greeting.contains(&said), "{}", sensor.greeting);
    }
    let frames = traffic::frames(10);
    traffic::send(&pair.a, "br0", &frames, 1);
    for name in on_c0 {
        traffic::send(&pair.a, name, &frames, 2);
    }
    let on_c0 = on_c0.len() as u64;
    sensor.counted(10 + 20 * on_c0);
    // A port that comes to the bridge is one of those that count now.
    add_pair(&pair, "e0", "f0");
    ip(&["-n", &pair.a.name, "link", "set", "e0", "master", "br0"]);
    sensor.wait_for_line("e0 is new");
    let report = sensor.stop().checked();
    let left_out = report["source"]["left_out"].as_array().unwrap();
    let of = |name: &str| left_out.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(of("m0")["counted_on"], json!(["c0"]));
    assert!(report["notes"].to_string().contains("br0 is left out"));
    assert_eq!(counted(&report, "c0")[1], 20 * on_c0, "{report:#}");
    assert_eq!(counted(&report, "a0")[1], 10, "{report:#}");
    assert_eq!(report["totals"]["packets"], 10 + 20 * on_c0);
}

#[test]
fn an_interface_that_is_put_below_another_one_takes_its_counting_over() {
    need_kernel!();
    let pair = Pair::new(1500);
    let a = &pair.a.name;
    if !try_ip(&["-n", a, "link", "add", "br0", "up", "type", "bridge"]) {
        println!("skipped: no bridges: the kernel module is missing");
        return;
    }
    let mut sensor = Sensor::start(&pair.a, &["-i", "br*", "-i", "a?"]);
    ip(&["-n", a, "link", "set", "a0", "master", "br0"]);
    let line = sensor.wait_for_line("br0 is left out");
    assert!(line.contains("counted on a0"), "{line}");
    traffic::send(&pair.a, "br0", &traffic::frames(10), 1);
    sensor.counted(10);
    ip(&["-n", a, "link", "set", "a0", "nomaster"]);
    sensor.wait_for_line("br0 is there again");
    let report = sensor.stop().checked();
    assert_eq!(counted(&report, "a0"), [0, 10]);
    assert_eq!(report["source"]["left_out"], json!([]));
}

#[test]
fn what_is_named_is_counted_all_the_same_and_said_to_count_twice() {
    need_kernel!();
    let pair = Pair::new(1500);
    add_pair(&pair, "c0", "d0");
    if stack(&pair.a).is_none() {
        return;
    }
    let mut sensor = Sensor::start(&pair.a, &["-i", "any", "-i", "m0"]);
    let said = "packets of m0 count twice: on c0 too";
    assert!(sensor.greeting.contains(said), "{}", sensor.greeting);
    traffic::send(&pair.a, "m0", &traffic::frames(10), 1);
    sensor.counted(20);
    let report = sensor.stop().checked();
    assert_eq!(counted(&report, "m0"), [0, 10]);
    assert_eq!(counted(&report, "c0"), [0, 10]);
}

/// A bond of two interfaces, by the ports that carry its packets.
#[test]
fn a_bond_is_counted_on_its_ports() {
    need_kernel!();
    let pair = Pair::new(1500);
    add_pair(&pair, "c0", "d0");
    let a = &pair.a.name;
    if !try_ip(&[
        "-n",
        a,
        "link",
        "add",
        "bond0",
        "type",
        "bond",
        "mode",
        "balance-rr",
    ]) {
        println!("skipped: no bonds: the kernel module is missing");
        return;
    }
    for port in ["a0", "c0"] {
        ip(&["-n", a, "link", "set", port, "down"]);
        ip(&["-n", a, "link", "set", port, "master", "bond0"]);
        ip(&["-n", a, "link", "set", port, "up"]);
    }
    ip(&["-n", a, "link", "set", "bond0", "up"]);
    let mut sensor = Sensor::start(&pair.a, &["-i", "any"]);
    let said = "bond0 is left out: its packets are counted on a0, c0";
    assert!(sensor.greeting.contains(said), "{}", sensor.greeting);
    traffic::send(&pair.a, "bond0", &traffic::frames(10), 2);
    sensor.counted(20);
    let report = sensor.stop().checked();
    let ports = ["a0", "c0"].map(|port| counted(&report, port)[1]);
    assert_eq!(ports, [10, 10], "{report:#}");
}

/// More interfaces than there are slots: the last ones are counted together, and none is left out.
#[test]
fn interfaces_without_a_slot_of_their_own_are_counted_together() {
    need_kernel!();
    const MANY: u64 = 70;
    let namespace = Namespace::new();
    let mut sensor = Sensor::start(&namespace, &["-i", "t*", "--kernel-flows", "1000"]);
    let name = |number| format!("t{number}");
    for number in 0..MANY {
        let made = try_ip(&[
            "-n",
            &namespace.name,
            "link",
            "add",
            &name(number),
            "up",
            "type",
            "bridge",
            // Snooping ones announce themselves by IGMP, at times of their own.
            "mcast_snooping",
            "0",
        ]);
        if !made {
            println!("skipped: no bridges: the kernel module is missing");
            return;
        }
    }
    let mut told = 0;
    while told < MANY {
        sensor.wait_for_line("is new; counting by tcx");
        told += 1;
    }
    for number in 0..MANY {
        traffic::send(&namespace, &name(number), &traffic::frames(1), 1);
    }
    sensor.counted(MANY);
    let ended = sensor.stop();
    reports::add_up(&ended);
    let report = ended.checked();
    assert_eq!(report["totals"]["packets"], MANY);
    let own = interfaces(&report).filter(|one| one["name"] != "others");
    let own = own.count() as u64;
    println!("{own} interfaces with a slot of their own");
    assert!(own < MANY && own > 8, "{own}");
    assert_eq!(counted(&report, "others"), [0, MANY - own]);
    assert_eq!(counted(&report, &name(0)), [0, 1]);
}

/// A bridge on `a0`, and what stands on `c0`; `None` where the kernel can't.
fn stack(namespace: &Namespace) -> Option<&'static [&'static str]> {
    let a = &namespace.name;
    let made = try_ip(&["-n", a, "link", "add", "br0", "up", "type", "bridge"])
        && try_ip(&["-n", a, "link", "set", "a0", "master", "br0"])
        && try_ip(&[
            "-n", a, "link", "add", "m0", "up", "link", "c0", "type", "macvlan",
        ]);
    if !made {
        println!("skipped: no bridge or macvlan: a kernel module is missing");
        return None;
    }
    let vlan = [
        "-n", a, "link", "add", "v7", "up", "link", "c0", "type", "vlan", "id", "7",
    ];
    if try_ip(&vlan) {
        return Some(&["m0", "v7"]);
    }
    println!("skipped: a VLAN interface: no kernel module 8021q");
    Some(&["m0"])
}

fn try_ip(arguments: &[&str]) -> bool {
    let output = std::process::Command::new("ip").args(arguments).output();
    output.unwrap().status.success()
}

fn add_pair(pair: &Pair, here: &str, there: &str) {
    let (a, b) = (&pair.a.name, &pair.b.name);
    ip(&[
        "link", "add", here, "netns", a, "type", "veth", "peer", "name", there, "netns", b,
    ]);
    ip(&["-n", a, "link", "set", here, "up"]);
    ip(&["-n", b, "link", "set", there, "up"]);
    eventually("a link that carries", || {
        pair.a.inside(|| {
            let link = sensor::link::by_name(here).unwrap();
            link.is_some_and(|link| link.running)
        })
    });
}

/// Packets by ingress and egress.
fn counted(report: &Value, name: &str) -> [u64; 2] {
    let one = interfaces(report).find(|one| one["name"] == name);
    let one = &one.unwrap_or_else(|| panic!("no {name}: {report:#}"))["counted"];
    ["ingress", "egress"].map(|way| {
        let packets = one[way]["packets"].as_u64().unwrap();
        assert!(one[way]["bytes"].as_u64().unwrap() >= packets * LEN);
        packets
    })
}

fn interfaces(report: &Value) -> impl Iterator<Item = &Value> {
    report["source"]["interfaces"].as_array().unwrap().iter()
}
