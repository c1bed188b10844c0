//! Ports and TCP flags: TCP (RFC 9293), UDP (RFC 768), UDP-Lite (RFC 3828), SCTP (RFC 9260), DCCP (RFC 4340) all start
//! with two ports of 16 bits.

use super::Packet;
use crate::flow::{Direction, FlowKey};
use crate::protocol::ip;
use crate::view::{PacketView, raw32};

const PORTS_LEN: usize = 4;
/// TCP up to and with the flags.
const TCP_FLAGS_END: usize = 14;
const UDP_LEN: usize = 8;
/// SCTP's common header, and DCCP's generic header with short sequence numbers.
const SCTP_LEN: usize = 12;

/// Where the IP header says that its payload is.
#[derive(Clone, Copy)]
pub(super) struct Payload {
    pub(super) offset: usize,
    /// Bytes; `usize::MAX` where the header leaves it open. Ethernet padding behind it is not payload.
    pub(super) len: usize,
    pub(super) first_fragment: bool,
}

#[inline(always)]
pub(super) fn parse<V: PacketView>(
    view: &V,
    key: FlowKey,
    network_offset: usize,
    payload: Payload,
) -> Packet {
    let mut packet = Packet {
        key,
        tcp_flags: 0,
        header_len: payload.offset as u16,
        network_offset: network_offset as u16,
        transport_offset: if payload.first_fragment {
            payload.offset as u16
        } else {
            0
        },
        payload_len: 0,
        direction: Direction::Unknown,
        cut: false,
    };
    if !payload.first_fragment || payload.len < PORTS_LEN {
        return packet;
    }
    match packet.key.protocol() {
        ip::TCP => tcp(view, &mut packet, payload),
        ip::UDP | ip::UDP_LITE => {
            packet.header_len += UDP_LEN as u16;
            packet.payload_len = payload.len.saturating_sub(UDP_LEN) as u32;
            ports(view, &mut packet, payload);
        }
        ip::SCTP | ip::DCCP => {
            packet.header_len += SCTP_LEN as u16;
            ports(view, &mut packet, payload);
        }
        _ => {}
    }
    packet
}

#[inline(always)]
fn tcp<V: PacketView>(view: &V, packet: &mut Packet, payload: Payload) {
    if payload.len >= TCP_FLAGS_END {
        if let Some(header) = view.at::<TCP_FLAGS_END>(payload.offset) {
            packet.key.set_ports(raw32::<0, _>(header));
            packet.tcp_flags = header[13];
            let header_len = (header[12] >> 4) as usize * 4;
            packet.header_len += header_len as u16;
            packet.payload_len = payload.len.saturating_sub(header_len) as u32;
            return;
        }
        packet.cut = true;
    }
    ports(view, packet, payload);
}

#[inline(always)]
fn ports<V: PacketView>(view: &V, packet: &mut Packet, payload: Payload) {
    match view.at::<PORTS_LEN>(payload.offset) {
        Some(header) => packet.key.set_ports(raw32::<0, _>(header)),
        None => packet.cut = true,
    }
}
