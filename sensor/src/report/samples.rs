//! Deltas and reports made by hand, for the tests of everything that reads a report.

use etherparse::PacketBuilder;
use sensor_common::abi::Counts;
use sensor_common::flow::Direction;
use sensor_common::parse::{LinkType, Packet, Reason, packet};
use sensor_common::view::SliceView;

use super::{Context, Egress, Ingress, InterfaceInfo, Report, build};
use crate::counters::{Delta, DeltaConfig, Seen, When};

pub(crate) const SECOND: i64 = 1_000_000_000;
/// 2023-11-14T22:13:20Z
pub(crate) const START: i64 = 1_700_000_000 * SECOND;

pub(crate) fn config(max_flows: usize) -> DeltaConfig {
    DeltaConfig {
        interval: SECOND,
        max_flows,
        seeds: [
            0x9e37_79b9_7f4a_7c15,
            0xbf58_476d_1ce4_e5b9,
            0x94d0_49bb_1331_11eb,
            0xd6e8_feb8_6659_fd93,
            0xff51_afd7_ed55_8ccd,
            0xc4ce_b9fe_1a85_ec53,
            0x2545_f491_4f6c_dd1d,
            0x5851_f42d_4c95_7f2d,
            0x1405_7b7e_f767_814f,
            0x8529_7a4d_3f84_d5b5,
        ],
        trail: false,
        names: 0,
    }
}

/// One packet to count; what it leaves open is as common as can be.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) bytes: Vec<u8>,
    pub(crate) when: When,
    pub(crate) slot: u8,
    pub(crate) direction: Direction,
    pub(crate) counts: Counts,
}

impl Sample {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let counts = Counts {
            packets: 1,
            bytes: bytes.len() as u64,
        };
        Sample {
            bytes,
            when: When::At(START),
            slot: 0,
            direction: Direction::Unknown,
            counts,
        }
    }

    pub(crate) fn at(mut self, nanoseconds: i64) -> Self {
        self.when = When::At(START + nanoseconds);
        self
    }

    pub(crate) fn of(mut self, packets: u64, bytes: u64) -> Self {
        self.counts = Counts { packets, bytes };
        self
    }

    pub(crate) fn way(mut self, slot: u8, direction: Direction) -> Self {
        (self.slot, self.direction) = (slot, direction);
        self
    }

    pub(crate) fn count(&self, delta: &mut Delta) {
        delta.packet(&Seen {
            packet: ethernet(&self.bytes),
            when: self.when,
            slot: self.slot,
            direction: self.direction,
            counts: self.counts,
            captured_bytes: self.bytes.len() as u64,
        });
    }
}

pub(crate) fn delta_of(samples: &[Sample], max_flows: usize) -> Delta {
    let mut delta = Delta::new(config(max_flows));
    samples.iter().for_each(|sample| sample.count(&mut delta));
    delta.flush();
    delta
}

pub(crate) fn tcp4(src: [u8; 4], src_port: u16, dst: [u8; 4], dst_port: u16) -> Sample {
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4(src, dst, 64)
        .tcp(src_port, dst_port, 1, 1024)
        .syn()
        .ack(2);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, &[0; 26]).unwrap();
    Sample::new(bytes)
}

pub(crate) fn udp6(src: [u8; 16], src_port: u16, dst: [u8; 16], dst_port: u16) -> Sample {
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv6(src, dst, 64)
        .udp(src_port, dst_port);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, &[0; 38]).unwrap();
    Sample::new(bytes)
}

pub(crate) fn arp() -> Sample {
    let mut bytes = vec![0; 60];
    bytes[12..14].copy_from_slice(&[8, 6]);
    Sample::new(bytes)
}

pub(crate) fn malformed() -> Sample {
    let bytes = vec![0; 9];
    assert_eq!(ethernet(&bytes), Err(Reason::TruncatedLink));
    Sample::new(bytes)
}

pub(crate) fn context() -> Context {
    Context {
        hostname: "edge-7".into(),
        backend: "xdp".into(),
        interfaces: vec![InterfaceInfo {
            slot: 0,
            name: "eth0".into(),
            ifindex: 2,
            link_type: "ethernet".into(),
            ingress: Ingress {
                hook: Some("xdp".into()),
                mode: Some("native".into()),
                why: "the driver has it".into(),
            },
            egress: Egress {
                hook: Some("tcx".into()),
                why: "kernel 6.6 or newer".into(),
            },
        }],
        top_n: 10,
        interval: SECOND,
        ..Context::default()
    }
}

pub(crate) const HOST: [u8; 4] = [10, 0, 0, 1];
pub(crate) const DNS6: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53];
pub(crate) const LONG6: [u8; 16] = [
    0x20, 1, 0x0d, 0xb8, 0xaa, 0xaa, 0xbb, 0xbb, 0xcc, 0xcc, 0xdd, 0xdd, 0xee, 0xee, 0xff, 0xff,
];

/// A minute with a bit of everything, and `talkers` servers that answer one host.
pub(crate) fn minute(talkers: u8) -> Delta {
    let mut samples = vec![
        arp().at(SECOND / 2),
        malformed().at(SECOND),
        udp6(LONG6, 40000, DNS6, 53).at(2 * SECOND).of(120, 12_000),
        udp6(DNS6, 53, LONG6, 40000).at(3 * SECOND).of(120, 96_000),
    ];
    for talker in 0..talkers {
        let n = u64::from(talker) + 1;
        let far = [192, 0, 2, talker];
        let port = [443, 80, 22, 25, 3306, 50_000][usize::from(talker) % 6];
        let there = tcp4(HOST, 41_000 + u16::from(talker), far, port).of(1000 / n, 90_000 / n);
        let back = tcp4(far, port, HOST, 41_000 + u16::from(talker)).of(9000 / n, 12_600_000 / n);
        for round in 0..10 {
            let at = (i64::from(talker) * 700 + round * 5100) * 1_000_000;
            samples.push(there.clone().at(at).way(0, Direction::Egress));
            samples.push(back.clone().at(at + 30_000_000).way(0, Direction::Ingress));
        }
        if talker % 3 == 2 {
            let mut far6 = LONG6;
            far6[1] = talker;
            let quic = udp6(far6, 443, LONG6, 40001).of(3000 / n, 4_200_000 / n);
            samples.push(
                quic.at(i64::from(talker) * SECOND)
                    .way(0, Direction::Ingress),
            );
        }
    }
    delta_of(&samples, 10_000)
}

pub(crate) fn report(talkers: u8) -> Report {
    build(&minute(talkers), &context())
}

fn ethernet(bytes: &[u8]) -> Result<Packet, Reason> {
    packet(&SliceView(bytes), LinkType::Ethernet)
}
