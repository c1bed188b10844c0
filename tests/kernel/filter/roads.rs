//! The same filter leaves the same, whichever road the packets took: native XDP, TC and AF_PACKET at once, and a file.

use serde_json::Value;

use crate::alike::{SAME, common};
use crate::harness::{Pair, Sensor, ip, need_kernel, read_with};
use crate::packets;

/// Of packets, of flows, and of both.
const EXPRESSIONS: [&str; 9] = [
    "tcp port 443 or udp port 53",
    "vlan",
    "vlan 101 and ip6",
    "net 10.9.1.0/30 or net 2001:db8:0:1::/125",
    "not tcp",
    "tcp[tcpflags] & tcp-syn != 0",
    "greater 500",
    "dns",
    "not vlan and bytes > 2k",
];

#[test]
fn every_road_leaves_the_same() {
    need_kernel!();
    let frames = packets::mixed(1514);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sent.pcap");
    packets::write_pcap(&file, &frames);
    for expression in EXPRESSIONS {
        let read = read_with(&file, &["-f", expression]);
        let matched = read["totals"]["packets"].as_u64().unwrap();
        assert!(
            (1..frames.len() as u64).contains(&matched),
            "{expression}: {matched}"
        );
        let pair = Pair::new(1500);
        // So that the host answers nothing of what it is sent.
        ip(&["-n", &pair.b.name, "addr", "flush", "dev", "b0"]);
        let sensors = start(&pair, expression);
        pair.a.send("a0", &frames);
        for (backend, sensor) in sensors {
            let live = sensor.stop().checked();
            assert_eq!(live["source"]["backend"], backend, "{expression}");
            same(&live, &read, &format!("{expression:?} by {backend}"));
        }
    }
}

/// All on one interface: XDP passes everything on, and TC and packet sockets stand beside each other.
fn start(pair: &Pair, expression: &str) -> Vec<(&'static str, Sensor)> {
    let start = |backend| {
        let arguments = ["-i", "b0", "--backend", backend, "-f", expression];
        (backend, Sensor::start(&pair.b, &arguments))
    };
    std::thread::scope(|scope| {
        ["xdp", "tc", "af-packet"]
            .map(|backend| scope.spawn(move || start(backend)))
            .map(|thread| thread.join().unwrap())
            .into()
    })
}

fn same(live: &Value, file: &Value, what: &str) {
    for part in ["packets", "bytes"] {
        assert_eq!(live["totals"][part], file["totals"][part], "{what}");
    }
    for section in SAME {
        assert_eq!(
            common(&live[section]),
            common(&file[section]),
            "{what}: {section}"
        );
    }
    for part in [
        "seen",
        "in_flows",
        "overflow",
        "not_ip",
        "malformed",
        "filtered",
        "lost",
    ] {
        let (live, file) = (&live["accounting"][part], &file["accounting"][part]);
        let nothing_lost = part == "lost"
            && live
                .as_object()
                .is_some_and(|lost| lost.values().all(|n| n == 0));
        assert!(
            live == file || nothing_lost,
            "{what}: {part}: {live} and {file}"
        );
    }
}
