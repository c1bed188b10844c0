//! Super-packets are written as what crosses the wire: as the kernel itself cuts them, to the byte.

use std::path::Path;

use sensor::source::file::{CaptureFile, Way};

use crate::gso::transfer;
use crate::harness::{Namespace, Pair, Sensor, eventually, ip, need_kernel, read};

/// A and B, and a bridge between them, of whose ports `p0` hands super-packets on and `p1` does not.
struct Bridged {
    pair: Pair,
    between: Namespace,
}

impl Bridged {
    fn new() -> Self {
        let between = Namespace::new();
        let pair = Pair {
            a: Namespace::new(),
            b: Namespace::new(),
        };
        let m = &between.name;
        ip(&[
            "-n",
            m,
            "link",
            "add",
            "br0",
            "type",
            "bridge",
            "mcast_snooping",
            "0",
        ]);
        for (namespace, name, port, address) in [
            (&pair.a, "a0", "p0", "10.9.0.1/24"),
            (&pair.b, "b0", "p1", "10.9.0.2/24"),
        ] {
            let n = &namespace.name;
            ip(&[
                "link", "add", name, "netns", n, "type", "veth", "peer", "name", port, "netns", m,
            ]);
            ip(&["-n", n, "addr", "add", address, "dev", name]);
            ip(&["-n", n, "link", "set", name, "up"]);
            ip(&["-n", m, "link", "set", port, "master", "br0", "up"]);
        }
        ip(&["-n", m, "link", "set", "br0", "up"]);
        Bridged { pair, between }
    }
}

/// Bytes of the packets of one interface and way, in their order.
fn packets(file: &Path, interface: &str, way: Way) -> Vec<Vec<u8>> {
    let mut file = CaptureFile::open(file).unwrap();
    file.describe_interfaces();
    let mut packets = Vec::new();
    while let Some(record) = file.next().unwrap() {
        let name = record.described.and_then(|one| one.name.as_deref());
        if name == Some(interface) && record.way == way {
            assert_eq!(record.wire_len as usize, record.data.len());
            packets.push(record.data.to_vec());
        }
    }
    packets
}

/// Of a TCP header behind those of Ethernet and IPv4.
const CHECKSUM: usize = 50;

fn word(packet: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([packet[at], packet[at + 1]])
}

/// The checksum of TCP without that of the bytes that it is about.
fn unfinished(packet: &[u8]) -> u16 {
    let addresses = [26, 28, 30, 32].map(|at| u32::from(word(packet, at)));
    let len = u32::from(word(packet, 16)) - 20;
    let sum = addresses.iter().sum::<u32>() + 6 + len;
    ((sum & 0xffff) + (sum >> 16)) as u16
}

#[test]
fn super_packets_are_cut_as_the_kernel_cuts_them() {
    need_kernel!();
    let bridged = Bridged::new();
    let mut ethtool = bridged.between.command("ethtool");
    let ethtool = ethtool
        .args(["-K", "p1", "tx", "off", "gso", "off"])
        .output();
    if !ethtool.is_ok_and(|output| output.status.success()) {
        println!("skipped: no ethtool");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.pcapng");
    let arguments = ["-i", "p0", "-i", "p1", "-w", file.to_str().unwrap()];
    let sensor = Sensor::start(&bridged.between, &arguments);
    transfer(&bridged.pair, "10.9.0.2");
    let mut before = None;
    eventually("the bridge falls quiet", || {
        let now = ["p0", "p1"].map(|port| {
            let link = bridged.between.inside(|| sensor::link::by_name(port));
            let link = link.unwrap().unwrap();
            (link.rx.packets, link.tx.packets)
        });
        before.replace(now) == Some(now)
    });
    let live = sensor.stop().checked();
    let cut_by_us = packets(&file, "p0", Way::Ingress);
    let cut_by_the_kernel = packets(&file, "p1", Way::Egress);
    assert_eq!(cut_by_us.len(), cut_by_the_kernel.len());
    let mut cut = 0;
    for (ours, theirs) in cut_by_us.iter().zip(&cut_by_the_kernel) {
        // A packet that was none of several has what its sender left to the card: the sum of addresses and length.
        let left = ours.len() > CHECKSUM + 2 && word(ours, CHECKSUM) == unfinished(ours);
        let sum = if left { CHECKSUM..CHECKSUM + 2 } else { 0..0 };
        let rest = |packet: &[u8]| [&packet[..sum.start], &packet[sum.end..]].concat();
        assert_eq!(rest(ours), rest(theirs));
        cut += usize::from(!left && ours.len() > 1000);
    }
    assert!(cut > 4000, "{cut}");
    let again = read(&file);
    for counts in ["packets", "bytes", "ingress", "egress"] {
        assert_eq!(again["totals"][counts], live["totals"][counts], "{counts}");
    }
}
