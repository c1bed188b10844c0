//! Packets and their flows, few and different, about which every expression is asked.

use std::sync::OnceLock;

use sensor::filter::flow::{FlowFacts, Measured};
use sensor_common::facts::Facts;
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::{self, LinkType};
use sensor_common::view::SliceView;

/// Everything that can be known of one packet and of its flow.
#[derive(Debug)]
pub(super) struct World {
    pub(super) facts: Facts,
    pub(super) bytes: Vec<u8>,
    pub(super) application: Option<&'static str>,
    pub(super) counts: Option<Measured>,
    pub(super) interface: &'static str,
}

impl World {
    pub(super) fn flow(&self) -> FlowFacts<'_> {
        FlowFacts {
            key: self.facts.key(),
            application: self.application,
            counts: self.counts,
            interface: Some(self.interface),
        }
    }
}

const INTERFACES: [&str; 3] = ["eth0", "eth1", "wg0"];

/// One of them was there twice.
pub(super) fn slots(name: &str) -> Vec<u8> {
    match name {
        "eth0" => vec![0, 3],
        "eth1" => vec![1],
        "wg0" => vec![2],
        _ => Vec::new(),
    }
}

pub(super) fn worlds() -> &'static [World] {
    static WORLDS: OnceLock<Vec<World>> = OnceLock::new();
    WORLDS.get_or_init(|| {
        let frames = frames();
        let worlds = frames.into_iter().enumerate();
        worlds
            .map(|(number, (link_type, bytes, application))| {
                world(number, link_type, bytes, application)
            })
            .collect()
    })
}

fn world(
    number: usize,
    link_type: LinkType,
    bytes: Vec<u8>,
    application: Option<&'static str>,
) -> World {
    let slot = number % INTERFACES.len();
    let directions = [Direction::Unknown, Direction::Ingress, Direction::Egress];
    let mut origin = FlowKey([0; 5]);
    origin.set_origin(slot as u8, directions[number / 2 % 3]);
    let mut facts = Facts::NONE;
    facts.new_link(link_type == LinkType::Ethernet);
    let parsed = parse::packet_observed(&SliceView(&bytes), link_type, &mut facts);
    facts.parsed(&parsed, origin.0[4], bytes.len() as u32);
    // What is not IP is in no flow.
    let in_flow = parsed.is_ok_and(|packet| packet.key.is_ip());
    let counts = in_flow.then(|| Measured {
        packets: 10_u64.pow(number as u32 % 5),
        bytes: 1_u64 << (number * 5 % 40),
        duration: (!number.is_multiple_of(4)).then_some(number as u64 * 1_000_000_000),
    });
    World {
        facts,
        bytes,
        application: application.filter(|_| in_flow),
        counts,
        interface: INTERFACES[slot],
    }
}

const TCP: [u8; 6] = [0xc3, 0x50, 0x01, 0xbb, 0, 1];
const DNS: [u8; 6] = [0, 53, 0xc3, 0x50, 0, 20];
const SSH: [u8; 6] = [0, 22, 0, 80, 9, 9];

fn frames() -> Vec<(LinkType, Vec<u8>, Option<&'static str>)> {
    let ethernet = |ethertypes: &[u8], payload: &[u8]| {
        let macs = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        [&macs[..], ethertypes, payload].concat()
    };
    let group = |payload: &[u8]| {
        let macs = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 2];
        [&macs[..], payload].concat()
    };
    let arp = [
        0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
    ];
    let vlan = [0x81, 0, 0, 10, 8, 0];
    let qinq = [0x88, 0xa8, 0, 20, 0x81, 0, 0, 10, 0x86, 0xdd];
    let mpls = [0x88, 0x47, 0, 6, 0x40, 64, 0, 6, 0x51, 64];
    let pppoe = [0x88, 0x64, 0x11, 0, 0, 7, 0, 60, 0, 0x21];
    let stp = [0, 20, 0x42, 0x42, 3];
    let is_at = LinkType::Ethernet;
    let frames = vec![
        (is_at, ethernet(&[8, 0], &ipv4(6, 0, &TCP)), Some("https")),
        (is_at, ethernet(&[8, 0], &ipv4(17, 0, &DNS)), Some("dns")),
        (is_at, ethernet(&[8, 0], &ipv4(6, 0x2001, &TCP)), None),
        (is_at, ethernet(&[8, 0], &ipv4(1, 0, &[8, 0, 0, 0])), None),
        (is_at, ethernet(&[8, 0], &ipv4(47, 0, &[0; 8])), None),
        (is_at, ethernet(&vlan, &ipv4(6, 0, &SSH)), Some("ssh")),
        (is_at, ethernet(&qinq, &ipv6(17, &DNS)), Some("dns")),
        (is_at, ethernet(&mpls, &ipv4(132, 0, &SSH)), None),
        (is_at, ethernet(&pppoe, &ipv4(6, 0, &TCP)), Some("https")),
        (is_at, ethernet(&[0x86, 0xdd], &ipv6(58, &[128, 0])), None),
        (is_at, ethernet(&[0x86, 0xdd], &ipv6(6, &SSH)), Some("ssh")),
        (is_at, group(&[&[8, 6][..], &arp].concat()), None),
        (is_at, ethernet(&[8, 6], &arp[..20]), None),
        (is_at, group(&stp), None),
        (is_at, ethernet(&[0x88, 0xcc], &[2, 7, 4]), None),
        (is_at, ethernet(&[8, 0], &ipv4(6, 0, &TCP)[..18]), None), // malformed
        (is_at, ethernet(&[8, 0], &ipv4(6, 0, &TCP[..2])), None),
        (is_at, vec![2, 0, 0], None),
        (LinkType::RawIp, ipv4(6, 0, &TCP), Some("https")),
        (LinkType::RawIp, ipv6(17, &DNS), Some("dns")),
        (LinkType::Unsupported, vec![7; 40], None),
        (is_at, Vec::new(), None),
    ];
    frames
}

fn ipv4(protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = fragment.to_be_bytes();
    let mut packet = vec![0x45, 0, 0, 0, 0, 1, high, low, 64, protocol, 0, 0];
    packet.extend([10, 0, 0, 1, 192, 168, 1, 255]);
    packet.extend(payload);
    packet.resize(packet.len() + 24 * usize::from(payload.len() > 4), 0x12);
    packet
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, payload.len() as u8, next, 64];
    for last in [1, 2] {
        packet.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend(payload);
    packet
}
