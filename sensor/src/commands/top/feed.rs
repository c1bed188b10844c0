//! Where the view's figures come from: interfaces, or a file that is played.

use std::time::Duration;

use crate::clock::Now;
use crate::failure::Exit;
use crate::report::{Context, FlowRow, Process};
use crate::top::{Figures, Matching, Status};

pub(super) trait Feed {
    /// Until it may have something new.
    fn sleep(&self, now: Now) -> Duration;

    /// Hands over what is new; true where anything is.
    fn tick(&mut self, now: Now, figures: &mut Figures) -> bool;

    /// What has happened since it was last asked.
    fn messages(&mut self) -> Vec<String>;

    fn status(&self, now: Now) -> Status;

    /// What reports say beside the counts.
    fn context(&self) -> Context;

    /// Names of the interfaces by slot, as filters may ask for them.
    fn interfaces(&self) -> Vec<String>;

    /// What of the command line's filter is asked of whole flows.
    fn matching(&self) -> Option<Matching>;

    fn pause(&mut self, paused: bool, figures: &mut Figures);

    /// Another speed, if there is one to choose.
    fn speed(&mut self, _faster: bool) {}

    /// The next interval while it is paused; true where there is one.
    fn step(&mut self, _figures: &mut Figures) -> bool {
        false
    }

    /// Whether figures can begin again from zero.
    fn resets(&self) -> bool;

    /// Stops; what was still to come is handed over. Gives what the view ends with.
    fn finish(self: Box<Self>, now: Now, figures: &mut Figures) -> Ending;

    fn process(&self, _row: &FlowRow) -> Option<Process> {
        None
    }
}

pub(super) struct Ending {
    pub(super) exit: Exit,
    /// What must be known of it, with the terminal given back.
    pub(super) complaints: Vec<String>,
    /// `None`: what was captured is said as after a run.
    pub(super) closing_line: Option<String>,
}
