use super::*;

const LE: Order = Order::Little;

fn capture(blocks: &[Vec<u8>]) -> Vec<u8> {
    let mut out = LE.section((1, 0));
    out.extend(blocks.concat());
    out
}

fn ethernet() -> Vec<u8> {
    LE.interface(1, 65535, &[])
}

fn packet(data: &[u8]) -> Vec<u8> {
    LE.enhanced(0, 1_700_000_000_000_000, data, &[])
}

fn when(options: &[u8], ticks: u64) -> When {
    let interface = LE.interface(1, 0, options);
    read_clean(&capture(&[interface, LE.enhanced(0, ticks, b"", &[])]))[0].when
}

fn resolution(value: u8) -> Vec<u8> {
    LE.option(9, &[value])
}

#[test]
fn an_enhanced_packet_in_both_byte_orders() {
    for order in Order::BOTH {
        let mut bytes = order.section((1, 0));
        bytes.extend(order.interface(228, 0, &[]));
        bytes.extend(order.enhanced(0, 5, b"abc", &[]));
        let expected = Packet {
            link_type: 228,
            when: When::At(5000),
            data: b"abc".to_vec(),
            wire_len: 3,
            way: Way::Unknown,
        };
        assert_eq!(read_clean(&bytes), [expected]);
    }
}

#[test]
fn sections_have_their_own_byte_order_and_interfaces() {
    let mut bytes = capture(&[ethernet(), packet(b"one")]);
    bytes.extend(Order::Big.section((1, 2)));
    bytes.extend(Order::Big.interface(101, 0, &[]));
    bytes.extend(Order::Big.enhanced(0, 7, b"two", &[]));
    let packets = read_clean(&bytes);
    let seen: Vec<_> = packets.iter().map(|p| (p.link_type, &p.data[..])).collect();
    assert_eq!(seen, [(1, &b"one"[..]), (101, b"two")]);
    bytes.extend(Order::Big.section((1, 0)));
    bytes.extend(Order::Big.enhanced(0, 7, b"two", &[]));
    let (packets, _, damage) = read_damaged(&bytes);
    let expected = Damage::UnknownInterface { id: 0, count: 0 };
    assert_eq!((packets, damage), (2, expected));
}

#[test]
fn a_simple_packet_has_no_time_and_the_snaplen_of_the_first_interface() {
    let simple = |orig: u32, data: &[u8]| {
        let mut body = LE.u32(orig).to_vec();
        body.extend(data);
        LE.block(3, &body)
    };
    let short = LE.interface(1, 4, &[]);
    let packets = read_clean(&capture(&[
        short,
        simple(60, b"abcdefgh"),
        simple(2, b"xy"),
    ]));
    assert_eq!(packets[0].data, b"abcd");
    assert_eq!((packets[0].wire_len, packets[0].when), (60, When::Missing));
    assert_eq!(packets[1].data, b"xy");
    let (_, _, damage) = read_damaged(&capture(&[ethernet(), simple(60, b"abcd")]));
    let (value, room) = (60, 4);
    assert_eq!(damage, Damage::CapturedBeyondBlock { value, room });
}

#[test]
fn an_obsolete_packet_counts_like_a_new_one() {
    let mut body = LE.u16(0).to_vec();
    body.extend(LE.u16(9)); // drops
    body.extend(LE.words(&[0, 3, 2, 50]));
    body.extend(b"ab");
    let packets = read_clean(&capture(&[ethernet(), LE.block(2, &body)]));
    let packet = (&packets[0].data[..], packets[0].wire_len, packets[0].when);
    assert_eq!(packet, (&b"ab"[..], 50, When::At(3000)));
}

#[test]
fn the_flags_tell_the_way() {
    let way = |options: &[u8]| {
        let packet = LE.enhanced(0, 0, b"abc", options);
        read_clean(&capture(&[ethernet(), packet]))[0].way
    };
    let flags = |flags: u32| LE.option(2, &LE.u32(flags));
    let comment = LE.option(1, b"a comment");
    assert_eq!(way(&flags(1)), Way::Ingress);
    assert_eq!(
        way(&[&comment[..], &flags(0xfff0_0002)].concat()),
        Way::Egress
    );
    assert_eq!(way(&flags(0)), Way::Unknown);
    assert_eq!(
        way(&[&LE.option(0, b"")[..], &flags(1)].concat()),
        Way::Unknown
    );
    assert_eq!(way(&[1, 0, 0xff, 0xff]), Way::Unknown, "an option too long");
}

#[test]
fn all_time_resolutions() {
    assert_eq!(when(&[], 1), When::At(1000));
    assert_eq!(when(&resolution(0), 3), When::At(3_000_000_000));
    assert_eq!(when(&resolution(9), 3), When::At(3));
    assert_eq!(when(&resolution(12), 3999), When::At(3));
    assert_eq!(when(&resolution(19), u64::MAX), When::At(1_844_674_407));
    assert_eq!(when(&resolution(0x80 | 10), 1536), When::At(1_500_000_000));
    assert_eq!(when(&resolution(0x80), 2), When::At(2_000_000_000));
    assert_eq!(
        when(&resolution(0x80 | 63), 1 << 63),
        When::At(1_000_000_000)
    );
    assert_eq!(when(&resolution(0), u64::MAX), When::OutOfRange);
    assert_eq!(when(&resolution(6), u64::MAX), When::OutOfRange);
    assert_eq!(when(&resolution(0x80), u64::MAX), When::OutOfRange);
}

#[test]
fn resolutions_too_fine_to_be_meant_are_damage() {
    for (value, base, exponent, limit) in [
        (20, 10, 20, 19),
        (127, 10, 127, 19),
        (0x80 | 64, 2, 64, 63),
        (255, 2, 127, 63),
    ] {
        let bytes = capture(&[LE.interface(1, 0, &resolution(value)), packet(b"")]);
        let damage = Damage::TimeResolution {
            base,
            exponent,
            limit,
        };
        assert_eq!(read_damaged(&bytes), (0, 28, damage));
    }
}

#[test]
fn time_offsets_of_any_size() {
    let offset = |seconds: i64| LE.option(14, &LE.u64(seconds.cast_unsigned()));
    assert_eq!(when(&offset(10), 1), When::At(10_000_001_000));
    assert_eq!(when(&offset(-10), 1), When::At(-9_999_999_000));
    for seconds in [i64::MIN, i64::MAX] {
        assert_eq!(when(&offset(seconds), u64::MAX), When::OutOfRange);
    }
    // Ticks beyond range can come back into it.
    let both = [resolution(0), offset(-20_000_000_000)].concat();
    assert_eq!(when(&both, 20_000_000_001), When::At(1_000_000_000));
}

#[test]
fn options_of_an_interface_must_fit() {
    let mut long = LE.option(9, &[6]);
    long[2..4].copy_from_slice(&LE.u16(60000));
    let (code, length) = (9, 60000);
    let damage = read_damaged(&capture(&[LE.interface(1, 0, &long)])).2;
    assert_eq!(damage, Damage::OptionBeyondBlock { code, length });
    let two = LE.option(9, &[6, 6]);
    let damage = read_damaged(&capture(&[LE.interface(1, 0, &two)])).2;
    let (length, expected) = (2, 1);
    let wrong = Damage::OptionLength {
        code,
        length,
        expected,
    };
    assert_eq!(damage, wrong);
}

#[test]
fn other_blocks_are_passed_over() {
    let names = LE.block(4, b"1234abcd");
    let custom = LE.block(0x0bad, &[9; 40]);
    let huge = LE.block(0x0bad_0bad, &vec![9; 17 * 1024 * 1024]);
    let blocks = [names, ethernet(), custom, packet(b"1"), huge, packet(b"2")];
    assert_eq!(read_clean(&capture(&blocks)).len(), 2);
}

#[test]
fn a_hundred_thousand_interfaces() {
    let mut bytes = capture(&[]);
    for n in 0..100_000_u32 {
        bytes.extend(LE.interface(n as u16, 0, &[]));
    }
    bytes.extend(LE.enhanced(99_999, 0, b"last", &[]));
    assert_eq!(read_clean(&bytes)[0].link_type, 99_999_u32 as u16);
}

/// Puts one word of a packet block out of order.
fn broken(word: usize, value: u32) -> (usize, u64, Damage) {
    let mut block = packet(b"abcdefgh");
    let length = block.len();
    block[word * 4..word * 4 + 4].copy_from_slice(&LE.u32(value));
    assert_eq!(length, 40);
    read_damaged(&capture(&[ethernet(), packet(b""), block, packet(b"")]))
}

#[test]
fn broken_packet_blocks_are_damage_where_they_begin() {
    let at = 28 + 20 + 32;
    let least = 32;
    for value in [0, 11, 28, 41, u32::MAX] {
        let damage = Damage::BlockLength { value, least };
        assert_eq!(broken(1, value), (1, at, damage));
    }
    let (value, limit) = (16 * 1024 * 1024 + 4, 16 * 1024 * 1024);
    let damage = Damage::BlockTooLong { value, limit };
    assert_eq!(broken(1, value), (1, at, damage));
    let (needed, got) = (4096, 72);
    let damage = Damage::BlockCutOff { needed, got };
    assert_eq!(broken(1, 4096), (1, at, damage));
    let (first, last) = (40, 44);
    let damage = Damage::BlockTrailer { first, last };
    assert_eq!(broken(9, 44), (1, at, damage));
    let (id, count) = (7, 1);
    let damage = Damage::UnknownInterface { id, count };
    assert_eq!(broken(2, 7), (1, at, damage));
    let (value, room) = (9, 8);
    let damage = Damage::CapturedBeyondBlock { value, room };
    assert_eq!(broken(5, 9), (1, at, damage));
}

#[test]
fn a_long_unknown_block_that_is_cut_off_is_damage() {
    let mut bytes = capture(&[LE.words(&[0x0bad, 0xffff_fffc])]);
    bytes.resize(bytes.len() + 600_000, 0);
    let (needed, got) = (0xffff_fffc, 600_008);
    let damage = Damage::BlockCutOff { needed, got };
    assert_eq!(read_damaged(&bytes), (0, 28, damage));
}

#[test]
fn sections_that_cannot_be_read() {
    assert_eq!(read_clean(&capture(&[])), []);
    let (format, major, minor) = ("pcapng", 2, 0);
    let version = Unreadable::Version {
        format,
        major,
        minor,
    };
    assert_eq!(read_unreadable(&LE.section((2, 0))), version);
    let later = capture(&[ethernet(), packet(b""), LE.section((2, 0))]);
    let damage = Damage::SectionVersion { major, minor };
    assert_eq!(read_damaged(&later), (1, 80, damage));
    let mut order = LE.section((1, 0));
    order[8..12].fill(0x11);
    let magic = [0x11; 4];
    assert_eq!(
        read_unreadable(&order),
        Unreadable::UnknownByteOrder { magic }
    );
    let (needed, got) = (28, 20);
    let cut = Unreadable::HeaderCutOff { needed, got };
    assert_eq!(read_unreadable(&LE.section((1, 0))[..20]), cut);
}
