//! The follower that keeps history.

use std::path::PathBuf;

use super::tend::Tender;
use super::{Beside, Config, HistoryError, Lengths, Policy, Writer};
use crate::clock::Now;
use crate::counters::Counts;
use crate::follow::{Follower, Part};
use crate::report::Context;
use crate::seeds;

pub struct Keeper {
    /// The option that asked for it.
    name: &'static str,
    writer: Writer,
    /// `None`: what is there already is left alone.
    tender: Option<Tender>,
    /// Why sets wait for the disk. Until they are written nothing works again.
    trouble: Option<String>,
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
            trouble: None,
        }
    }

    /// What to say of a part: one that only waits for the end of its period says nothing about the disk.
    fn told(&mut self, done: Result<(), HistoryError>) -> anyhow::Result<()> {
        match done {
            Err(error) => self.trouble = Some(error.to_string()),
            Ok(()) if self.writer.waits() => {}
            Ok(()) => self.trouble = None,
        }
        match &self.trouble {
            Some(trouble) => Err(anyhow::Error::msg(trouble.clone())),
            None => Ok(()),
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
        self.told(done)
    }

    fn finish(&mut self, whole: &Part) -> anyhow::Result<()> {
        let delta = &whole.period.delta;
        let done = self.hand_over(whole, |writer, beside| writer.conclude(delta, beside));
        if let Some(tender) = &mut self.tender {
            tender.wait();
        }
        let missing = self.writer.missing();
        match done {
            Ok(()) if missing == Counts::ZERO => Ok(()),
            Ok(()) => anyhow::bail!(
                "{} packets are not in the history: the disk took none for too long",
                missing.packets
            ),
            Err(error) => anyhow::bail!(
                "{error}; {} packets are not in the history",
                missing.packets
            ),
        }
    }
}

/// Twelve hexadecimal digits that nobody else has.
fn new_run() -> String {
    let [seed, ..] = seeds::random();
    format!("{:012x}", seed >> 16)
}
