//! A super-packet, cut into the packets that cross the wire: as the card does with what is sent (TSO), and as they were
//! before the kernel joined them (GRO).

use sensor_common::protocol::ip;

use crate::source::tap::PacketRecord;

/// Where to cut. Offsets are counted from the start of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    network: usize,
    transport: usize,
    /// Bytes of headers that each packet carries.
    header_len: usize,
    /// Bytes of payload in all but the last.
    size: usize,
    ipv6: bool,
    tcp: bool,
}

const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const FIN: u8 = 1;
const PSH: u8 = 8;
const CWR: u8 = 128;

impl Cut {
    /// `None` for a packet that is only itself, or that is not understood well enough.
    pub(super) fn of(record: &PacketRecord<'_>) -> Option<Cut> {
        let super_packet = record.bytes.super_packet?;
        let packet = record.parsed.as_ref().ok()?;
        let protocol = packet.key.protocol();
        let (tcp, udp) = (protocol == ip::TCP, protocol == ip::UDP);
        let cut = Cut {
            network: packet.network_offset.into(),
            transport: packet.transport_offset.into(),
            header_len: super_packet.header_len as usize,
            size: super_packet.size.into(),
            ipv6: packet.key.is_ipv6(),
            tcp,
        };
        // Not of what is inside a tunnel: there each packet has more lengths than these.
        let least = cut.transport + if tcp { TCP_HEADER } else { UDP_HEADER };
        let whole = record.bytes.data.len() >= cut.header_len;
        let plain = match tcp {
            true => cut.header_len >= least && cut.header_len == usize::from(packet.header_len),
            false => udp && cut.header_len == least,
        };
        let cuts = record.packets > 1 && cut.size > 0 && cut.transport > cut.network;
        (packet.key.is_ip() && whole && plain && cuts).then_some(cut)
    }

    /// So many bytes were put in before the network header.
    pub(super) fn shifted(self, by: usize) -> Cut {
        Cut {
            network: self.network + by,
            transport: self.transport + by,
            header_len: self.header_len + by,
            ..self
        }
    }

    /// Hands over each packet, in `buffer`, with its length on the wire. `data` is what was captured of all of them, of
    /// `len` bytes.
    pub(super) fn each<E>(
        self,
        (data, len): (&[u8], u32),
        buffer: &mut Vec<u8>,
        mut f: impl FnMut(&[u8], u32) -> Result<(), E>,
    ) -> Result<(), E> {
        let (Some(header), Some(captured)) =
            (data.get(..self.header_len), data.get(self.header_len..))
        else {
            return Ok(());
        };
        let payload = (len as usize).saturating_sub(self.header_len);
        let mut from = 0;
        while from < payload {
            let to = payload.min(from + self.size);
            let there = captured.get(from..to.min(captured.len()));
            buffer.clear();
            buffer.extend_from_slice(header);
            buffer.extend_from_slice(there.unwrap_or_default());
            self.head(buffer, from, to - from, to == payload);
            f(buffer, (self.header_len + to - from) as u32)?;
            from = to;
        }
        Ok(())
    }

    /// The headers of the packet whose payload begins `from` there.
    fn head(self, packet: &mut [u8], from: usize, payload: usize, last: bool) {
        let behind_network = self.header_len - self.network + payload;
        if self.ipv6 {
            put16(packet, self.network + 4, behind_network - 40);
        } else {
            put16(packet, self.network + 2, behind_network);
            let id = get16(packet, self.network + 4) as usize;
            put16(packet, self.network + 4, id + from / self.size);
            put16(packet, self.network + 10, 0);
            let sum = sum(packet.get(self.network..self.transport).unwrap_or_default());
            put16(packet, self.network + 10, folded(sum).into());
        }
        let complete = packet.len() == self.header_len + payload;
        if self.tcp {
            self.tcp(packet, from, last);
        } else {
            put16(packet, self.transport + 4, UDP_HEADER + payload);
        }
        if complete {
            self.checksum(packet);
        }
    }

    fn tcp(self, packet: &mut [u8], from: usize, last: bool) {
        let at = self.transport;
        let sequence = u32::from(get16(packet, at + 4)) << 16 | u32::from(get16(packet, at + 6));
        let sequence = sequence.wrapping_add(from as u32);
        put16(packet, at + 4, (sequence >> 16) as usize);
        put16(packet, at + 6, sequence as usize);
        if let Some(flags) = packet.get_mut(at + 13) {
            *flags &= if last { !0 } else { !(FIN | PSH) };
            *flags &= if from == 0 { !0 } else { !CWR };
        }
    }

    /// Of all bytes behind the IP header and its extensions.
    fn checksum(self, packet: &mut [u8]) {
        let (at, protocol) = match self.tcp {
            true => (self.transport + 16, ip::TCP),
            false => (self.transport + 6, ip::UDP),
        };
        let addresses = match self.ipv6 {
            true => self.network + 8..self.network + 40,
            false => self.network + 12..self.network + 20,
        };
        put16(packet, at, 0);
        let behind = packet.get(self.transport..).unwrap_or_default();
        let pseudo = sum(packet.get(addresses).unwrap_or_default());
        let total = sum(behind) + pseudo + u64::from(protocol) + behind.len() as u64;
        let value = match (folded(total), self.tcp) {
            (0, false) => u16::MAX, // 0 would say that there is none
            (value, _) => value,
        };
        put16(packet, at, value.into());
    }
}

fn get16(bytes: &[u8], at: usize) -> u16 {
    let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u16::from_be_bytes(*bytes))
}

/// The lower 16 bits.
fn put16(bytes: &mut [u8], at: usize, value: usize) {
    if let Some(place) = bytes.get_mut(at..at + 2) {
        place.copy_from_slice(&(value as u16).to_be_bytes());
    }
}

/// Of 16-bit words, the last filled up with a zero (RFC 1071).
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<2>();
    let words: u64 = words
        .iter()
        .map(|word| u64::from(u16::from_be_bytes(*word)))
        .sum();
    words + rest.first().map_or(0, |last| u64::from(*last) << 8)
}

fn folded(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
#[path = "segments_tests.rs"]
mod tests;
