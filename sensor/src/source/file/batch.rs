//! Several packets handed out at once, which have nothing unusual about them, as nearly all have.

/// Enough for what is done once for all of them not to matter; what is noted of them stays in the first-level cache.
const MOST: usize = 64;

/// Where a packet lies in the window, from where a batch begins, and what its record says.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) start: usize,
    pub(super) cap_len: u32,
    /// Not less than `cap_len`.
    pub(super) wire_len: u32,
    /// Nanoseconds since the epoch.
    pub(super) at: i64,
}

/// Room for a batch.
pub struct Marks(pub(super) [Mark; MOST]);

impl Default for Marks {
    fn default() -> Self {
        let nothing = Mark {
            start: 0,
            cap_len: 0,
            wire_len: 0,
            at: 0,
        };
        Marks([nothing; MOST])
    }
}

/// Packets of one link type, in their order: at least one, until they are taken.
pub struct Batch<'a> {
    pub link_type: u16,
    pub(super) bytes: &'a [u8],
    pub(super) marks: &'a [Mark],
}

/// A packet with a time of which no interface and no way is told.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a> {
    /// What was captured of it.
    pub data: &'a [u8],
    /// Never less than what was captured.
    pub wire_len: u32,
    /// Nanoseconds since the epoch.
    pub at: i64,
}

impl Batch<'_> {
    pub fn size(&self) -> usize {
        self.marks.len()
    }

    /// The time of the first packet.
    pub(super) fn begins(&self) -> Option<i64> {
        self.marks.first().map(|mark| mark.at)
    }

    /// Takes the first packet, and those behind it up to the first one that is not within the times of `span`.
    pub(super) fn take(&mut self, (start, end): (i64, i64)) -> Self {
        let beyond = |mark: &Mark| mark.at < start || end < mark.at;
        // Nearly always none is, which is told for all of them faster than for each.
        let any = self
            .marks
            .iter()
            .fold(false, |any, mark| any | beyond(mark));
        let rest = any.then(|| self.marks.iter().skip(1).position(beyond));
        let length = rest.flatten().map_or(self.marks.len(), |place| place + 1);
        let (marks, rest) = self.marks.split_at(length);
        self.marks = rest;
        Batch { marks, ..*self }
    }

    #[inline(always)]
    pub fn packets(&self) -> impl Iterator<Item = Plain<'_>> {
        self.marks.iter().filter_map(|mark| {
            let end = mark.start + mark.cap_len as usize;
            Some(Plain {
                data: self.bytes.get(mark.start..end)?, // there are so many
                wire_len: mark.wire_len,
                at: mark.at,
            })
        })
    }
}
