//! What the programs do with the packets of a run.

use sensor_common::abi::{SLOT_WAYS, TAP_WAYS};
use sensor_common::prefix_set::Line;

use crate::source::home::HomeNet;

/// What becomes of the packets that were counted.
#[derive(Clone, Copy, Debug, Default)]
pub enum Role<'a> {
    /// They pass on.
    #[default]
    Host,
    /// They go no further. Which way they went is told by the networks that are ours, if any are known.
    Tap(Option<&'a HomeNet>),
}

impl<'a> Role<'a> {
    /// Directions that a slot is counted in.
    pub(super) fn ways(self) -> u32 {
        match self {
            Role::Host => SLOT_WAYS,
            Role::Tap(_) => TAP_WAYS,
        }
    }

    pub(super) fn is_tap(self) -> bool {
        matches!(self, Role::Tap(_))
    }

    pub(super) fn knows_home(self) -> bool {
        matches!(self, Role::Tap(Some(_)))
    }

    pub(super) fn lines(self) -> &'a [Line] {
        match self {
            Role::Tap(Some(home)) => home.lines(),
            Role::Host | Role::Tap(None) => &[],
        }
    }
}
