//! What holds for any bytes at all.

use proptest::prelude::*;

use super::*;
use crate::flow::Direction;
use crate::parse::Outer;
use crate::parse::tunnel::inner_header_len;
use crate::protocol::network;
use crate::view::HEADER_WINDOW;

/// No header walk ends behind this; in the kernel offsets are masked to as many bits.
const LONGEST_WALK: u16 = 4095;

const LINK_TYPES: [LinkType; 10] = [
    LinkType::Ethernet,
    LinkType::RawIp,
    LinkType::RawIpv4,
    LinkType::RawIpv6,
    LinkType::Null,
    LinkType::Sll,
    LinkType::Sll2,
    LinkType::Ppp,
    LinkType::CiscoHdlc,
    LinkType::Unsupported,
];

/// Bytes that lead somewhere: what headers say of the next one.
const TELLING: &[&[u8]] = &[
    &[0x08, 0x00, 0x45],
    &[0x86, 0xdd, 0x60],
    &[0x81, 0x00],
    &[0x88, 0xa8],
    &[0x88, 0xe7],
    &[0x88, 0x47],
    &[0x88, 0x64],
    &[0x89, 0x26],
    &[0x89, 0x3f],
    &[0x00, 0x21],
    &[0xaa, 0xaa, 0x03, 0, 0, 0],
    &[0, 255],
    &[44, 0],
    &[60, 1],
    &[43],
    &[6],
    &[17],
    &[47],
    &[0x12, 0xb5],
    &[0xff, 0xff],
    &[0; 4],
];

/// One change of a packet: bytes written over it, and from where.
type Change = (prop::sample::Index, Vec<u8>);

fn change() -> impl Strategy<Value = Change> {
    let bytes = prop_oneof![
        prop::sample::select(TELLING).prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 1..4),
    ];
    (any::<prop::sample::Index>(), bytes)
}

/// Bytes without sense, and the samples after a few changes, with a tail that may reach out of the window.
pub(super) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let frames: Vec<Vec<u8>> = samples().into_iter().map(|(_, frame)| frame).collect();
    let nonsense = prop::collection::vec(any::<u8>(), 0..600);
    let changed = (
        prop::sample::select(frames),
        prop::collection::vec(change(), 0..5),
        prop_oneof![3 => Just(0usize), 1 => 0usize..700],
        any::<u8>(),
    )
        .prop_map(|(mut frame, changes, tail, filler)| {
            for (place, with) in changes {
                let start = place.index(frame.len());
                let len = with.len().min(frame.len() - start);
                frame[start..start + len].copy_from_slice(&with[..len]);
            }
            frame.resize(frame.len() + tail, filler);
            frame
        });
    prop_oneof![1 => nonsense, 6 => changed]
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2000)
    }
}

fn check_sane(outcome: &Result<Packet, Reason>) -> Result<(), TestCaseError> {
    let Ok(packet) = outcome else { return Ok(()) };
    prop_assert!(packet.header_len <= LONGEST_WALK);
    prop_assert_eq!(packet.key.direction(), Direction::Unknown);
    prop_assert_eq!(packet.key.slot(), 0);
    prop_assert!(packet.tcp_flags == 0 || packet.key.protocol() == proto::TCP);
    if !packet.key.is_ip() {
        prop_assert!(!packet.key.has_ports() && !packet.key.is_ipv6());
        prop_assert_eq!(packet.key.protocol(), 0);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_of_any_link_type_have_an_outcome(bytes in bytes()) {
        let view = SliceView(&bytes);
        for link_type in LINK_TYPES {
            let outcome = packet(&view, link_type);
            check_sane(&outcome)?;
            if let Ok(packet) = outcome {
                let inner = inner_header_len(&view, Outer::of(&packet));
                prop_assert!(inner.is_none_or(|inner| inner <= LONGEST_WALK));
                prop_assert!(inner.is_none_or(|inner| inner >= packet.header_len));
            }
        }
        for starts_with_ip in [false, true] {
            check_sane(&on_interface(&view, starts_with_ip))?;
        }
    }

    #[test]
    fn nothing_behind_the_window_matters(bytes in bytes(), other in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut long = bytes.clone();
        long.resize(long.len().max(HEADER_WINDOW), 0);
        let mut changed = long[..HEADER_WINDOW].to_vec();
        changed.extend(&other);
        for link_type in LINK_TYPES {
            let outcome = packet(&SliceView(&long), link_type);
            prop_assert_eq!(outcome, packet(&SliceView(&changed), link_type));
            prop_assert_eq!(outcome, packet(&SliceView(&long[..HEADER_WINDOW]), link_type));
        }
    }

    /// What is neither cut nor truncated stands: more bytes of the same packet change nothing.
    #[test]
    fn an_outcome_that_is_not_cut_is_final(bytes in bytes(), part in any::<prop::sample::Index>()) {
        let part = &bytes[..part.index(bytes.len() + 1)];
        for link_type in LINK_TYPES {
            let early = packet(&SliceView(part), link_type);
            let last = packet(&SliceView(&bytes), link_type);
            match early {
                Err(reason) if reason.is_truncation() => {}
                Ok(packet) if packet.cut => {}
                // Behind the last label the payload says what it is.
                Ok(packet) if is_mpls(&packet) => {}
                other => prop_assert_eq!(other, last, "{:?} of {:02x?}", link_type, part),
            }
        }
    }
}

fn is_mpls(packet: &Packet) -> bool {
    !packet.key.is_ip()
        && matches!(
            packet.key.network(),
            network::MPLS | network::MPLS_MULTICAST
        )
}
