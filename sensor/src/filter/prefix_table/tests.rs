use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use sensor_common::flow::FlowKey;

use super::*;

fn list(prefixes: &[Prefix]) -> Arc<PrefixList> {
    Arc::new(PrefixList {
        file: None,
        prefixes: prefixes.to_vec(),
    })
}

fn prefix(text: &str) -> Prefix {
    let (addr, len) = text.split_once('/').unwrap();
    Prefix {
        addr: addr.parse().unwrap(),
        len: len.parse().unwrap(),
    }
}

fn words(addr: IpAddr) -> (bool, [u64; 2]) {
    let key = match addr {
        IpAddr::V4(addr) => FlowKey::ipv4(u32::from_ne_bytes(addr.octets()), 0, 6),
        IpAddr::V6(addr) => {
            let (octets, mut words) = (addr.octets(), [0; 2]);
            for (word, bytes) in words.iter_mut().zip(octets.chunks_exact(8)) {
                *word = u64::from_ne_bytes(bytes.try_into().unwrap());
            }
            FlowKey::ipv6(words, [0; 2], 6)
        }
    };
    (key.is_ipv6(), [key.0[0], key.0[1]])
}

fn has(table: &PrefixTable, set: u32, addr: IpAddr) -> bool {
    let (ipv6, words) = words(addr);
    table.contains(set, ipv6, words)
}

fn naive(prefixes: &[Prefix], addr: IpAddr) -> bool {
    prefixes.iter().any(|prefix| match (prefix.addr, addr) {
        (IpAddr::V4(net), IpAddr::V4(addr)) => {
            let free = 32 - u32::from(prefix.len);
            u64::from(net.to_bits()) >> free == u64::from(addr.to_bits()) >> free
        }
        (IpAddr::V6(net), IpAddr::V6(addr)) => {
            let difference = net.to_bits() ^ addr.to_bits();
            difference.leading_zeros() >= u32::from(prefix.len)
        }
        _ => false,
    })
}

/// Addresses that agree in many leading bits: nested and adjacent prefixes are the rule.
fn addr() -> impl Strategy<Value = IpAddr> {
    let v6 =
        (0..4usize, 0u32..128, any::<u128>(), 0u32..=128).prop_map(|(start, bit, tail, free)| {
            let starts = [0, 0xffff << 32, 0x2001_0db8 << 96, u128::MAX];
            let mask = 1u128.checked_shl(free).map_or(u128::MAX, |bit| bit - 1);
            Ipv6Addr::from_bits(starts[start] ^ 1 << bit ^ tail & mask).into()
        });
    let v4 = (0..3usize, 0u32..32, any::<u32>(), 0u32..=32).prop_map(|(start, bit, tail, free)| {
        let starts = [0, 0x0a00_0000, u32::MAX];
        let mask = 1u32.checked_shl(free).map_or(u32::MAX, |bit| bit - 1);
        Ipv4Addr::from_bits(starts[start] ^ 1 << bit ^ tail & mask).into()
    });
    prop_oneof![v4, v6]
}

fn any_prefix() -> impl Strategy<Value = Prefix> {
    (addr(), any::<u8>()).prop_map(|(addr, len)| match addr {
        IpAddr::V4(v4) => {
            let len = len % 33;
            let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
            let addr = Ipv4Addr::from_bits(v4.to_bits() & mask).into();
            Prefix { addr, len }
        }
        IpAddr::V6(v6) => {
            let len = len % 129;
            let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
            let addr = Ipv6Addr::from_bits(v6.to_bits() & mask).into();
            Prefix { addr, len }
        }
    })
}

/// The first and the last address of a prefix, and their neighbours.
fn edges(prefix: &Prefix) -> Vec<IpAddr> {
    match prefix.addr {
        IpAddr::V4(addr) => {
            let first = addr.to_bits();
            let last = first | u32::MAX.checked_shr(u32::from(prefix.len)).unwrap_or(0);
            [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
                .map(|bits| Ipv4Addr::from_bits(bits).into())
                .to_vec()
        }
        IpAddr::V6(addr) => {
            let first = addr.to_bits();
            let last = first | u128::MAX.checked_shr(u32::from(prefix.len)).unwrap_or(0);
            [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
                .map(|bits| Ipv6Addr::from_bits(bits).into())
                .to_vec()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_table_says_what_the_list_says(
        lists in prop::collection::vec(prop::collection::vec(any_prefix(), 0..60), 1..4),
        addrs in prop::collection::vec(addr(), 20),
        seed in any::<u64>(),
    ) {
        let table = PrefixTable::build(&lists.iter().map(|one| list(one)).collect::<Vec<_>>(), seed);
        for (set, prefixes) in lists.iter().enumerate() {
            let edges = lists.iter().flatten().flat_map(edges);
            for addr in addrs.iter().copied().chain(edges) {
                let said = has(&table, set as u32, addr);
                prop_assert_eq!(said, naive(prefixes, addr), "{} in {:?}", addr, prefixes);
            }
        }
    }
}

#[test]
fn whole_families_and_single_hosts() {
    let everything4 = [prefix("0.0.0.0/0")];
    let everything6 = [prefix("::/0")];
    let hosts = [prefix("1.2.3.4/32"), prefix("::ffff:9.9.9.9/128")];
    let table = PrefixTable::build(
        &[
            list(&everything4),
            list(&everything6),
            list(&hosts),
            list(&[]),
        ],
        7,
    );
    for addr in [
        "0.0.0.0",
        "255.255.255.255",
        "1.2.3.4",
        "9.9.9.9",
        "::",
        "::ffff:1.2.3.4",
        "::ffff:9.9.9.9",
    ] {
        let addr: IpAddr = addr.parse().unwrap();
        assert_eq!(has(&table, 0, addr), addr.is_ipv4(), "{addr}");
        assert_eq!(has(&table, 1, addr), addr.is_ipv6(), "{addr}");
        assert_eq!(has(&table, 2, addr), naive(&hosts, addr), "{addr}");
        assert!(!has(&table, 3, addr), "{addr}");
        assert!(!has(&table, 4, addr), "{addr}");
    }
}

#[test]
fn every_length_is_found_in_a_set_of_all_lengths() {
    let prefixes: Vec<Prefix> = (1..=128u8)
        .map(|len| Prefix {
            addr: Ipv6Addr::from_bits(1 << (128 - u32::from(len))).into(),
            len,
        })
        .chain((1..=32u8).map(|len| Prefix {
            addr: Ipv4Addr::from_bits(1 << (32 - u32::from(len))).into(),
            len,
        }))
        .collect();
    for set in prefixes.chunks(1).chain([&prefixes[..]]) {
        let table = PrefixTable::build(&[list(set)], 1);
        for addr in prefixes.iter().flat_map(edges) {
            assert_eq!(has(&table, 0, addr), naive(set, addr), "{addr} in {set:?}");
        }
    }
}

#[test]
fn halves_are_joined_and_what_is_covered_is_left_out() {
    let prefixes = [
        "10.0.0.0/9",
        "10.128.0.0/9",
        "11.0.0.0/8",
        "10.3.0.0/16",
        "12.0.0.0/8",
    ]
    .map(prefix);
    let blocks = disjoint(&prefixes, false);
    assert_eq!(
        blocks,
        [
            Block::new(&prefix("10.0.0.0/7")),
            Block::new(&prefix("12.0.0.0/8"))
        ]
    );
}

/// Addresses scattered by a multiplication, with the lengths of blocklists.
fn scattered(count: u32, lens: &[u8]) -> Vec<Prefix> {
    let numbers = (0..count).map(|n| n.wrapping_mul(0x9e37_79b1) ^ 0x5bd1_e995);
    numbers
        .enumerate()
        .map(|(index, bits)| {
            let len = lens[index % lens.len()];
            let addr = Ipv4Addr::from_bits(bits >> (32 - len) << (32 - len)).into();
            Prefix { addr, len }
        })
        .collect()
}

#[test]
fn ten_thousand_prefixes_are_found_and_their_neighbours_are_not() {
    let prefixes = scattered(10_000, &[32, 24, 32, 32, 20, 16]);
    let table = PrefixTable::build(&[list(&prefixes)], 3);
    let sorted = disjoint(&prefixes, false);
    for addr in prefixes.iter().flat_map(edges) {
        let IpAddr::V4(v4) = addr else { continue };
        let block = Block {
            bits: u128::from(layout::ipv4_word(v4.to_bits())) << 64,
            len: 34,
        };
        let before = sorted.partition_point(|other| other.bits <= block.bits);
        let expected = before > 0 && sorted[before - 1].covers(block);
        assert_eq!(has(&table, 0, addr), expected, "{addr}");
    }
    // 256 KiB hold two thirds of the entries' room.
    assert!(table.lines.len() < 10_000, "{} lines", table.lines.len());
}

/// `cargo test --release -p sensor --lib prefix_table -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn nanoseconds_of_a_look_up() {
    for (name, lens) in [("hosts", &[32][..]), ("mixed", &[32, 24, 32, 32, 22, 28])] {
        for count in [1, 100, 10_000, 1_000_000] {
            let prefixes = scattered(count, lens);
            let began = std::time::Instant::now();
            let table = PrefixTable::build(&[list(&prefixes)], 3);
            let built = began.elapsed();
            let hits: Vec<_> = (0..1 << 16)
                .map(|n: usize| words(prefixes[n.wrapping_mul(7919) % prefixes.len()].addr).1)
                .collect();
            let misses: Vec<_> = (0..1u32 << 16)
                .map(|n| IpAddr::from(Ipv4Addr::from_bits(n.wrapping_mul(0x85eb_ca6b))))
                .filter(|addr| !has(&table, 0, *addr))
                .map(|addr| words(addr).1)
                .collect();
            // The best of many short runs: others use the machine too.
            let time = |addrs: &[[u64; 2]], expected: bool| {
                let run = |_| {
                    let began = std::time::Instant::now();
                    for words in addrs {
                        let said = table.contains(0, false, std::hint::black_box(*words));
                        assert_eq!(said, expected);
                    }
                    began.elapsed().as_nanos() as f64 / addrs.len() as f64
                };
                (0..50).map(run).fold(f64::INFINITY, f64::min)
            };
            let (hit, miss) = (time(&hits, true), time(&misses, false));
            println!(
                "{name} {count}: {hit:.1} ns a hit, {miss:.1} ns a miss, {} lines, built in {built:?}",
                table.lines.len()
            );
        }
    }
}
