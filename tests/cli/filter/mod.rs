//! Filters: on the command line, on files, and against what independent tools count.

mod documentation;
mod explain;
mod mistakes;
mod read;
mod truth;

use crate::support::capture::{ETHERNET, Endian, Pcap, PcapNg, Record};
use crate::support::packets::{at, ethernet, ethernet_ip, ethertype, tag, tcp, udp};

const START: i64 = 1_700_000_000_000_000_000;
const SECOND: i64 = 1_000_000_000;

/// 10 packets of one second each: 5 TCP to port 443 (one with a VLAN tag), 3 UDP to port 53, 1 ARP, 1 cut off.
fn packets() -> Vec<Record> {
    let web = |payload| tcp(at("10.0.0.1:1000"), at("10.0.0.2:443"), "A", payload);
    let name = |payload| udp(at("10.0.0.1:2000"), at("192.168.0.53:53"), payload);
    let mut frames: Vec<Vec<u8>> = [0, 100, 200, 1000].map(|len| ethernet_ip(&web(len))).into();
    frames.push(ethernet(
        ethertype::VLAN,
        &tag(10, ethertype::IPV4, &web(0)),
    ));
    frames.extend([10, 20, 30].map(|len| ethernet_ip(&name(len))));
    frames.push(ethernet(ethertype::ARP, &[0; 28]));
    frames.push(ethernet_ip(&web(0))[..20].to_vec());
    let at = |index: usize| START + index as i64 * SECOND;
    let records = frames.into_iter().enumerate();
    records
        .map(|(index, frame)| Record::new(at(index), frame))
        .collect()
}

fn pcap() -> Vec<u8> {
    Pcap::default().write(&packets())
}

/// The same packets, in turn on interfaces eth0, wg0 and one without a name.
fn pcapng() -> Vec<u8> {
    const NAME: u16 = 2;
    let mut file = PcapNg::new(Endian::Little)
        .interface_with(ETHERNET, 0, &[(NAME, b"eth0")])
        .interface_with(ETHERNET, 0, &[(NAME, b"wg0\0")])
        .interface(ETHERNET, 0);
    for (index, record) in packets().iter().enumerate() {
        file = file.packet_us(index as u32 % 3, record);
    }
    file.finish()
}
