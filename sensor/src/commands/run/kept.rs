//! How the outputs of single packets fare while a run goes on.

use crate::clock::Now;
use crate::commands::live::events;
use crate::outputs::Outputs;
use crate::report::Written;

#[derive(Default)]
pub(super) struct Kept {
    /// As the reports have it.
    pub(super) written: Vec<Written>,
    /// Options of which it was told that they don't take all packets, with whether they failed.
    told: Vec<(&'static str, bool)>,
}

impl Kept {
    pub(super) fn look(&mut self, outputs: &Outputs) {
        self.written = outputs.written();
    }

    /// Flushes, and gives what has to be said of it: that an output does not take all packets is said once.
    pub(super) fn flush(&mut self, outputs: &Outputs, now: Now) -> Vec<String> {
        outputs.flush_packets(now);
        let mut said = Vec::new();
        for (option, failure) in outputs.behind() {
            let one = (option, failure.is_some());
            if !self.told.contains(&one) {
                self.told.push(one);
                said.push(events::packets_left_out(
                    option,
                    failure.as_deref(),
                    now.wall,
                ));
            }
        }
        said
    }
}
