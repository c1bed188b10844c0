//! `sensor read` of captures that the test makes itself, against numbers counted by hand.

mod containers;
mod damage;
mod encapsulations;
mod network;
mod threads;
mod whole;

use crate::support::capture::Record;
use crate::support::packets::{at, ethernet, ethernet_ip, ethertype, tcp, udp};

/// 2023-11-14T22:13:20Z.
const START: i64 = 1_700_000_000_000_000_000;
const MILLISECOND: i64 = 1_000_000;

/// Six packets of 438 bytes: a TCP handshake's first two and some data, a DNS question by IPv6, ARP with padding, and an
/// IPv4 header that is cut off.
fn sample() -> Vec<Record> {
    let (client, server) = (at("10.0.0.1:40000"), at("10.0.0.2:443"));
    let mut arp = ethernet(ethertype::ARP, &[0; 28]);
    arp.resize(60, 0);
    let frames = [
        (250, ethernet_ip(&tcp(client, server, "S", 0))),
        (500, ethernet_ip(&tcp(server, client, "SA", 0))),
        (750, ethernet_ip(&tcp(client, server, "PA", 100))),
        (
            2000,
            ethernet_ip(&udp(at("[2001:db8::1]:5000"), at("[2001:db8::2]:53"), 30)),
        ),
        (2500, arp),
        (3000, ethernet(ethertype::IPV4, &[0x45; 10])),
    ];
    let record = |(ms, frame): (i64, Vec<u8>)| Record::new(START + ms * MILLISECOND, frame);
    frames.into_iter().map(record).collect()
}
