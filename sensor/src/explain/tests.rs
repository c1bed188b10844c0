use sensor_common::parse::{self, LinkType};
use sensor_common::view::SliceView;

use super::*;

fn names(dissection: &Dissection) -> Vec<&'static str> {
    dissection.layers.iter().map(|layer| layer.name).collect()
}

fn udp(payload: &[u8], dst: u16) -> Vec<u8> {
    let builder = etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 2])
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .udp(4000, dst);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, payload).unwrap();
    bytes
}

#[test]
fn layers_follow_each_other_without_gaps() {
    let mut bytes = udp(&[0xff; 9], 9);
    bytes.extend([0; 7]);
    let dissection = dissect(&bytes, 1, &mut ());
    let expected = ["ethernet", "ipv4", "udp", "payload", "trailer"];
    assert_eq!(names(&dissection), expected);
    let mut end = 0;
    for layer in &dissection.layers {
        assert_eq!(layer.offset, end);
        end += layer.length;
    }
    assert_eq!(end, bytes.len());
    assert_eq!(dissection.ended, None);
}

#[test]
fn every_cut_is_said_and_shown() {
    let bytes = udp(&[0xff; 9], 9);
    for len in 1..42 {
        let dissection = dissect(&bytes[..len], 1, &mut ());
        assert!(
            len == 14 || len == 34 || dissection.ended.is_some(),
            "{len}"
        );
        let shown: usize = dissection.layers.iter().map(|layer| layer.length).sum();
        assert_eq!(shown, len);
    }
}

#[test]
fn addresses_say_what_they_are() {
    let dissection = dissect(&udp(&[], 9), 1, &mut ());
    let fields = &dissection.layers[0].fields;
    assert_eq!(fields[0].value, "01:00:00:00:00:02 (multicast)");
    assert_eq!(fields[1].value, "02:00:00:00:00:01 (locally administered)");
}

#[test]
fn tunnels_in_tunnels_end() {
    // IPv4 in IPv4, until nothing is left.
    let mut packet = Vec::new();
    for _ in 0..200 {
        let rest = packet.len() + 20;
        let mut header = vec![
            0x45,
            0,
            (rest >> 8) as u8,
            rest as u8,
            0,
            0,
            0,
            0,
            64,
            4,
            0,
            0,
        ];
        header.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        header.extend(packet);
        packet = header;
    }
    let dissection = dissect(&packet, 101, &mut ());
    assert_eq!(dissection.layers.len(), MAX_LAYERS);
    assert!(dissection.ended.is_some());
}

#[test]
fn etherparse_is_heard_where_it_differs() {
    let bytes = udp(&[1; 20], 9);
    let differs = |bytes: &[u8]| {
        let counted = parse::packet(&SliceView(bytes), LinkType::Ethernet);
        opinion::differs(bytes, LinkType::Ethernet, &counted)
    };
    assert_eq!(differs(&bytes), None);
    // Its link layer has no MPLS.
    let mut labelled = bytes.clone();
    labelled[12..14].copy_from_slice(&[0x88, 0x47]);
    labelled.splice(14..14, [0, 0, 0x11, 64]);
    let told = differs(&labelled).unwrap();
    assert!(told.starts_with("etherparse: "), "{told}");
    assert!(
        told.contains("counted as: udp 10.0.0.1 port 4000"),
        "{told}"
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_it(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), link in 0_u16..300) {
        for link in [link, 1, 101, 113, 276, 9] {
            let dissection = dissect(&bytes, link, &mut ());
            for layer in dissection.layers {
                assert!(layer.offset + layer.length <= bytes.len());
            }
            let link = LinkType::from_number(link);
            let counted = parse::packet(&SliceView(&bytes), link);
            let _ = opinion::differs(&bytes, link, &counted);
        }
    }

    #[test]
    fn no_changed_byte_breaks_it(at in 0_usize..62, value in proptest::num::u8::ANY, dst in proptest::num::u16::ANY) {
        let mut bytes = udp(&[1; 20], dst);
        bytes[at] = value;
        dissect(&bytes, 1, &mut ());
    }
}
