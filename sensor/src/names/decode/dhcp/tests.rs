use proptest::prelude::*;

use super::*;

const XID: u32 = 0x0102_0304;

/// `op`, `ciaddr`, `yiaddr`, options.
fn message(op: u8, used: [u8; 4], given: [u8; 4], options: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0; 236];
    bytes[..4].copy_from_slice(&[op, 1, 6, 0]);
    bytes[4..8].copy_from_slice(&XID.to_be_bytes());
    bytes[12..16].copy_from_slice(&used);
    bytes[16..20].copy_from_slice(&given);
    bytes.extend(COOKIE);
    bytes.extend(options.concat());
    bytes.push(255);
    bytes
}

const NONE: [u8; 4] = [0; 4];
const HOST: [u8; 4] = [192, 0, 2, 9];

fn lease(host_name: Option<&str>, address: Option<[u8; 4]>, settled: bool) -> Option<Lease> {
    Some(Lease {
        host_name: host_name.map(str::to_owned),
        address: address.map(IpAddr::from),
        settled,
        transaction: XID,
    })
}

#[test]
fn a_client_asks_and_a_server_agrees() {
    let asked = [
        &[53, 1, 3][..],
        &[0, 12, 2, b'p', b'c'],
        &[50, 4, 192, 0, 2, 9],
    ];
    assert_eq!(
        dhcp(&message(1, NONE, NONE, &asked)),
        lease(Some("pc"), Some(HOST), false)
    );
    let agreed = message(2, NONE, HOST, &[&[53, 1, 5]]);
    assert_eq!(dhcp(&agreed), lease(None, Some(HOST), true));
    let refused = message(2, NONE, NONE, &[&[53, 1, 6]]);
    assert_eq!(dhcp(&refused), lease(None, None, false));
    let offered = message(2, NONE, HOST, &[&[53, 1, 2]]);
    assert_eq!(dhcp(&offered), lease(None, Some(HOST), false));
}

#[test]
fn who_has_an_address_uses_it() {
    for (kind, settled) in [(3, true), (8, true), (7, false), (1, false)] {
        let bytes = message(1, HOST, NONE, &[&[53, 1, kind]]);
        assert_eq!(dhcp(&bytes), lease(None, Some(HOST), settled), "{kind}");
    }
}

#[test]
fn the_full_name_goes_before_the_short_one() {
    let short: &[u8] = b"\x0c\x02pc";
    for full in [
        &b"\x51\x0a\0\0\0pc.test"[..],
        b"\x51\x0b\0\0\0pc.test.",
        b"\x51\x0c\x04\0\0\x02pc\x04test\0",
        b"\x51\x0b\x04\0\0\x02pc\x04test",
    ] {
        for options in [[short, full], [full, short]] {
            let host_name = dhcp(&message(1, NONE, NONE, &options)).unwrap().host_name;
            assert_eq!(host_name.as_deref(), Some("pc.test"));
        }
    }
    let empty = message(1, NONE, NONE, &[short, b"\x51\x03\0\0\0"]);
    assert_eq!(dhcp(&empty).unwrap().host_name.as_deref(), Some("pc"));
}

#[test]
fn a_name_may_end_with_zeros_and_is_never_half() {
    let zeros = message(1, NONE, NONE, &[b"\x0c\x04pc\0\0"]);
    assert_eq!(dhcp(&zeros).unwrap().host_name.as_deref(), Some("pc"));
    let whole = message(1, NONE, NONE, &[b"\x0c\x04host"]);
    for len in 240..246 {
        assert_eq!(dhcp(&whole[..len]).unwrap().host_name, None, "{len}");
    }
    assert_eq!(dhcp(&whole[..239]), None);
}

#[test]
fn other_messages_are_none() {
    let good = message(1, NONE, NONE, &[]);
    for (at, byte) in [(0, 0), (0, 3), (1, 0), (2, 17), (236, 0)] {
        let mut bad = good.clone();
        bad[at] = byte;
        assert_eq!(dhcp(&bad), None, "{at}");
    }
}

fn option6(code: u16, value: &[u8]) -> Vec<u8> {
    let len = value.len() as u16;
    [&code.to_be_bytes()[..], &len.to_be_bytes(), value].concat()
}

fn reply6(kind: u8, valid: u32) -> Vec<u8> {
    let address = [&[0x20; 16][..], &60u32.to_be_bytes(), &valid.to_be_bytes()].concat();
    let identity = [&[0; 12][..], &option6(5, &address)].concat();
    let head = [kind, 0xab, 0xcd, 0xef];
    [
        &head[..],
        &option6(39, b"\0\x02pc\x04test\0"),
        &option6(3, &identity),
    ]
    .concat()
}

fn relayed(message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 34];
    bytes[0] = 12;
    bytes.extend(option6(9, message));
    bytes
}

#[test]
fn version_6_has_name_and_address() {
    for (kind, valid, settled) in [(7, 60, true), (7, 0, false), (1, 60, false), (5, 60, true)] {
        let lease = dhcpv6(&reply6(kind, valid)).unwrap();
        assert_eq!(lease.host_name.as_deref(), Some("pc.test"));
        assert_eq!(lease.address, Some([0x20u8; 16].into()));
        assert_eq!((lease.settled, lease.transaction), (settled, 0x00ab_cdef));
    }
    assert_eq!(dhcpv6(&[0, 1, 2, 3]), None);
    assert_eq!(dhcpv6(&[14, 1, 2, 3]), None);
    assert_eq!(dhcpv6(&[7, 1, 2]), None);
}

#[test]
fn relays_are_unwrapped_to_a_bound() {
    let inner = reply6(7, 60);
    let mut bytes = inner.clone();
    for level in 1..=9 {
        bytes = relayed(&bytes);
        let told = dhcpv6(&bytes);
        assert_eq!(told, dhcpv6(&inner).filter(|_| level <= 8), "{level}");
    }
}

proptest! {
    #[test]
    fn any_bytes_pass(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        dhcpv6(&bytes);
        dhcp(&bytes);
        dhcp(&message(1, HOST, NONE, &[&bytes]));
    }

    #[test]
    fn damaged_messages_pass(at in 0usize..120, byte: u8, len in 0usize..120) {
        let mut bytes = relayed(&reply6(7, 60));
        let at = at % bytes.len();
        bytes[at] = byte;
        dhcpv6(&bytes[..len.min(bytes.len())]);
    }
}
