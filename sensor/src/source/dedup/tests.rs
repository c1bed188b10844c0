use sensor_common::parse;
use sensor_common::view::SliceView;

use super::*;

const WINDOW: i64 = 10_000_000;

/// Ethernet, `tags` times 802.1Q, IPv4 with this TTL and identification, UDP with some payload.
fn frame(tags: usize, ttl: u8, id: u8, mac: u8) -> Vec<u8> {
    let mut frame = vec![mac; 12];
    for tag in 0..tags {
        frame.extend([0x81, 0, 0, tag as u8 + 1]);
    }
    frame.extend([8, 0]);
    let checksum = ttl.wrapping_mul(7);
    frame.extend([0x45, 0, 0, 32, 0, id, 0x40, 0, ttl, 17, 1, checksum]);
    frame.extend([10, 0, 0, 1, 10, 0, 0, 2, 0, 53, 0, 54, 0, 12, 0, 0]);
    frame.extend([1, 2, 3, 4]);
    frame
}

fn look(dedup: &mut Dedup, frame: &[u8], at: i64) -> bool {
    let packet = parse::on_interface(&SliceView(frame), false);
    dedup.is_duplicate(frame, frame.len() as u64, &packet, When::At(at))
}

#[test]
fn what_a_hop_changes_makes_no_other_packet() {
    let mut dedup = Dedup::new(WINDOW);
    assert!(!look(&mut dedup, &frame(0, 64, 1, 2), 0));
    let mut padded = frame(1, 63, 1, 9);
    padded.extend([0; 14]);
    for again in [frame(0, 64, 1, 2), frame(2, 63, 1, 3), padded] {
        assert!(look(&mut dedup, &again, 1000));
    }
    for other in [
        frame(0, 64, 2, 2),
        [frame(0, 64, 1, 2)[..45].to_vec(), vec![9]].concat(),
    ] {
        assert!(!look(&mut dedup, &other, 2000));
    }
}

#[test]
fn ipv6_is_compared_without_its_hop_limit() {
    let six = |hops: u8, last: u8| {
        let mut frame = vec![2; 12];
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 17, hops]);
        frame.extend([0xfe; 32]);
        frame.extend([0, 53, 0, 54, 0, 8, 0, last]);
        frame
    };
    let mut dedup = Dedup::new(WINDOW);
    assert!(!look(&mut dedup, &six(64, 1), 0));
    assert!(look(&mut dedup, &six(63, 1), 0));
    assert!(!look(&mut dedup, &six(64, 2), 0));
}

#[test]
fn the_window_ends_in_time_both_ways() {
    let mut dedup = Dedup::new(WINDOW);
    let one = frame(0, 64, 1, 2);
    assert!(!look(&mut dedup, &one, 100 * WINDOW));
    assert!(look(&mut dedup, &one, 101 * WINDOW));
    assert!(
        !look(&mut dedup, &one, 101 * WINDOW + 1),
        "counted from the first"
    );
    assert!(
        look(&mut dedup, &one, 100 * WINDOW + 1),
        "captures run backwards"
    );
    assert!(!look(&mut dedup, &one, 0));
    let packet = parse::on_interface(&SliceView(&one[..]), false);
    assert!(!dedup.is_duplicate(&one, 46, &packet, When::Missing));
}

#[test]
fn memory_is_bounded() {
    let mut dedup = Dedup::new(WINDOW);
    let arp = |number: usize| {
        let mut frame = vec![2; 12];
        frame.extend([8, 6]);
        frame.extend(number.to_be_bytes());
        frame
    };
    for number in 0..=MOST {
        assert!(!look(&mut dedup, &arp(number), 0));
    }
    assert!(dedup.order.len() <= MOST && dedup.first.len() <= MOST);
    assert!(look(&mut dedup, &arp(MOST), 0));
    assert!(!look(&mut dedup, &arp(0), 0), "the oldest is forgotten");
}

#[test]
fn packets_that_can_not_be_parsed_are_compared_whole() {
    let mut dedup = Dedup::new(WINDOW);
    assert!(!look(&mut dedup, &[1, 2, 3], 0));
    assert!(look(&mut dedup, &[1, 2, 3], 0));
    assert!(!look(&mut dedup, &[1, 2, 3, 0], 0));
    assert!(!look(&mut dedup, &[], 0));
}
