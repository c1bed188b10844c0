//! Whatever the bytes, nothing panics; and the beginning of a file yields the beginning of its packets.

use proptest::prelude::*;

use super::*;

fn bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let body = proptest::collection::vec(any::<u8>(), 0..90);
    proptest::collection::vec(body, 0..12)
}

fn orders() -> impl Strategy<Value = Order> {
    proptest::sample::select(&Order::BOTH[..])
}

fn pcap(order: Order, bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut out = order.pcap_header(0xa1b2_c3d4, (2, 4), 1);
    for (n, body) in (0..).zip(bodies) {
        let length = body.len() as u32;
        out.extend(order.record((n, n), (length, length + n), body));
    }
    out
}

fn pcapng(order: Order, bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut out = order.section((1, 0));
    let resolution = order.option(9, &[9]);
    out.extend(order.interface(1, 60, &[]));
    out.extend(order.interface(101, 0, &resolution));
    for (n, body) in (0_u32..).zip(bodies) {
        let flags = order.option(2, &order.u32(n));
        out.extend(match n % 4 {
            0 => order.block(n, body),
            1 => {
                let mut simple = order.u32(body.len() as u32).to_vec();
                simple.extend(body);
                order.block(3, &simple)
            }
            _ => order.enhanced(n % 2, u64::from(n) << 30, body, &flags),
        });
    }
    out
}

fn captures() -> impl Strategy<Value = Vec<u8>> {
    (orders(), bodies(), any::<bool>()).prop_map(|(order, bodies, new)| {
        if new {
            pcapng(order, &bodies)
        } else {
            pcap(order, &bodies)
        }
    })
}

proptest! {
    #[test]
    fn the_beginning_of_a_file_yields_the_beginning_of_its_packets(
        bytes in captures(),
        cut in any::<proptest::sample::Index>(),
    ) {
        let whole = read_clean(&bytes);
        let cut = cut.index(bytes.len() + 1);
        let (packets, error) = read_all(&bytes[..cut]);
        prop_assert_eq!(&packets[..], &whole[..packets.len()]);
        // Only at the end of a block or record can a cut go unnoticed.
        if let Some(CaptureError::Damaged { offset, .. }) = error {
            prop_assert!(offset < cut as u64);
        }
    }

    #[test]
    fn damaged_bytes_leave_the_packets_before_them_alone(
        bytes in captures(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut damaged = bytes.clone();
        let mut first = bytes.len();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            damaged[at] = value;
            first = first.min(at);
        }
        let whole = read_all(&bytes[..first]).0;
        let packets = read_all(&damaged).0;
        prop_assert!(packets.len() >= whole.len() || first < 28, "{} of {}", packets.len(), whole.len());
        if first >= 28 {
            prop_assert_eq!(&packets[..whole.len()], &whole[..]);
        }
    }

    #[test]
    fn the_size_of_the_reads_makes_no_difference(bytes in captures(), step in 1_usize..40) {
        let at_once = read_all(&bytes).0;
        prop_assert_eq!(drain(dribble(&bytes, step)).0, at_once);
    }

    #[test]
    fn damaged_compression_never_panics_and_always_ends(
        bytes in captures(),
        zstd in any::<bool>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut compressed = if zstd { compressed::zstd(&bytes) } else { compressed::gzip(&bytes) };
        for (at, value) in changes {
            let at = at.index(compressed.len());
            compressed[at] = value;
        }
        let broke_down = format!("{:?}", read_all(&compressed).1).contains("broke down");
        prop_assert!(!broke_down, "a decoder panicked");
    }

    #[test]
    fn noise_behind_a_magic_never_panics(
        magic in proptest::sample::select(&[0xa1b2_c3d4_u32, 0xa1b2_3c4d, 0xa1b2_cd34, 0x0a0d_0d0a, 0x1f8b_0800, 0x28b5_2ffd][..]),
        order in orders(),
        noise in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut bytes = order.u32(magic).to_vec();
        bytes.extend(noise);
        read_all(&bytes);
    }
}
