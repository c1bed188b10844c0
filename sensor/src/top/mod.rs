//! The live view: what `sensor top` shows of the traffic while it is counted.
//!
//! [`Figures`] keep what was counted, [`State`] what is looked at; [`keys`] turns what is typed into actions, [`view`] draws
//! both. None of it has a clock or does I/O: terminal, signals and sources are the command's.

mod figures;
mod input;
pub mod keys;
mod lists;
mod matching;
pub mod play;
mod state;
#[cfg(test)]
mod tests;
pub mod view;

pub use figures::{Amount, Figures, SERIES, Way, Window};
pub use input::Input;
pub use lists::{Column, Id, Layer, List, Order, Row};
pub use matching::{Matching, Shown};
pub use state::{Effect, Lists, Mode, State, Tab, Units};
pub use view::{Processes, Scene, Source, Status, Theme};
