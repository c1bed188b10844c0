//! Who follows what is counted, interval by interval: pages, metrics, exports, history.
//!
//! A run, or a capture file, is cut into [`Part`]s. Each [`Follower`] gets every part, on a thread of its own: none of them
//! can delay the counting or another one. What is counted twice nowhere and left out nowhere: parts of one run joined
//! again are the run.

mod part;
mod rules;
mod slices;
mod threads;

#[cfg(test)]
mod tests;

pub use part::Part;
pub use rules::{Rules, names};
pub use slices::{Cuts, Slices};
pub use threads::{Followers, Pace, Trouble};

/// Somebody who is shown each interval of a run or a file.
pub trait Follower: Send {
    /// The option that asked for it, for messages: `--ipfix`.
    fn name(&self) -> String;

    /// Takes in what was counted in the next interval, or in several: those that came while this one was busy are one part.
    /// An error is told once, and the next part comes all the same.
    fn part(&mut self, part: &Part) -> anyhow::Result<()>;

    /// No more parts come. `whole` is everything that was counted, as the last report has it.
    fn finish(&mut self, whole: &Part) -> anyhow::Result<()>;
}
