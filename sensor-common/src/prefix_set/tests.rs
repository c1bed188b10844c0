use super::*;

#[test]
fn strides_cover_an_address_without_a_gap() {
    let shifts: Vec<u32> = (1..=LEVELS).map(shift_of).collect();
    assert_eq!(shifts[..10], [54, 48, 42, 36, 30, 24, 18, 12, 6, 0]);
    assert_eq!(shifts[10..], [60, 54, 48, 42, 36, 30, 24, 18, 12, 6, 0]);
    for level in 1..=LEVELS {
        let kept = key_of(u64::MAX, level) & !63;
        assert_eq!(kept.trailing_zeros().min(64), (shift_of(level) + 6).min(64));
        assert_eq!(key_of(u64::MAX, level) & 63, level as u64);
    }
}

#[test]
fn the_end_of_an_ipv4_address_is_the_end_of_a_stride() {
    assert_eq!(ipv4_word(1) >> shift_of(5) & 63, 1);
    assert_eq!(
        key_of(ipv4_word(0x0a00_003f), 5),
        key_of(ipv4_word(0x0a00_0000), 5)
    );
    assert_ne!(
        key_of(ipv4_word(0x0a00_0040), 5),
        key_of(ipv4_word(0x0a00_0000), 5)
    );
}

#[test]
fn every_place_of_the_search_order_is_read_and_none_beyond() {
    let order = |word: u32| {
        (0..LEVELS_IN_WORD).fold(0, |packed, index| {
            packed | ((word * LEVELS_IN_WORD + index + 1) as u64 & 31) << (index * LEVEL_BITS)
        })
    };
    let header = [order(0), order(1), 0, 0, 0, 0, 0, 0];
    for place in 1..=2 * LEVELS_IN_WORD {
        assert_eq!(level_at(&header, place), place);
    }
    for place in 2 * LEVELS_IN_WORD + 1..64 {
        assert_eq!(level_at(&header, place), 0);
    }
}

#[test]
fn both_lines_of_a_hash_are_among_those_there_are() {
    for count in [1, 2, 3, 1000] {
        for key in (0..1000u64).map(|n| n << 40 | n) {
            let seeds = [u64::MAX, 0x9e37_79b9_7f4a_7c15, 3];
            assert!(first_home(seeds, key, key, count) < count);
            assert!(second_home(seeds, key, key, count) < count);
        }
    }
}

#[test]
fn any_table_of_lines_gives_an_answer() {
    let lines = [
        Line([u64::MAX; 8]),
        Line([0x1234_5678_9abc_def1; 8]),
        Line([0; 8]),
    ];
    for set in [0, 1, 7, u32::MAX] {
        for ipv6 in [false, true] {
            contains(&lines[..], set, ipv6, [u64::MAX, 0x0102_0304_0506_0708]);
        }
    }
    assert!(!contains(&lines[..0], 0, true, [0, 0]));
}

#[test]
fn words_are_compared_without_a_branch() {
    for (a, b) in [(0, 0), (u64::MAX, u64::MAX), (1, 0), (0, 1 << 63), (5, 4)] {
        assert_eq!(same(a, b), if a == b { u64::MAX } else { 0 });
    }
}
