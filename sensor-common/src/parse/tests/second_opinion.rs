//! The same packets parsed by etherparse: every difference is a decision that stands in [`DIFFERENCES`].

use std::cell::RefCell;
use std::net::IpAddr;

use etherparse::err::Layer;
use etherparse::{LaxNetSlice, LaxSlicedPacket, PacketBuilder, TransportSlice};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::flow::FlowKey;

const CASES: u32 = 6000;

/// One packet as both see it.
struct Case<'a> {
    frame: &'a [u8],
    theirs: LaxSlicedPacket<'a>,
    ours: Result<Packet, Reason>,
}

struct Difference {
    name: &'static str,
    applies: fn(&Case) -> bool,
}

/// Where we decided otherwise. A row that excuses nothing any more fails the test too.
const DIFFERENCES: &[Difference] = &[
    Difference {
        // A frame whose EtherType and version contradict each other is malformed here, etherparse goes by the version.
        name: "version against EtherType",
        applies: |case| case.ours == Err(Reason::IpVersion),
    },
    Difference {
        // etherparse takes the frame's length instead; here only 0 means that, anything else is a lie.
        name: "IPv4 total length below the header",
        applies: |case| case.ours == Err(Reason::Ipv4TotalLength),
    },
    Difference {
        // The addresses are there and decide, options are not read; etherparse wants the whole header.
        name: "IPv4 options cut off",
        applies: |case| {
            case.theirs.net.is_none()
                && case
                    .ours
                    .is_ok_and(|packet| packet.key.is_ip() && !packet.key.is_ipv6())
        },
    },
    Difference {
        // AH is a transport of its own for IPv4 and IPv6; etherparse reads on behind it.
        name: "AH ends the walk",
        applies: |case| ours_is(case, |key| key.protocol() == 51),
    },
    Difference {
        // RFC 8200 section 4: hop-by-hop options stand first; packets that break this still have ports.
        name: "hop-by-hop options behind other headers",
        applies: |case| stopped_at(case, Layer::Ipv6HopByHopHeader) && is_ipv6(case),
    },
    Difference {
        // Bytes from the middle of a payload are no extension header; etherparse goes on reading them.
        name: "extension headers behind a later fragment's",
        applies: |case| is_ipv6(case) && is_later_fragment(case),
    },
    Difference {
        // A header that is longer than the payload length says still names the next; etherparse stops before it.
        name: "extension header beyond the payload",
        applies: |case| is_ipv6(case) && stopped_in_extensions(case),
    },
    Difference {
        // etherparse knows neither more than three tags ...
        name: "four tags",
        applies: |case| case.theirs.net.is_none() && case.theirs.link_exts.is_full(),
    },
    Difference {
        // ... nor what these carry.
        name: "link layers that etherparse does not know",
        applies: |case| {
            case.theirs.net.is_none() && case.theirs.stop_err.is_none() && unknown_link(case)
        },
    },
];

fn ours_is(case: &Case, what: fn(&FlowKey) -> bool) -> bool {
    case.ours
        .is_ok_and(|packet| packet.key.is_ip() && what(&packet.key))
}

fn is_ipv6(case: &Case) -> bool {
    matches!(case.theirs.net, Some(LaxNetSlice::Ipv6(_)))
}

fn stopped_at(case: &Case, layer: Layer) -> bool {
    case.theirs
        .stop_err
        .as_ref()
        .is_some_and(|(_, at)| *at == layer)
}

fn stopped_in_extensions(case: &Case) -> bool {
    [
        Layer::Ipv6HopByHopHeader,
        Layer::Ipv6DestOptionsHeader,
        Layer::Ipv6RouteHeader,
        Layer::Ipv6FragHeader,
    ]
    .into_iter()
    .any(|layer| stopped_at(case, layer))
}

fn unknown_link(case: &Case) -> bool {
    let Some(payload) = case.theirs.ether_payload() else {
        return false;
    };
    payload.ether_type.0 < 0x0600
        || matches!(
            payload.ether_type.0,
            0x8847 | 0x8848 | 0x8864 | 0x88e7 | 0x8926 | 0x893f | 0x9200
        )
}

/// Whether the packet is a fragment other than the first. (By hand for IPv6: etherparse's iterator over extension headers
/// reads out of bounds where the laxly parsed ones are cut off.)
fn is_later_fragment(case: &Case) -> bool {
    let extensions = match &case.theirs.net {
        Some(LaxNetSlice::Ipv4(ip)) => return ip.header().fragments_offset().value() != 0,
        Some(LaxNetSlice::Ipv6(ip)) => ip.extensions(),
        Some(LaxNetSlice::Arp(_)) | None => return false,
    };
    let mut kind = extensions.first_header().map(|first| first.0);
    let mut rest = extensions.slice();
    while let (Some(this), [next, len, field @ ..]) = (kind, rest) {
        let offset = matches!(field, [high, low, ..] if *high != 0 || low >> 3 != 0);
        if this == 44 && offset {
            return true;
        }
        let len = match this {
            44 => 8,
            51 => (*len as usize + 2) * 4,
            _ => (*len as usize + 1) * 8,
        };
        (kind, rest) = (Some(*next), rest.get(len..).unwrap_or_default());
    }
    false
}

/// Addresses and protocol of the IP header that etherparse sees.
fn their_ip(case: &Case) -> Option<(IpAddr, IpAddr, u8)> {
    Some(match case.theirs.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => {
            let (header, next) = (ip.header(), ip.payload().ip_number.0);
            let (src, dst) = (header.source_addr(), header.destination_addr());
            (src.into(), dst.into(), next)
        }
        LaxNetSlice::Ipv6(ip) => {
            let (header, next) = (ip.header(), ip.payload().ip_number.0);
            let (src, dst) = (header.source_addr(), header.destination_addr());
            (src.into(), dst.into(), next)
        }
        LaxNetSlice::Arp(_) => return None,
    })
}

/// What differs, or `None`; nothing excuses other addresses, and they are an error.
fn difference(case: &Case) -> Result<Option<String>, String> {
    let ours = case.ours.ok().filter(|packet| packet.key.is_ip());
    let (theirs, ours) = match (their_ip(case), ours) {
        (None, None) => return Ok(None),
        (Some(theirs), Some(ours)) => (theirs, ours),
        (theirs, _) => return Ok(Some(format!("IP or not: {theirs:?}"))),
    };
    let (key, (src, dst, protocol)) = (&ours.key, theirs);
    if (src, dst) != (key.src_addr(), key.dst_addr()) {
        return Err(format!("{theirs:?}, not {}", flow(&ours)));
    }
    if is_later_fragment(case) && key.has_ports() {
        return Err("ports of a later fragment".into());
    }
    if protocol != key.protocol() {
        return Ok(Some(format!("{theirs:?}, not {}", flow(&ours))));
    }
    Ok(match &case.theirs.transport {
        Some(TransportSlice::Udp(udp)) => {
            ports_differ(&ours, udp.source_port(), udp.destination_port(), 0)
        }
        Some(TransportSlice::Tcp(tcp)) => {
            let flags = tcp.slice()[13];
            ports_differ(&ours, tcp.source_port(), tcp.destination_port(), flags)
        }
        // Their transport is missing where any of its header is, and for every fragment; ours has the ports whenever
        // they are there. Whether they are is for the hand-made cases.
        _ => None,
    })
}

fn ports_differ(ours: &Packet, src: u16, dst: u16, flags: u8) -> Option<String> {
    let key = &ours.key;
    let same = key.has_ports()
        && (key.src_port(), key.dst_port()) == (src, dst)
        && ours.tcp_flags == flags;
    (!same).then(|| {
        format!(
            "{src} > {dst} {flags:#x}, not {} {:#x}",
            flow(ours),
            ours.tcp_flags
        )
    })
}

fn check(frame: &[u8], used: &RefCell<Vec<usize>>) -> Result<bool, String> {
    let Ok(theirs) = LaxSlicedPacket::from_ethernet(frame) else {
        return match parse(frame) {
            Err(Reason::TruncatedLink) => Ok(false),
            ours => Err(format!("no Ethernet header, but {ours:?}")),
        };
    };
    let ours = parse(frame);
    let case = Case {
        frame,
        theirs,
        ours,
    };
    let whole = |what: String| {
        let Case {
            frame,
            theirs,
            ours,
        } = &case;
        format!("{what}\nours {ours:?}\ntheirs {theirs:?}\nframe {frame:02x?}")
    };
    let Some(what) = difference(&case).map_err(whole)? else {
        return Ok(case.theirs.transport.is_some());
    };
    match DIFFERENCES
        .iter()
        .position(|difference| (difference.applies)(&case))
    {
        Some(row) => {
            used.borrow_mut()[row] += 1;
            Ok(false)
        }
        None => Err(whole(what)),
    }
}

/// A packet by etherparse's own builder.
fn built() -> impl Strategy<Value = Vec<u8>> {
    let ip = prop_oneof![
        any::<([u8; 4], [u8; 4])>().prop_map(|(src, dst)| (None, Some((src, dst)))),
        any::<([u8; 16], [u8; 16])>().prop_map(|(src, dst)| (Some((src, dst)), None)),
    ];
    let vlan = prop_oneof![Just(0u16), 1u16..4095];
    let payload = prop::collection::vec(any::<u8>(), 0..60);
    (ip, vlan, 0u8..4, any::<(u16, u16)>(), payload).prop_map(
        |((v6, v4), vlan, transport, (src, dst), payload)| {
            let link = PacketBuilder::ethernet2([2; 6], [4; 6]);
            let ip = match (vlan.try_into().ok().filter(|_| vlan != 0), v6, v4) {
                (None, Some((a, b)), _) => link.ipv6(a, b, 64),
                (None, None, v4) => v4.map(|(a, b)| link.ipv4(a, b, 64)).unwrap(),
                (Some(id), Some((a, b)), _) => link.single_vlan(id).ipv6(a, b, 64),
                (Some(id), None, v4) => v4
                    .map(|(a, b)| link.single_vlan(id).ipv4(a, b, 64))
                    .unwrap(),
            };
            let mut frame = Vec::new();
            match transport {
                0 => ip.udp(src, dst).write(&mut frame, &payload),
                1 => ip.tcp(src, dst, 1, 1024).syn().write(&mut frame, &payload),
                2 => ip
                    .tcp(src, dst, 1, 1024)
                    .ack(7)
                    .fin()
                    .write(&mut frame, &payload),
                _ => ip.icmpv4_echo_request(src, dst).write(&mut frame, &payload),
            }
            .unwrap();
            frame
        },
    )
}

/// What it builds, with a few bytes of it changed, cut off or padded.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let len = prop_oneof![4 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
    (built(), changes, len, 0usize..20).prop_map(|(mut frame, changes, len, padding)| {
        for (place, byte) in changes {
            let headers = frame.len().min(60);
            frame[place.index(headers)] = byte;
        }
        match len {
            Some(len) => frame.truncate(len.index(frame.len() + 1)),
            None => frame.resize(frame.len() + padding, 0xee),
        }
        frame
    })
}

#[test]
fn etherparse_says_the_same() {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    // The same packets in every run, so that each row of the table has its packet.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let used = RefCell::new(vec![0; DIFFERENCES.len()]);
    let agreed = RefCell::new(0);
    let frames = prop_oneof![2 => mutated(), 1 => properties::bytes(), 1 => chains()];
    let result = runner.run(&frames, |frame| {
        let same = check(&frame, &used).map_err(TestCaseError::fail)?;
        *agreed.borrow_mut() += u32::from(same);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let unused: Vec<&str> = DIFFERENCES
        .iter()
        .zip(used.into_inner())
        .filter(|(_, uses)| *uses == 0)
        .map(|(row, _)| row.name)
        .collect();
    assert!(unused.is_empty(), "rows that excuse nothing: {unused:?}");
    // Most of the packets must get as far as ports, or the test says little.
    assert!(agreed.into_inner() > CASES / 3);
}

/// IPv6 with chains of extension headers, in and out of the order that RFC 8200 recommends, and IPv4 with options.
fn chains() -> impl Strategy<Value = Vec<u8>> {
    let header = (
        prop::sample::select(&[0u8, 43, 60, 44, 51][..]),
        0u8..3,
        prop_oneof![2 => Just(0u16), 1 => any::<u16>()],
    );
    let headers = prop::collection::vec(header, 0..7);
    let cut = prop_oneof![3 => Just(0u16), 1 => 1u16..40];
    (headers, any::<bool>(), cut, 0usize..6).prop_map(|(headers, is_tcp, cut, tags)| {
        let (mut next, mut rest) = if is_tcp {
            (6, tcp(0x12, 4))
        } else {
            (17, udp(b"data"))
        };
        for (kind, units, field) in headers {
            rest = match kind {
                44 => fragment(next, field >> 3, field & 1 == 1, &rest),
                51 => [&[next, 1, 0, 0], &[0; 8][..], &rest].concat(),
                _ => extension(next, units, &rest),
            };
            next = kind;
        }
        let mut packet = ipv6(next, &rest);
        let len = (packet.len() as u16 - 40).saturating_sub(cut);
        packet[4..6].copy_from_slice(&len.to_be_bytes());
        let (ethertype, rest) = (0..tags).fold((0x86dd, packet), |(next, rest), _| {
            (0x8100, tag(next, &rest))
        });
        ethernet(ethertype, &rest)
    })
}
