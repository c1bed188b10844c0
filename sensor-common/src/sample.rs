//! Which payloads are looked at for names: the first few of a flow, the first bytes of each.
//!
//! One rule for all roads. The eBPF programs hand the chosen payloads to a ring buffer, userspace sources look at theirs in
//! place; the same packets give the same names.

use crate::flow::FlowKey;
use crate::protocol::ip;

/// Bytes that are taken of most payloads.
pub const SHORT: usize = 512;
/// Bytes that are taken where a name may come late in the message: handshakes, requests, DNS.
pub const LONG: usize = 2048;

/// Payloads of one flow, one way.
pub const FEW: u8 = 4;
/// The same of control channels, whose news come late: FTP, SIP, RTSP.
pub const MORE: u8 = 48;
/// The same in one interval of the protocols that carry names and use the same ports again: DNS and its kin, DHCP.
pub const EACH_INTERVAL: u8 = 62;

/// How many payloads of a flow are taken, and whether that starts again with each interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub payloads: u8,
    pub renewed: bool,
}

/// By the ports alone: what else is known of a flow is not known here.
#[inline(always)]
pub fn budget(key: &FlowKey) -> Budget {
    let (src, dst) = (key.src_port(), key.dst_port());
    if key.protocol() == ip::UDP && (tells_names(src) || tells_names(dst)) {
        return Budget {
            payloads: EACH_INTERVAL,
            renewed: true,
        };
    }
    let payloads = if is_control(src) || is_control(dst) {
        MORE
    } else {
        FEW
    };
    Budget {
        payloads,
        renewed: false,
    }
}

/// DNS, DHCP, NetBIOS names, DHCPv6, mDNS, LLMNR.
#[inline(always)]
fn tells_names(port: u16) -> bool {
    matches!(port, 53 | 67 | 68 | 137 | 546 | 547 | 5353 | 5355)
}

/// FTP, RTSP, SIP; DNS over TCP.
#[inline(always)]
fn is_control(port: u16) -> bool {
    matches!(port, 21 | 53 | 554 | 5060)
}

/// How many bytes are taken of a payload that begins with these four, in the order of the packet. `goes_on`: it follows
/// the beginning of a handshake.
#[inline(always)]
pub fn wanted(head: [u8; 4], key: &FlowKey, goes_on: bool) -> usize {
    let udp = key.protocol() == ip::UDP;
    let quic = udp && head[0] & 0xc0 == 0xc0;
    // HTTP, SIP, RTSP, SSDP: a method, or the protocol's name.
    let request =
        is_capital(head[0]) && is_capital(head[1]) && (is_capital(head[2]) || head[2] == b' ');
    if is_handshake(head) || goes_on || quic || request || budget(key).renewed {
        LONG
    } else {
        SHORT
    }
}

/// A TLS or DTLS handshake record.
#[inline(always)]
pub fn is_handshake(head: [u8; 4]) -> bool {
    head[0] == 0x16 && (head[1] == 3 || head[1] == 0xfe)
}

#[inline(always)]
fn is_capital(byte: u8) -> bool {
    byte.wrapping_sub(b'A') < 26
}

/// Flows whose payloads were taken lately, of one set of the flow table: each is 26 bits of the hash and a count. The
/// place of a new one is that of the one that has been there longest.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Tags(pub [u32; TAGS]);

pub const TAGS: usize = 16;
const COUNT_BITS: u32 = 6;
pub const COUNT_MASK: u32 = (1 << COUNT_BITS) - 1;

impl Tags {
    pub const NONE: Tags = Tags([0; TAGS]);

    /// The flow with this hash begins anew.
    pub fn forget(&mut self, hash: u64) {
        let name = name_of(hash);
        let of_it = |tag: &&mut u32| **tag & !COUNT_MASK == name;
        if let Some(tag) = self.0.iter_mut().find(of_it) {
            *tag = name;
        }
    }

    /// Counts one more payload of the flow with this hash, up to `most`: which one it is, from 0 on, or `most`.
    /// `restart`: the flow begins anew, whatever was counted before.
    #[inline(always)]
    pub fn count(&mut self, hash: u64, most: u8, restart: bool) -> u8 {
        let name = name_of(hash);
        let mut place = TAGS;
        for number in 0..TAGS {
            if self.0[number] & !COUNT_MASK == name {
                place = number;
                break;
            }
        }
        if place == TAGS {
            // A queue: all move one on, and the last falls out.
            for number in (1..TAGS).rev() {
                self.0[number] = self.0[number - 1];
            }
            self.0[0] = name | 1;
            return 0;
        }
        let place = place & (TAGS - 1);
        let counted = if restart {
            0
        } else {
            (self.0[place] & COUNT_MASK) as u8
        };
        if counted >= most {
            return most;
        }
        self.0[place] = name | (counted as u32 + 1);
        counted
    }
}

/// The hash's top bits chose the line, and the lowest depend on few bits of the key: all are mixed once more. 0 would be an
/// empty place.
#[inline(always)]
pub fn name_of(hash: u64) -> u32 {
    let mixed = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32;
    (mixed | 1 << COUNT_BITS) & !COUNT_MASK
}

/// What goes before the bytes of a payload in the ring buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct SampleHead {
    /// [`FlowKey`], with its origin.
    pub key: [u64; 5],
    /// Low 32 bits of jiffies.
    pub ticks: u32,
    /// Bytes of the payload on the wire; of a super-packet, of all segments.
    pub payload_len: u32,
    /// TCP's sequence number of the first byte, 0 for anything else.
    pub tcp_seq: u32,
    /// Bytes that follow.
    pub captured: u16,
    /// [`BEGINS`].
    pub flags: u16,
}

/// Flag of [`SampleHead`]: the record saw the SYN, and this is its first payload.
pub const BEGINS: u16 = 1;

const _: () = {
    assert!(size_of::<Tags>() == 64);
    assert!(size_of::<SampleHead>() == 56);
    assert!(EACH_INTERVAL as u32 <= COUNT_MASK && MORE as u32 <= COUNT_MASK);
};

#[cfg(test)]
mod tests {
    use super::*;

    fn udp(src: u16, dst: u16) -> FlowKey {
        let mut key = FlowKey::ipv4(1, 2, ip::UDP);
        let [a, b] = src.to_be_bytes();
        let [c, d] = dst.to_be_bytes();
        key.set_ports(u32::from_ne_bytes([a, b, c, d]));
        key
    }

    #[test]
    fn a_flow_has_its_budget_and_no_more() {
        let mut tags = Tags::NONE;
        let hash = 0x0123_4567_89ab_cdef;
        let turns: [u8; 6] = core::array::from_fn(|_| tags.count(hash, FEW, false));
        assert_eq!(turns, [0, 1, 2, 3, 4, 4]);
        assert_eq!(tags.count(hash, FEW, true), 0);
        assert_eq!(tags.count(hash, FEW, false), 1);
    }

    #[test]
    fn the_oldest_flow_is_forgotten_first() {
        let mut tags = Tags::NONE;
        let hash = |number: u64| number << 32 | number;
        for number in 1..=TAGS as u64 {
            assert_eq!(tags.count(hash(number), FEW, false), 0);
        }
        assert_eq!(tags.count(hash(1), FEW, false), 1);
        assert_eq!(tags.count(hash(99), FEW, false), 0); // the first one falls out
        assert_eq!(tags.count(hash(2), FEW, false), 1);
        assert_eq!(tags.count(hash(1), FEW, false), 0);
    }

    #[test]
    fn ports_that_tell_names_get_more() {
        assert!(budget(&udp(40000, 53)).renewed);
        assert!(budget(&udp(5353, 5353)).renewed);
        assert_eq!(budget(&udp(40000, 5060)).payloads, MORE);
        assert_eq!(budget(&udp(40000, 40001)).payloads, FEW);
    }

    #[test]
    fn requests_and_handshakes_are_taken_long() {
        let key = udp(40000, 40001);
        for head in [
            b"GET ",
            b"POST",
            b"SIP/",
            b"\x16\x03\x01\x02",
            b"\xc3\0\0\0",
            b"M-SE",
        ] {
            let long = wanted(*head, &key, false) == LONG;
            assert_eq!(long, head != b"M-SE", "{head:?}");
        }
        assert_eq!(wanted([0; 4], &key, false), SHORT);
        assert_eq!(wanted([0; 4], &key, true), LONG);
        assert_eq!(wanted([0; 4], &udp(40000, 53), false), LONG);
    }
}
