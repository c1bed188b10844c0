//! What keys hold, and that their hashes spread.

use super::*;

const SEEDS: HashSeeds = [
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
];

#[test]
fn an_ipv4_key_gives_back_what_went_in() {
    let mut key = FlowKey::ipv4(
        u32::from_ne_bytes([10, 0, 0, 1]),
        u32::from_ne_bytes([192, 168, 7, 9]),
        6,
    );
    assert!(!key.has_ports());
    key.set_ports(u32::from_ne_bytes([0x01, 0xbb, 0x12, 0x34]));
    key.set_origin(255, Direction::Egress);
    assert_eq!(key.src_addr().to_string(), "10.0.0.1");
    assert_eq!(key.dst_addr().to_string(), "192.168.7.9");
    assert_eq!(
        (key.src_port(), key.dst_port(), key.protocol()),
        (443, 0x1234, 6)
    );
    assert_eq!((key.slot(), key.direction()), (255, Direction::Egress));
    assert!(key.is_ip() && !key.is_ipv6() && key.has_ports());
}

#[test]
fn a_mapped_ipv6_address_is_not_the_ipv4_address() {
    let v4 = FlowKey::ipv4(u32::from_ne_bytes([1, 2, 3, 4]), 0, 17);
    let v6 = FlowKey::ipv6([v4.0[0], v4.0[1]], [v4.0[2], v4.0[3]], 17);
    assert_ne!(v4, v6);
    assert_eq!(v6.src_addr().to_string(), "::ffff:1.2.3.4");
}

#[test]
fn every_bit_of_the_key_reaches_the_top_of_the_hash() {
    let v4 = FlowKey::ipv4(1, 2, 6);
    // What an IPv4 key has beside its addresses is the same in all of them.
    let address = v4_mapped(u32::MAX) ^ v4_mapped(0);
    let v4_bits = [0, address, 0, address, u64::MAX];
    for (key, bits) in [
        (v4, v4_bits),
        (FlowKey::ipv6([1, 2], [3, 4], 6), [u64::MAX; 5]),
        (FlowKey::not_ip(0x0806), [u64::MAX; 5]),
    ] {
        for (word, bits) in bits.iter().enumerate() {
            for bit in (0..64).map(|bit| 1 << bit).filter(|bit| bits & bit != 0) {
                let mut other = key;
                other.0[word] ^= bit;
                assert_ne!(
                    key.hash(&SEEDS) >> 32,
                    other.hash(&SEEDS) >> 32,
                    "{key:?}, word {word} bit {bit:x}"
                );
            }
        }
    }
}

#[test]
fn a_packet_that_is_not_ip_is_named_by_its_network() {
    for network in [0, 0x42, 0x0806, 0xffff] {
        let mut key = FlowKey::not_ip(network);
        key.set_origin(3, Direction::Ingress);
        assert_eq!((key.network(), key.protocol()), (network, 0));
        assert!(!key.is_ip() && !key.is_ipv6() && !key.has_ports());
        assert_eq!((key.slot(), key.direction()), (3, Direction::Ingress));
    }
    // Not even the same as an IPv4 packet of all zeros.
    assert_ne!(FlowKey::not_ip(0).0[4], FlowKey::ipv4(0, 0, 0).0[4]);
}

#[test]
fn the_origin_leaves_the_rest_alone() {
    for slot in 0..=255 {
        for direction in [Direction::Unknown, Direction::Ingress, Direction::Egress] {
            let mut key = FlowKey::ipv6([1, 2], [3, 4], 255);
            key.set_ports(u32::MAX);
            key.set_origin(slot, direction);
            assert_eq!(
                (key.slot(), key.direction(), key.protocol()),
                (slot, direction, 255)
            );
            assert_eq!((key.src_port(), key.dst_port()), (u16::MAX, u16::MAX));
            assert!(key.is_ip() && key.is_ipv6() && key.0[4] & VALID != 0);
        }
    }
}

#[test]
fn protocol_and_family_are_an_index() {
    for protocol in 0..=255 {
        let mut keys = [
            FlowKey::ipv4(u32::MAX, 1, protocol),
            FlowKey::ipv6([1, 2], [3, 4], protocol),
        ];
        for key in &mut keys {
            key.set_ports(u32::MAX);
            key.set_origin(255, Direction::Egress);
            let index = crate::abi::ip_index(protocol, key.is_ipv6());
            assert_eq!(key.ip_index(), index, "{key:?}");
        }
    }
}

#[test]
fn same_is_equal() {
    let differ = |key: FlowKey, words: &[usize]| {
        assert!(key.same(&key.0));
        for bit in words.iter().flat_map(|word| word * 64..word * 64 + 64) {
            let mut other = key;
            other.0[bit / 64] ^= 1 << (bit % 64);
            assert!(!key.same(&other.0) && !other.same(&key.0), "bit {bit}");
        }
    };
    differ(FlowKey::ipv6([1, 2], [3, 4], 6), &[0, 1, 2, 3, 4]);
    differ(FlowKey::not_ip(0x88cc), &[0, 1, 2, 3, 4]);
    // The others are zero in every key of IPv4.
    differ(FlowKey::ipv4(1, 2, 6), &[1, 3, 4]);
}

#[test]
fn ports_in_a_row_fill_sets_evenly_whatever_the_seeds() {
    let mut random = 88_172_645_463_325_252u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for _ in 0..60 {
        let seeds: HashSeeds = core::array::from_fn(|_| next() | 1);
        let mut sets = std::vec![0u32; 1 << 11];
        for port in 0..8192u16 {
            let mut key = FlowKey::ipv4(1, 2, 6);
            let [a, b] = port.to_be_bytes();
            key.set_ports(u32::from_ne_bytes([a, b, 1, 187]));
            sets[(key.hash(&seeds) >> 53) as usize] += 1;
        }
        // Four in the mean; chance leaves some 170 that don't fit into sets of eight.
        let spilled: u32 = sets.iter().map(|count| count.saturating_sub(8)).sum();
        assert!(spilled < 400, "{spilled} with {seeds:?}");
    }
}

#[test]
fn hosts_of_two_small_networks_hash_apart() {
    let mut hashes = std::collections::HashSet::new();
    for src in 0..=255 {
        for dst in 0..=255 {
            let (src, dst) = ([10, 0, 0, src], [10, 0, 1, dst]);
            let (src, dst) = (u32::from_ne_bytes(src), u32::from_ne_bytes(dst));
            hashes.insert(FlowKey::ipv4(src, dst, 1).hash(&SEEDS) >> 32);
        }
    }
    assert!(hashes.len() > 65_500, "{} hashes", hashes.len());
}
