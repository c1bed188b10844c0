//! The flows, in pieces of memory that are never moved: each is twice as long as the one before it.

use sensor_common::flow::FlowKey;

use super::entry::{Entry, Sought, narrow};
use super::{Flow, Place, Stored};
use crate::memory::{self, Room};

/// Binary logarithm of the lines of the first piece: 64 KiB.
const FIRST_BITS: u32 = 10;
const FIRST: u32 = 1 << FIRST_BITS;
/// Their lines can be numbered by 32 bits.
const MOST_PIECES: usize = 21;
/// The lines of all pieces together.
pub(crate) const MOST_PLACES: u64 = (FIRST as u64) * ((1 << MOST_PIECES) - 1);

/// A place, as it is found in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::counters) struct Line {
    piece: u32,
    line: u32,
}

impl Line {
    /// The one of this number from the table's first on.
    #[inline]
    pub(in crate::counters) fn number(number: usize) -> Self {
        Line::of(Place(number as u32))
    }

    #[inline]
    pub(super) fn of(Place(place): Place) -> Self {
        let from_one = place + FIRST;
        let bits = from_one.ilog2();
        Line {
            piece: bits - FIRST_BITS,
            line: from_one - (1 << bits),
        }
    }

    #[inline]
    pub(super) fn place(self) -> Place {
        Place(first_of(self.piece as usize) + self.line)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    pieces: Vec<Room<Entry>>,
}

impl Lines {
    /// A new flow, all zero; `None` where no more places can be numbered.
    pub(super) fn push(&mut self, key: &FlowKey) -> Option<Place> {
        let entry = Entry::new(key);
        let lines = 1 + usize::from(entry.is_wide());
        if self.pieces.last().is_none_or(|piece| piece.left() < lines) {
            self.add_piece()?;
        }
        let number = self.pieces.len() - 1;
        let piece = self.pieces.last_mut()?;
        let place = first_of(number) + piece.as_slice().len() as u32;
        piece.push(entry);
        if entry.is_wide() {
            piece.push(Entry::of_words(key));
        }
        Some(Place(place))
    }

    #[cold]
    fn add_piece(&mut self) -> Option<()> {
        let number = self.pieces.len();
        if number >= MOST_PIECES {
            return None;
        }
        self.pieces.push(Room::new(length_of(number)));
        Some(())
    }

    #[inline]
    pub(super) fn at_mut(&mut self, place: Place) -> &mut Entry {
        let (piece, line) = split(place);
        &mut self.pieces[piece].as_mut_slice()[line]
    }

    #[inline(always)]
    pub(super) fn hit(&mut self, line: Line, sought: &Sought) -> Option<&mut Entry> {
        let (piece, line) = (line.piece as usize, line.line as usize);
        let piece = self.pieces.get_mut(piece)?.as_mut_slice();
        if sought.wide {
            let (entry, words) = piece.get_mut(line..line + 2)?.split_first_mut()?;
            let is = entry.is_of(words.first()?, &sought.key());
            return is.then_some(entry);
        }
        let entry = piece.get_mut(line)?;
        entry.is_sought(sought).then_some(entry)
    }

    pub(super) fn flow(&self, place: Place) -> Flow {
        let (piece, line) = split(place);
        flow_at(self.pieces[piece].as_slice(), line)
    }

    #[inline]
    pub(super) fn is(&self, line: Line, key: &FlowKey) -> bool {
        let (piece, line) = (line.piece as usize, line.line as usize);
        let piece = self.pieces.get(piece).map_or(&[][..], Room::as_slice);
        let Some(entry) = piece.get(line) else {
            return false; // a hint from before the table was another one
        };
        match narrow(key) {
            Some(ends) => entry.is_narrow(ends, key.0[4]),
            None => piece
                .get(line + 1)
                .is_some_and(|words| entry.is_of(words, key)),
        }
    }

    #[inline]
    pub(super) fn prefetch(&self, line: Line, wide: bool) {
        let (piece, line) = (line.piece as usize, line.line as usize);
        let Some(piece) = self.pieces.get(piece) else {
            return;
        };
        let piece = piece.as_slice();
        memory::prefetch(piece, line);
        if wide {
            memory::prefetch(piece, line + 1);
        }
    }

    #[inline]
    pub(super) fn prefetch_line(&self, line: Line) {
        if let Some(piece) = self.pieces.get(line.piece as usize) {
            memory::prefetch(piece.as_slice(), line.line as usize);
        }
    }

    pub(super) fn flows(&self) -> impl Iterator<Item = Flow> {
        self.pieces.iter().map(Room::as_slice).flat_map(|piece| {
            let lines = piece.iter().enumerate();
            let flows = lines.filter(|(_, entry)| entry.is_flow());
            flows.map(|(line, _)| flow_at(piece, line))
        })
    }

    /// In the order of the places.
    #[inline]
    pub(super) fn each(&self, mut each: impl FnMut(Place, Stored<'_>)) {
        for (number, piece) in self.pieces.iter().enumerate() {
            let first = first_of(number);
            let piece = piece.as_slice();
            for (line, entry) in piece.iter().enumerate() {
                if entry.is_flow() {
                    let words = piece.get(line + 1).unwrap_or(&Entry::EMPTY);
                    each(Place(first + line as u32), Stored { entry, words });
                }
            }
        }
    }

    #[inline]
    pub(super) fn stored(&self, place: Place) -> Stored<'_> {
        let (piece, line) = split(place);
        let piece = self.pieces[piece].as_slice();
        Stored {
            entry: &piece[line],
            words: piece.get(line + 1).unwrap_or(&Entry::EMPTY),
        }
    }

    /// More than the number of any place.
    pub(super) fn places(&self) -> usize {
        let last = self.pieces.last().map_or(0, |last| last.as_slice().len());
        let before = self.pieces.len().saturating_sub(1);
        first_of(before) as usize + last
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (Place, FlowKey)> {
        self.pieces.iter().enumerate().flat_map(|(number, piece)| {
            let piece = piece.as_slice();
            let lines = piece.iter().enumerate();
            let flows = lines.filter(|(_, entry)| entry.is_flow());
            flows.map(move |(line, entry)| {
                let words = piece.get(line + 1).unwrap_or(&Entry::EMPTY);
                (Place(first_of(number) + line as u32), entry.key(words))
            })
        })
    }

    /// Flows that have packets.
    pub(super) fn counted(&self) -> usize {
        let lines = self.pieces.iter().flat_map(Room::as_slice);
        lines.filter(|entry| entry.is_counted()).count()
    }

    /// Hands the flows that have packets to `each`, and all of them have none after that.
    pub(super) fn begin_again(&mut self, mut each: impl FnMut(&Flow)) {
        for piece in self.pieces.iter_mut().map(Room::as_mut_slice) {
            for line in 0..piece.len() {
                if piece[line].is_counted() {
                    each(&flow_at(piece, line));
                    piece[line].begin_again();
                }
            }
        }
    }

    pub(super) fn update(&mut self, mut change: impl FnMut(&mut Flow) -> bool) {
        for piece in self.pieces.iter_mut().map(Room::as_mut_slice) {
            for line in 0..piece.len() {
                let mut flow = flow_at(piece, line);
                if piece[line].is_flow() && change(&mut flow) {
                    piece[line].take_over(&flow);
                }
            }
        }
    }
}

#[inline]
fn flow_at(piece: &[Entry], line: usize) -> Flow {
    let entry = &piece[line];
    entry.flow(piece.get(line + 1).unwrap_or(&Entry::EMPTY))
}

/// Lines of a piece.
fn length_of(piece: usize) -> usize {
    (FIRST as usize) << piece
}

/// Place of its first line.
fn first_of(piece: usize) -> u32 {
    (FIRST << piece) - FIRST
}

/// Number of the piece, and of the line in it.
#[inline]
fn split(place: Place) -> (usize, usize) {
    let Line { piece, line } = Line::of(place);
    (piece as usize, line as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_found_again() {
        let mut lines = Lines::default();
        let keys: Vec<FlowKey> = (0..10_000u32)
            .map(|number| match number % 3 {
                0 => FlowKey::ipv6([1, u64::from(number)], [2, 3], 6),
                _ => FlowKey::ipv4(number, 1, 6),
            })
            .collect();
        let places: Vec<Place> = keys.iter().map(|key| lines.push(key).unwrap()).collect();
        for (key, place) in keys.iter().zip(&places) {
            let line = Line::of(*place);
            assert!(lines.is(line, key));
            assert_eq!(line.place(), *place);
            assert_eq!(lines.flow(*place).key, *key);
        }
        let copy = lines.clone();
        assert!(copy.flows().map(|flow| flow.key).eq(keys));
    }
}
