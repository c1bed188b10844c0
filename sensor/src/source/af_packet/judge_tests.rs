use super::super::source::Counter;
use super::*;
use crate::counters::{Counts, Delta, DeltaConfig};
use crate::filter::{Filter, Nothing};
use etherparse::PacketBuilder;

const ETHER: u16 = libc::ARPHRD_ETHER;
const TAG: Option<Vlan> = Some(Vlan {
    tpid: 0x8100,
    tci: 0x600a, // priority 3, id 10
});

fn tcp(payload: usize) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .tcp(1000, 443, 1, 1000)
        .syn();
    let mut packet = Vec::new();
    builder.write(&mut packet, &vec![7; payload]).unwrap();
    packet
}

fn frame(data: &[u8], vlan: Option<Vlan>) -> Frame<'_> {
    Frame {
        data,
        len: data.len() as u32,
        time_ns: 1,
        ifindex: 3,
        arphrd: ETHER,
        packet_type: libc::PACKET_HOST,
        vlan,
        gso_size: 0,
        gso_kind: 0,
    }
}

/// What is counted and what is left out of the frame.
fn counted(filter: &str, frame: &Frame<'_>) -> (Counts, Counts) {
    let filter = Filter::compile(filter, &Nothing).unwrap_or_else(|error| panic!("{error}"));
    let slots = |name: &str| if name == "eth0" { vec![5] } else { Vec::new() };
    let matcher = filter.matcher(&slots).unwrap();
    let mut counter = Counter {
        mirror: None,
        dedup: None,
        sampler: None,
        listener: None,
        slot: 5,
        loopback: false,
        judge: Some(Judge::new(Arc::new(matcher))),
    };
    let mut delta = Delta::new(DeltaConfig {
        interval: 1,
        max_flows: 16,
        seeds: [7; 10],
        trail: false,
        names: 0,
    });
    counter.count(frame, &mut delta);
    delta.flush();
    let sum = |parts: [Counts; 3]| parts.into_iter().sum();
    (
        sum(delta.by_direction()),
        sum(delta.filtered_by_direction()),
    )
}

fn matches(filter: &str, frame: &Frame<'_>) -> bool {
    let (counted, filtered) = counted(filter, frame);
    assert!(
        (counted == Counts::ZERO) != (filtered == Counts::ZERO),
        "{filter}: {counted:?} {filtered:?}"
    );
    counted != Counts::ZERO
}

#[test]
fn a_packet_is_counted_or_filtered_with_the_same_counts() {
    let data = tcp(100);
    let both = [
        counted("tcp", &frame(&data, TAG)),
        counted("udp", &frame(&data, TAG)),
    ];
    let counts = Counts {
        packets: 1,
        bytes: 158, // with the tag
    };
    assert_eq!(both, [(counts, Counts::ZERO), (Counts::ZERO, counts)]);
}

#[test]
fn a_tag_in_the_metadata_is_the_packets_outermost() {
    let data = tcp(0);
    let mut inner = data[..12].to_vec();
    inner.extend([0x81, 0, 0, 20]);
    inner.extend(&data[12..]);
    for (expression, plain, tagged, twice) in [
        ("vlan", false, true, true),
        ("vlan 10", false, true, true),
        ("vlan 20", false, false, true),
        ("vlan 10 and vlan 20 and port 443", false, false, true),
        ("not vlan", true, false, false),
        ("tcp port 443", true, true, true),
        ("len = 54", true, false, false),
        ("len = 58", false, true, false),
        ("len = 62", false, false, true),
        ("ether src 2:0:0:0:0:1", true, true, true),
    ] {
        let frames = [frame(&data, None), frame(&data, TAG), frame(&inner, TAG)];
        let found = frames.map(|frame| matches(expression, &frame));
        assert_eq!(found, [plain, tagged, twice], "{expression}");
    }
}

#[test]
fn bytes_are_read_where_they_were_on_the_wire() {
    let data = tcp(0);
    for (expression, plain, tagged) in [
        ("ether[12:2] = 0x800", true, false),
        ("ether[12:2] = 0x8100", false, true),
        ("ether[14:2] = 0x600a", false, true),
        ("ether[16:2] = 0x800", false, true),
        (
            "ether[0:4] = 0x02000000 and ether[16:2] = 0x800",
            false,
            true,
        ),
        // With the frame restored, the headers have moved, too.
        (
            "ether[12:2] != 0 and ip[9] = 6 and tcp[tcpflags] = tcp-syn",
            true,
            true,
        ),
        ("ip[9] = 6 and tcp[2:2] = 443", true, true),
    ] {
        let frames = [frame(&data, None), frame(&data, TAG)];
        let found = frames.map(|frame| matches(expression, &frame));
        assert_eq!(found, [plain, tagged], "{expression}");
    }
}

#[test]
fn a_super_packet_is_as_long_as_one_of_its_segments() {
    let data = tcp(3000);
    let mut whole = frame(&data, TAG);
    whole.data = &data[..200];
    (whole.gso_size, whole.gso_kind) = (1448, 1);
    assert!(matches("len = 1506", &whole), "54 + 1448 + 4");
    let (counted, _) = counted("tcp", &whole);
    assert_eq!(counted.packets, 3);
    whole.gso_size = 9000;
    assert!(matches("len = 3058", &whole), "no more than there is");
}

#[test]
fn origin_is_asked_for_and_what_cannot_be_parsed_has_it_too() {
    let data = tcp(0);
    let mut outgoing = frame(&data, None);
    outgoing.packet_type = libc::PACKET_OUTGOING;
    assert!(matches("egress and interface eth0", &outgoing));
    assert!(!matches("ingress or interface eth1", &outgoing));
    let cut = frame(&data[..6], TAG);
    assert!(matches(
        "ingress and interface eth0 and vlan 10 and len = 10",
        &cut
    ));
    assert!(!matches(
        "ip or ether src 2:0:0:0:0:1 or ether[12:2] > 0",
        &cut
    ));
    let mut other = frame(&data, None);
    other.arphrd = 801; // IEEE 802.11
    assert!(matches(
        "ingress and not ip and not ether src 2:0:0:0:0:1",
        &other
    ));
}
