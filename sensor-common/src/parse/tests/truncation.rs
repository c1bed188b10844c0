//! Every packet of the samples, cut at every length.

use super::*;

/// What the first `len` bytes may say of a packet of which all of them say `whole`.
fn check_prefix(whole: &Packet, prefix: &[u8]) -> Result<(), String> {
    let part = match parse(prefix) {
        Err(reason) if reason.is_truncation() => return Ok(()),
        Err(reason) => return Err(format!("cut off is not {}", reason.name())),
        Ok(part) => part,
    };
    if part == *whole {
        return Ok(());
    }
    if !part.cut {
        return Err(format!("neither whole nor cut: {part:?}"));
    }
    if !part.key.is_ip() || (part.key.0[..4] != whole.key.0[..4]) {
        return Err(format!("other addresses: {part:?}"));
    }
    let ports = (part.key.src_port(), part.key.dst_port());
    if part.key.has_ports() && ports != (whole.key.src_port(), whole.key.dst_port()) {
        return Err(format!("other ports: {part:?}"));
    }
    // Within a chain of extension headers the next one's number stands in for the transport.
    let extension = matches!(part.key.protocol(), 0 | 43 | 44 | 60) && part.key.is_ipv6();
    if part.key.protocol() != whole.key.protocol() && !extension {
        return Err(format!("another protocol: {part:?}"));
    }
    Ok(())
}

#[test]
fn a_prefix_is_whole_cut_or_truncated() {
    for (name, frame) in samples() {
        let whole = parsed(&frame);
        assert!(!whole.cut, "{name}");
        assert!(whole.header_len as usize <= frame.len(), "{name}");
        for len in 0..frame.len() {
            if let Err(what) = check_prefix(&whole, &frame[..len]) {
                panic!("{name}, {len} of {} bytes: {what}", frame.len());
            }
        }
    }
}

#[test]
fn a_prefix_with_all_headers_is_the_whole() {
    for (name, frame) in samples() {
        let whole = parsed(&frame);
        let headers = &frame[..whole.header_len as usize];
        assert_eq!(parse(headers), Ok(whole), "{name}");
    }
}

#[test]
fn each_road_in_is_truncated_by_an_empty_packet() {
    for link_type in [
        LinkType::Ethernet,
        LinkType::Null,
        LinkType::Sll,
        LinkType::Sll2,
        LinkType::Ppp,
        LinkType::CiscoHdlc,
    ] {
        let empty = packet(&SliceView(&[]), link_type);
        assert_eq!(empty, Err(Reason::TruncatedLink), "{link_type:?}");
    }
    for link_type in [LinkType::RawIp, LinkType::RawIpv4, LinkType::RawIpv6] {
        let empty = packet(&SliceView(&[]), link_type);
        assert_eq!(empty, Err(Reason::TruncatedNetwork), "{link_type:?}");
    }
}
