//! A capture file made of packets that never were: pcapng, because it says which way each of them went.

/// Of a packet, seen from the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

#[derive(Clone, Debug)]
pub(super) struct Packet {
    /// Microseconds since the epoch.
    pub(super) at: u64,
    pub(super) way: Way,
    /// What is kept of it: headers, and what tells names.
    pub(super) kept: Vec<u8>,
    pub(super) wire_len: usize,
}

/// The file, in order of time.
pub(super) fn pcapng(mut packets: Vec<Packet>) -> Vec<u8> {
    packets.sort_by_key(|packet| packet.at);
    let mut file = Vec::new();
    let header = [
        &0x1a2b_3c4d_u32.to_le_bytes()[..],
        &[1, 0, 0, 0],
        &[0xff; 8],
    ]
    .concat();
    block(&mut file, 0x0a0d_0d0a, &header);
    block(&mut file, 1, &[1, 0, 0, 0, 0, 0, 0, 0]); // Ethernet, no snaplen
    for packet in &packets {
        block(&mut file, 6, &enhanced(packet));
    }
    file
}

fn enhanced(packet: &Packet) -> Vec<u8> {
    let mut body = Vec::new();
    let numbers = [
        0, // interface
        (packet.at >> 32) as u32,
        packet.at as u32,
        packet.kept.len() as u32,
        packet.wire_len as u32,
    ];
    numbers
        .iter()
        .for_each(|number| body.extend(number.to_le_bytes()));
    body.extend(&packet.kept);
    body.resize(body.len().next_multiple_of(4), 0);
    let way = match packet.way {
        Way::In => 1,
        Way::Out => 2,
    };
    body.extend([2, 0, 4, 0, way, 0, 0, 0]); // epb_flags
    body.extend([0; 4]); // opt_endofopt
    body
}

fn block(file: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = (body.len() as u32 + 12).to_le_bytes();
    file.extend(kind.to_le_bytes());
    file.extend(length);
    file.extend(body);
    file.extend(length);
}

/// One way of a connection, as headers have it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    pub(super) src: ([u8; 16], u16),
    pub(super) dst: ([u8; 16], u16),
    pub(super) protocol: u8,
    /// Else the last four bytes of the addresses count.
    pub(super) is_v6: bool,
}

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;

impl Flow {
    pub(super) fn back(self) -> Self {
        Flow {
            src: self.dst,
            dst: self.src,
            ..self
        }
    }

    /// Headers and payload; `more` bytes follow on the wire that are not kept.
    pub(super) fn frame(&self, payload: &[u8], more: usize) -> Vec<u8> {
        let transport = self.transport(payload.len() + more);
        let above_ip = (transport.len() + payload.len() + more) as u16;
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        if self.is_v6 {
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            frame.extend(above_ip.to_be_bytes());
            frame.extend([self.protocol, 64]);
            frame.extend(self.src.0);
            frame.extend(self.dst.0);
        } else {
            frame.extend([8, 0, 0x45, 0]);
            frame.extend((above_ip + 20).to_be_bytes());
            frame.extend([0, 0, 0x40, 0, 64, self.protocol, 0, 0]);
            frame.extend(&self.src.0[12..]);
            frame.extend(&self.dst.0[12..]);
        }
        frame.extend(transport);
        frame.extend(payload);
        frame
    }

    fn transport(&self, payload: usize) -> Vec<u8> {
        let mut header = Vec::new();
        header.extend(self.src.1.to_be_bytes());
        header.extend(self.dst.1.to_be_bytes());
        if self.protocol == UDP {
            header.extend((payload as u16 + 8).to_be_bytes());
            header.extend([0, 0]);
        } else {
            header.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        }
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_end_with_their_length() {
        let packet = |at| Packet {
            at,
            way: Way::Out,
            kept: vec![7; 61],
            wire_len: 1500,
        };
        let file = pcapng(vec![packet(9), packet(5)]);
        let number =
            |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap_or_default());
        let (mut at, mut blocks) = (0, Vec::new());
        while at < file.len() {
            let length = number(at + 4) as usize;
            assert_eq!(number(at + length - 4) as usize, length);
            blocks.push((number(at), number(at + 16)));
            at += length;
        }
        assert_eq!(at, file.len());
        assert_eq!(blocks[2..], [(6, 5), (6, 9)]);
    }

    #[test]
    fn lengths_in_headers_are_those_of_the_wire() {
        let flow = Flow {
            src: ([1; 16], 1000),
            dst: ([2; 16], 443),
            protocol: TCP,
            is_v6: false,
        };
        let frame = flow.frame(b"hello", 1000);
        assert_eq!(frame.len(), 14 + 20 + 20 + 5);
        assert_eq!(u16::from_be_bytes([frame[16], frame[17]]), 20 + 20 + 1005);
        let v6 = Flow {
            is_v6: true,
            ..flow
        }
        .frame(b"", 0);
        assert_eq!((v6.len(), v6[18], v6[19]), (14 + 40 + 20, 0, 20));
    }
}
