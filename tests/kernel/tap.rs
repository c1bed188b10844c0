//! Mirror ports: all that comes is counted and nothing of it reaches the host; interfaces in use are left alone.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::Duration;

use serde_json::Value;

use sensor::link;

use crate::harness::{Namespace, Pair, Sensor, eventually, ip, need_kernel, read_with, refused};
use crate::support::report::number;
use crate::{packets, replay, traffic};

#[test]
fn by_native_xdp() {
    replay::replay(1500, &["--tap"], "xdp (native)");
}

#[test]
fn by_native_xdp_with_jumbo_frames() {
    replay::replay(9000, &["--tap"], "xdp (native)");
}

#[test]
fn by_generic_xdp() {
    let generic = ["--tap", "--xdp-mode", "generic"];
    replay::replay(1500, &generic, "xdp (generic)");
}

#[test]
fn by_tc() {
    replay::replay(9000, &["--tap", "--backend", "tc"], "ingress by tc");
}

#[test]
fn by_af_packet() {
    let packet = ["--tap", "--backend", "af-packet"];
    replay::replay(9000, &packet, "ingress by af-packet");
}

/// The kernel decides on each packet as userspace does.
#[test]
fn home_networks_tell_the_same_directions_on_every_road() {
    need_kernel!();
    const HOME: [&str; 6] = [
        "--home-net",
        "10.9.0.0/28",
        "--home-net",
        "192.168.0.0/16",
        "--home-net",
        "2001:db8::/33",
    ];
    let frames = replay::everything(1500);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sent.pcap");
    packets::write_pcap(&file, &frames);
    let whole = read_with(&file, &HOME);
    for way in ["ingress", "egress", "unknown_direction"] {
        assert!(number(&whole["totals"][way]["packets"]) > 0, "{way}");
    }
    for backend in ["xdp", "tc", "af-packet", "af-xdp"] {
        let pair = quiet_pair();
        let arguments = [&["-i", "b0", "--tap", "--backend", backend], &HOME[..]];
        let mut sensor = Sensor::start(&pair.b, &arguments.concat());
        pair.a.send("a0", &frames);
        sensor.counted(frames.len() as u64);
        let live = sensor.stop().checked();
        assert_eq!(ways(&live), ways(&whole), "{backend}");
        assert_eq!(flow_ways(&live), flow_ways(&whole), "{backend}");
        let note = "directions are told by --home-net 10.9.0.0/28, 192.168.0.0/16, 2001:db8::/33";
        let notes = live["notes"].as_array().unwrap();
        assert!(notes.iter().any(|one| one == note), "{notes:?}");
    }
}

/// Each packet twice, in a row.
#[test]
fn what_is_mirrored_twice_counts_once() {
    need_kernel!();
    let frames: Vec<Vec<u8>> = traffic::frames(200)
        .into_iter()
        .flat_map(|frame| [frame.clone(), frame])
        .collect();
    for backend in ["af-xdp", "af-packet"] {
        let pair = quiet_pair();
        let dedup = ["--dedup", "--dedup-window", "1s", "--backend", backend];
        let arguments = [&["-i", "b0", "--tap"], &dedup[..]].concat();
        let mut sensor = Sensor::start(&pair.b, &arguments);
        traffic::send(&pair.a, "a0", &frames, 1);
        sensor.counted(200);
        traffic::received(&pair.b, "b0", 400);
        let report = sensor.stop().checked();
        for part in ["/totals/packets", "/accounting/duplicates/packets"] {
            assert_eq!(
                number(report.pointer(part).unwrap()),
                200,
                "{backend}: {part}"
            );
        }
        let counters = &report["accounting"]["interface_counters"][0];
        assert_eq!(counters["counted_packets"], 400, "{counters:#}");
    }
}

/// A filter that asks for the direction means the same one.
#[test]
fn a_filter_means_the_directions_of_home() {
    need_kernel!();
    let pair = quiet_pair();
    let home = ["-i", "b0", "--tap", "--home-net", "10.9.0.1/32"];
    let mut sensor = Sensor::start(&pair.b, &[&home[..], &["outbound"]].concat());
    let there = traffic::frames(10);
    traffic::send(&pair.a, "a0", &there, 3);
    sensor.counted(30);
    let report = sensor.stop().checked();
    assert_eq!(report["totals"]["egress"]["packets"], 30);
    assert_eq!(report["accounting"]["filtered"]["packets"], 0);
}

#[test]
fn nothing_reaches_the_host_while_it_runs() {
    need_kernel!();
    for backend in ["xdp", "tc"] {
        let pair = Pair::new(1500);
        let receiver = pair.b.inside(|| UdpSocket::bind("10.9.0.2:9").unwrap());
        let sender = pair.a.inside(|| UdpSocket::bind("10.9.0.1:0").unwrap());
        let hello = || {
            sender.send_to(b"hello", "10.9.0.2:9").unwrap();
        };
        // Who is asked for its address now need not answer while it can't.
        hello();
        receiver.recv(&mut [0; 8]).unwrap();
        let tap = ["-i", "b0", "--tap", "--force", "--backend", backend];
        let mut sensor = Sensor::start(&pair.b, &tap);
        (0..10).for_each(|_| hello());
        sensor.counted(10);
        receiver.set_nonblocking(true).unwrap();
        let got = receiver.recv(&mut [0; 8]).unwrap_err();
        assert_eq!(got.kind(), ErrorKind::WouldBlock, "{backend}");
        let report = sensor.stop().checked();
        let interface = &report["source"]["interfaces"][0];
        let why = interface["ingress"]["why"].as_str().unwrap();
        assert!(why.ends_with("; counted packets are dropped"), "{why}");
        assert_eq!(interface["egress"]["hook"], Value::Null);
        assert_eq!(interface["egress"]["why"], "a mirror port sends nothing");
        hello();
        receiver.set_nonblocking(false).unwrap();
        let patience = Some(Duration::from_secs(30));
        receiver.set_read_timeout(patience).unwrap();
        assert_eq!(receiver.recv(&mut [0; 8]).unwrap(), 5, "{backend}");
    }
}

#[test]
fn promiscuous_mode_ends_with_the_process_however_that_ends() {
    need_kernel!();
    let pair = quiet_pair();
    let tap = ["-i", "b0", "--tap"];
    assert_eq!(promiscuity(&pair.b), 0);
    let sensor = Sensor::start(&pair.b, &tap);
    assert_eq!(promiscuity(&pair.b), 1);
    sensor.stop().checked();
    assert_eq!(promiscuity(&pair.b), 0);
    let sensor = Sensor::start(&pair.b, &tap);
    assert_eq!(promiscuity(&pair.b), 1);
    sensor.signal(libc::SIGKILL);
    sensor.killed();
    eventually("no promiscuous mode", || promiscuity(&pair.b) == 0);
    let xdp = pair.b.inside(|| link::by_name("b0").unwrap().unwrap().xdp);
    assert_eq!(xdp, None);
}

#[test]
fn an_interface_in_use_is_refused_and_the_use_is_named() {
    need_kernel!();
    let pair = Pair::new(1500);
    let tap = ["-i", "b0", "--tap"];
    let (code, said) = refused(&pair.b, &tap);
    assert_eq!(code, Some(4), "{said}");
    let line = "sensor: b0 can't be counted: it has the address 10.9.0.2; with --tap nothing that arrives on it would \
                reach this host; name the interface of a mirror port, or add --force\n";
    assert_eq!(said, line);
    assert_eq!(promiscuity(&pair.b), 0);
    let (code, said) = refused(&pair.b, &["-i", "lo", "--tap"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("it has the address 127.0.0.1"), "{said}");
    let namespace = &pair.b.name;
    ip(&["-n", namespace, "addr", "flush", "dev", "b0"]);
    ip(&["-n", namespace, "link", "add", "br0", "type", "bridge"]);
    ip(&["-n", namespace, "link", "set", "b0", "master", "br0"]);
    let (code, said) = refused(&pair.b, &tap);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("it is part of bridge br0;"), "{said}");
    Sensor::start(&pair.b, &[&tap[..], &["--force"]].concat())
        .stop()
        .checked();
}

/// Once, and in the report too; what was there before is no news.
#[test]
fn an_interface_that_comes_into_use_is_told() {
    need_kernel!();
    for (backend, more) in [("xdp", &[][..]), ("af-xdp", &["--force"])] {
        let pair = quiet_pair();
        let add = |address| ip(&["-n", &pair.b.name, "addr", "add", address, "dev", "b0"]);
        if !more.is_empty() {
            add("192.0.2.1/32");
        }
        let tap = ["-i", "b0", "--tap", "--backend", backend];
        let mut sensor = Sensor::start(&pair.b, &[&tap, more].concat());
        add("192.0.2.2/32");
        let line = sensor.wait_for_line("in use");
        let said = "b0 is in use on this host now: it has the address 192.0.2.2; with --tap nothing that arrives on \
                    it reaches this host";
        assert!(line.contains(said), "{line}");
        add("192.0.2.3/32");
        let line = sensor.wait_for_line("in use");
        assert!(
            line.contains("now: it has the address 192.0.2.3;"),
            "{line}"
        );
        let report = sensor.stop().checked();
        let notes = report["notes"].as_array().unwrap();
        let used = notes.iter().filter_map(Value::as_str);
        assert_eq!(used.filter(|note| note.contains("in use")).count(), 2);
    }
}

/// A pair of which neither end says anything by itself.
pub(crate) fn quiet_pair() -> Pair {
    let pair = Pair::new(1500);
    ip(&["-n", &pair.b.name, "addr", "flush", "dev", "b0"]);
    pair
}

/// How many want all packets of `b0`.
fn promiscuity(namespace: &Namespace) -> u32 {
    let output = std::process::Command::new("ip")
        .args(["-n", &namespace.name, "-d", "link", "show", "b0"])
        .output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let mut words = text.split_whitespace();
    words.find(|word| *word == "promiscuity").unwrap();
    words.next().unwrap().parse().unwrap()
}

fn ways(report: &Value) -> [Value; 3] {
    ["ingress", "egress", "unknown_direction"].map(|way| report["totals"][way].clone())
}

fn flow_ways(report: &Value) -> Vec<String> {
    let flows = report["flows"].as_array().unwrap().iter();
    let way = |flow: &Value| {
        let parts = [
            "src_addr",
            "src_port",
            "dst_addr",
            "dst_port",
            "transport",
            "direction",
            "packets",
        ];
        parts.map(|part| flow[part].to_string()).join(" ")
    };
    let mut ways: Vec<String> = flows.map(way).collect();
    ways.sort();
    ways
}
