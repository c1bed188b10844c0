use std::convert::Infallible;

use etherparse::{IpHeaders, IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6Header, PacketBuilder};
use sensor_common::flow::Direction;
use sensor_common::parse::{self, LinkType};
use sensor_common::view::SliceView;

use super::*;
use crate::counters::When;
use crate::source::tap::{Bytes, Origin, SuperPacket};

const MACS: [u8; 6] = [2, 0, 0, 0, 0, 1];

fn ip(ipv6: bool, id: u16, protocol: IpNumber) -> IpHeaders {
    if ipv6 {
        let header = Ipv6Header {
            flow_label: Ipv6FlowLabel::ZERO,
            next_header: protocol,
            source: [1; 16],
            destination: [0xfe; 16],
            hop_limit: 64,
            ..Ipv6Header::default()
        };
        return IpHeaders::Ipv6(header, Default::default());
    }
    let mut header = Ipv4Header::new(0, 64, protocol, [10, 0, 0, 1], [10, 0, 0, 2]).unwrap();
    header.identification = id;
    IpHeaders::Ipv4(header, Default::default())
}

/// `flags`: FIN and PSH, CWR.
fn tcp(ipv6: bool, id: u16, sequence: u32, flags: (bool, bool), payload: &[u8]) -> Vec<u8> {
    let mut header = etherparse::TcpHeader::new(1000, 443, sequence, 7);
    header.ack = true;
    (header.fin, header.psh, header.cwr) = (flags.0, flags.0, flags.1);
    header.set_options_raw(&[1; 12]).unwrap();
    let builder = PacketBuilder::ethernet2(MACS, MACS).ip(ip(ipv6, id, IpNumber::TCP));
    let mut bytes = Vec::new();
    builder
        .tcp_header(header)
        .write(&mut bytes, payload)
        .unwrap();
    bytes
}

fn udp(ipv6: bool, id: u16, payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(MACS, MACS).ip(ip(ipv6, id, IpNumber::UDP));
    let mut bytes = Vec::new();
    builder.udp(1000, 443).write(&mut bytes, payload).unwrap();
    bytes
}

/// Of a super-packet that was captured up to there.
fn cut(packet: &[u8], size: u16, captured: usize) -> Vec<(Vec<u8>, u32)> {
    let parsed = parse::packet(&SliceView(packet), LinkType::Ethernet);
    let header_len = u32::from(parsed.unwrap().header_len);
    let payload = packet.len() - header_len as usize;
    let record = PacketRecord {
        when: When::At(0),
        interface: None,
        direction: Direction::Egress,
        packets: payload.div_ceil(size.into()) as u64,
        wire_len: 0,
        cap_len: 0,
        bytes: Bytes {
            data: packet,
            link_type: 1,
            tag: None,
            len: packet.len() as u32,
            super_packet: Some(SuperPacket { header_len, size }),
        },
        origin: Origin::default(),
        parsed: &parsed,
        book: None,
    };
    let mut packets = Vec::new();
    let len = packet.len() as u32;
    let each = |packet: &[u8], len| {
        packets.push((packet.to_vec(), len));
        Ok::<_, Infallible>(())
    };
    let cut = Cut::of(&record).unwrap();
    let Ok(()) = cut.each((&packet[..captured], len), &mut Vec::new(), each);
    packets
}

fn payload() -> Vec<u8> {
    (0..2501u32).map(|number| (number * 7) as u8).collect()
}

#[test]
fn tcp_is_cut_with_headers_that_go_on() {
    let payload = payload();
    for ipv6 in [false, true] {
        let whole = tcp(ipv6, 0xffff, u32::MAX - 500, (true, true), &payload);
        let parts = cut(&whole, 1000, whole.len());
        let sequence = u32::MAX - 500;
        let expected = [
            tcp(ipv6, 0xffff, sequence, (false, true), &payload[..1000]),
            tcp(
                ipv6,
                0,
                sequence.wrapping_add(1000),
                (false, false),
                &payload[1000..2000],
            ),
            tcp(
                ipv6,
                1,
                sequence.wrapping_add(2000),
                (true, false),
                &payload[2000..],
            ),
        ];
        for (number, (part, expected)) in parts.iter().zip(&expected).enumerate() {
            assert_eq!(part.0, *expected, "{number} {ipv6}");
            assert_eq!(part.1 as usize, expected.len());
        }
        assert_eq!(parts.len(), 3);
    }
}

#[test]
fn udp_is_cut_into_datagrams() {
    let payload = payload();
    for ipv6 in [false, true] {
        let whole = udp(ipv6, 7, &payload);
        let parts = cut(&whole, 1250, whole.len());
        let expected = [
            udp(ipv6, 7, &payload[..1250]),
            udp(ipv6, 8, &payload[1250..2500]),
            udp(ipv6, 9, &payload[2500..]),
        ];
        let parts: Vec<_> = parts.into_iter().map(|(packet, _)| packet).collect();
        assert_eq!(parts, expected);
    }
}

#[test]
fn what_was_not_captured_is_left_out_of_each() {
    let whole = tcp(false, 0, 0, (true, false), &payload());
    let header = whole.len() - 2501;
    let parts = cut(&whole, 1000, header + 1100);
    let lengths: Vec<_> = parts
        .iter()
        .map(|(packet, len)| (packet.len() - header, *len as usize - header))
        .collect();
    assert_eq!(lengths, [(1000, 1000), (100, 1000), (0, 501)]);
}
