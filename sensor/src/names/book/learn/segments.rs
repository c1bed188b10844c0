//! The beginning of a TCP stream that is put together from its first segments, because a ClientHello, or the head of a
//! request, has grown too long for one.

use std::sync::Arc;

use sensor_common::flow::FlowKey;

use super::super::ends::{goes_up, turned};
use crate::names::Sample;

/// Bytes of one stream: what is longer is not waited for.
const MOST: usize = 16 << 10;

#[derive(Clone, Debug)]
pub(super) struct Segments {
    goes_up: bool,
    /// Sequence number of the first byte.
    seq: u32,
    /// Shared with earlier states of the book.
    pub(super) bytes: Arc<Vec<u8>>,
}

impl Segments {
    /// Whether the payload may be the beginning of a handshake.
    pub(super) fn begin_in(sample: &Sample<'_>) -> bool {
        sample.tcp_seq.is_some() && sample.payload.starts_with(&[0x16, 3])
    }

    /// `None` if what follows could not be told: the segment was not captured to its end, or is too long already.
    pub(super) fn start(sample: &Sample<'_>) -> Option<Self> {
        let mut segments = Segments {
            goes_up: goes_up(&sample.key),
            seq: sample.tcp_seq?,
            bytes: Arc::default(),
        };
        (segments.add(sample) && segments.may_grow()).then_some(segments)
    }

    pub(super) fn is_of(&self, sample: &Sample<'_>) -> bool {
        self.goes_up == goes_up(&sample.key)
    }

    /// The flow that they are of; `key`: that or the other way.
    pub(super) fn way_of(&self, key: &FlowKey) -> FlowKey {
        if self.goes_up == goes_up(key) {
            *key
        } else {
            turned(key)
        }
    }

    pub(super) fn may_grow(&self) -> bool {
        self.bytes.len() < MOST
    }

    /// Takes what the sample has behind the bytes that are here. False if nothing more can come behind it. What was sent
    /// again is left aside, as is what comes behind a gap.
    pub(super) fn add(&mut self, sample: &Sample<'_>) -> bool {
        let Some(seq) = sample.tcp_seq else {
            return false;
        };
        let offset = seq.wrapping_sub(self.seq) as usize;
        if offset > self.bytes.len() {
            return true;
        }
        let new = sample.payload.get(self.bytes.len() - offset..);
        let Some(new) = new.filter(|new| !new.is_empty()) else {
            return true;
        };
        let room = MOST.saturating_sub(self.bytes.len());
        Arc::make_mut(&mut self.bytes).extend_from_slice(&new[..new.len().min(room)]);
        sample.payload.len() >= sample.payload_len as usize
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::ends::tests::flow;
    use super::*;

    fn sample(seq: u32, payload: &[u8]) -> Sample<'_> {
        Sample {
            key: flow("10.0.0.1:40000", "10.0.0.2:443", 6),
            at: None,
            payload,
            payload_len: payload.len() as u32,
            tcp_seq: Some(seq),
            number: 0,
            last: false,
        }
    }

    #[test]
    fn segments_follow_one_another() {
        let mut segments = Segments::start(&sample(u32::MAX - 1, b"abc")).unwrap();
        assert!(segments.add(&sample(u32::MAX - 1, b"abc"))); // sent again
        assert!(segments.add(&sample(3, b"xyz"))); // behind a gap
        assert!(segments.add(&sample(0, b"cde"))); // part of it sent again
        assert_eq!(**segments.bytes, *b"abcde");
        let mut cut = sample(3, b"f");
        cut.payload_len = 9;
        assert!(!segments.add(&cut));
        assert_eq!(**segments.bytes, *b"abcdef");
        assert!(Segments::start(&cut).is_none());
    }

    #[test]
    fn they_are_bounded() {
        let long = vec![7; MOST - 1];
        let mut segments = Segments::start(&sample(1, &long)).unwrap();
        assert!(segments.may_grow());
        segments.add(&sample(MOST as u32, &long));
        assert_eq!(segments.bytes.len(), MOST);
        assert!(!segments.may_grow());
        assert!(Segments::start(&sample(1, &[0; MOST])).is_none());
    }
}
