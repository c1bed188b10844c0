//! Datagrams of QUIC: as they are, as the frames inside of a packet, and as the stream that the frames carry.

use sensor::names::decode::quic::{Initials, long_header};

use super::seal::{Sealer, V1, V2};
use super::{cuts, lies_in, mixed};
use crate::cost::bounded;

const ID: usize = 20;
const STREAM: usize = 16 << 10;

/// Panics if the decoders do not do with these bytes what they promise.
pub fn check(bytes: &[u8]) {
    as_datagram(bytes);
    if (1..=8192).contains(&bytes.len()) {
        as_frames(bytes);
        as_stream(bytes);
    }
}

fn as_datagram(bytes: &[u8]) {
    let header = bounded(bytes.len(), 0, || long_header(bytes));
    if let Some(header) = header {
        for id in [header.dcid, header.scid] {
            assert!(id.len() <= ID && (id.is_empty() || lies_in(id, bytes)));
        }
    }
    let mut whole = Initials::default();
    if add(&mut whole, bytes) {
        assert!(header.is_some(), "opened, but no header");
        let stream = whole.crypto().to_vec();
        add(&mut whole, bytes);
        assert_eq!(whole.crypto(), stream, "what is sent again changes nothing");
    } else {
        assert!(whole.crypto().is_empty());
    }
    for cut in cuts(bytes) {
        add(&mut Initials::default(), cut);
    }
}

/// Any frames in a packet that is genuine.
fn as_frames(frames: &[u8]) {
    let seed = mixed(frames);
    let sealer = sealer(seed);
    let datagram = sealer.packet(seed as u32 & 0xff, frames);
    assert!(long_header(&datagram).is_some());
    let mut whole = Initials::default();
    assert!(add(&mut whole, &datagram), "a genuine packet opens");
    for cut in cuts(&datagram) {
        let mut part = Initials::default();
        if add(&mut part, cut) {
            assert!(part.crypto().len() <= whole.crypto().len());
        } else {
            assert!(part.crypto().is_empty());
        }
    }
}

/// The stream in pieces of any size, in any order, some of them twice, is put together.
fn as_stream(stream: &[u8]) {
    let mut random = Random(mixed(stream) | 1);
    let sealer = sealer(random.0);
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < stream.len() {
        let least = stream.len() / 32 + 1;
        let end = (at + least + random.below(2 * least)).min(stream.len());
        // Some of what came before once more.
        pieces.push((at.saturating_sub(random.below(8)), end));
        at = end;
    }
    for _ in 0..3 {
        pieces.push(pieces[random.below(pieces.len())]);
    }
    for last in (1..pieces.len()).rev() {
        pieces.swap(last, random.below(last + 1));
    }
    let mut initials = Initials::default();
    for (number, pieces) in pieces.chunks(1 + random.below(4)).enumerate() {
        let mut frames = vec![0, 1]; // padding, and a ping
        for (from, to) in pieces {
            frames.extend(crypto(*from, &stream[*from..*to]));
        }
        assert!(add(&mut initials, &sealer.packet(number as u32, &frames)));
        assert!(stream.starts_with(initials.crypto()));
    }
    assert_eq!(initials.crypto(), stream);
}

fn add(to: &mut Initials, datagram: &[u8]) -> bool {
    // A datagram has up to eight packets, each with a copy for each key that is tried; each may begin a stream anew.
    let most = 16 * (datagram.len() + 2 * STREAM + 4096);
    let mut twin = to.clone();
    let used = bounded(datagram.len(), most, || to.add(datagram));
    assert_eq!(used, twin.add(datagram));
    assert_eq!(to.crypto(), twin.crypto());
    assert!(to.crypto().len() <= STREAM);
    used
}

fn sealer(seed: u64) -> Sealer {
    Sealer::new(if seed & 2 == 0 { V1 } else { V2 }, seed.to_be_bytes())
}

/// A CRYPTO frame (RFC 9000 section 19.6).
fn crypto(offset: usize, data: &[u8]) -> Vec<u8> {
    let varint = |value: usize| (0x4000 | value as u16).to_be_bytes();
    [&[6], &varint(offset)[..], &varint(data.len()), data].concat()
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit
    }
}
