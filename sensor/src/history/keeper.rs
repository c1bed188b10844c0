//! The follower that keeps history.

use std::path::PathBuf;

use super::tend::Tender;
use super::{Beside, Config, HistoryError, Lengths, Policy, Writer};
use crate::clock::Now;
use crate::follow::{Follower, Part};
use crate::report::Context;
use crate::seeds;

pub struct Keeper {
    /// The option that asked for it.
    name: &'static str,
    writer: Writer,
    /// `None`: what is there already is left alone.
    tender: Option<Tender>,
}

impl Keeper {
    /// With a policy the folder is looked after.
    pub fn new(
        name: &'static str,
        root: PathBuf,
        lengths: Lengths,
        policy: Option<Policy>,
    ) -> Self {
        let tender = policy.map(|policy| Tender::new(root.clone(), policy, new_run()));
        let config = Config {
            root,
            run: new_run(),
            lengths,
            most_rows: Config::MOST_ROWS,
        };
        Keeper {
            name,
            writer: Writer::new(config),
            tender,
        }
    }

    fn hand_over(
        &mut self,
        part: &Part,
        how: impl FnOnce(&mut Writer, Beside<'_>) -> Result<(), HistoryError>,
    ) -> Result<(), HistoryError> {
        let mut context = Context {
            filter: part.rules.text(),
            ..part.context.clone()
        };
        if part.rules.judges_flows() {
            context.notes.push(
                "the filter's part about flows is not applied to what is kept: ask for it again when you read it"
                    .to_owned(),
            );
        }
        let beside = Beside {
            context: &context,
            observed: part.observed(),
        };
        how(&mut self.writer, beside)
    }
}

impl Follower for Keeper {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn part(&mut self, part: &Part) -> anyhow::Result<()> {
        let delta = &part.period.delta;
        let done = self.hand_over(part, |writer, beside| {
            writer.part(delta, beside)?;
            match part.ends_period {
                true => writer.commit(delta, beside),
                false => Ok(()),
            }
        });
        // Also on a full disk: there is something to remove, perhaps.
        if let (true, Some(tender)) = (part.ends_period, &mut self.tender) {
            tender.tend(Now::read());
        }
        done.map_err(anyhow::Error::from)
    }

    fn finish(&mut self, whole: &Part) -> anyhow::Result<()> {
        let delta = &whole.period.delta;
        let done = self.hand_over(whole, |writer, beside| writer.conclude(delta, beside));
        if let Some(tender) = &mut self.tender {
            tender.wait();
        }
        done?;
        let dropped = self.writer.written().dropped;
        anyhow::ensure!(
            dropped.packets == 0,
            "{} packets are not in the history: the disk took none for too long",
            dropped.packets
        );
        Ok(())
    }
}

/// Twelve hexadecimal digits that nobody else has.
fn new_run() -> String {
    let [seed, ..] = seeds::random();
    format!("{:012x}", seed >> 16)
}
