//! Where the walk over a packet is, and where it goes next.

use super::Dissection;
use super::layer::Layer;
use super::mac::Vendors;

/// What stands at the place that was reached.
pub(super) enum Next {
    Ethernet,
    /// What an EtherType (or an 802.3 length) announces.
    Ethertype(u16),
    Ppp,
    /// IPv4 or IPv6, as the first four bits say.
    Ip,
    Transport(Inside),
    Tunnel(Tunnel),
    Payload(Talk),
    Bytes,
    Done,
}

/// What an IP header says of what is behind it.
#[derive(Clone, Copy)]
pub(super) struct Inside {
    pub(super) protocol: u8,
    pub(super) ipv6: bool,
    /// A later fragment begins in the middle of something.
    pub(super) later_fragment: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Tunnel {
    Gre,
    Vxlan,
    Geneve,
    GtpU,
}

/// Between which ports a payload travels.
#[derive(Clone, Copy)]
pub(super) struct Talk {
    pub(super) udp: bool,
    pub(super) src: u16,
    pub(super) dst: u16,
}

pub(super) struct Walk<'a> {
    pub(super) data: &'a [u8],
    pub(super) at: usize,
    /// Where the innermost IP packet says that it ends; padding and trailers are behind it.
    pub(super) end: usize,
    pub(super) depth: u8,
    pub(super) layers: Vec<Layer>,
    pub(super) ended: Option<String>,
    pub(super) vendors: &'a mut dyn Vendors,
}

impl<'a> Walk<'a> {
    pub(super) fn new(data: &'a [u8], vendors: &'a mut dyn Vendors) -> Self {
        Walk {
            data,
            at: 0,
            end: data.len(),
            depth: 0,
            layers: Vec::new(),
            ended: None,
            vendors,
        }
    }

    /// All that is left of what is being walked over.
    pub(super) fn ahead(&self) -> &'a [u8] {
        self.data.get(self.at..self.end).unwrap_or_default()
    }

    pub(super) fn u16_at(&self, offset: usize) -> Option<u16> {
        let bytes = self.ahead().get(offset..)?;
        (bytes.len() >= 2).then(|| word16(bytes, 0))
    }

    /// Goes over a header of `len` bytes. `None` if it is cut off: then the walk has ended, and says so.
    pub(super) fn take(&mut self, name: &'static str, len: usize) -> Option<(Layer, &'a [u8])> {
        let ahead = self.ahead();
        let Some(bytes) = ahead.get(..len) else {
            self.ended = Some(format!(
                "the {name} header is cut off: {} of {len} bytes",
                ahead.len()
            ));
            self.rest("data");
            return None;
        };
        let layer = Layer {
            name,
            offset: self.at,
            length: len,
            depth: self.depth,
            fields: Vec::new(),
        };
        self.at += len;
        Some((layer, bytes))
    }

    pub(super) fn push(&mut self, layer: Layer) {
        self.layers.push(layer);
    }

    /// The rest as bytes.
    pub(super) fn rest(&mut self, name: &'static str) -> Next {
        let len = self.ahead().len();
        if len > 0
            && let Some((mut layer, bytes)) = self.take(name, len)
        {
            layer.field("bytes", 0, len, preview(bytes));
            self.push(layer);
        }
        Next::Done
    }

    /// What follows lies in a tunnel.
    pub(super) fn enter(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }

    pub(super) fn finish(mut self) -> Dissection {
        // Padding, trailers, and what an IP header disowns.
        if self.end < self.data.len() && self.ended.is_none() {
            self.at = self.end;
            self.end = self.data.len();
            self.depth = 0;
            self.rest("trailer");
        }
        Dissection {
            layers: self.layers,
            ended: self.ended,
        }
    }
}

/// 0 where it is cut off: headers are checked for their length before.
pub(super) fn word16(bytes: &[u8], at: usize) -> u16 {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<2>());
    bytes.map_or(0, |bytes| u16::from_be_bytes(*bytes))
}

pub(super) fn word32(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<4>());
    bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// The first bytes, as numbers and as text.
pub(super) fn preview(bytes: &[u8]) -> String {
    const SHOWN: usize = 10;
    let shown = bytes.get(..SHOWN.min(bytes.len())).unwrap_or_default();
    let hex: Vec<String> = shown.iter().map(|byte| format!("{byte:02x}")).collect();
    let text: String = shown.iter().map(|byte| printable(*byte)).collect();
    let more = if bytes.len() > SHOWN { " ..." } else { "" };
    format!("{}{more}  {text}", hex.join(" "))
}

/// A dot for what is no printable ASCII.
pub(crate) fn printable(byte: u8) -> char {
    match byte {
        0x20..=0x7e => byte.into(),
        _ => '.',
    }
}
