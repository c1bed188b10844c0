//! Two tables in which the same flows came in the same order, or nearly so, as in the parts of a run: walked side by side,
//! without a look into an index.

use super::{FlowTable, Line, Sought};

/// So many places are looked at: flows between may be missing in the other table.
const AHEAD: usize = 8;
/// After so many that were not found in a row the tables have no order in common.
const MOST_MISSED: u32 = 64;

/// Where in a table the next flow of the other one may be.
#[derive(Default)]
pub(super) struct Walk {
    next: usize,
    missed: u32,
}

impl Walk {
    /// The place of this flow, if it is one of the next.
    #[inline]
    pub(super) fn find(&mut self, flows: &mut FlowTable, sought: &Sought) -> Option<Line> {
        if self.missed > MOST_MISSED {
            return None;
        }
        let found = (self.next..self.next + AHEAD)
            .find(|place| flows.hit(Line::number(*place), sought).is_some());
        match found {
            Some(place) => {
                self.next = place + 1;
                self.missed = 0;
                Some(Line::number(place))
            }
            None => {
                self.missed += 1;
                None
            }
        }
    }
}
