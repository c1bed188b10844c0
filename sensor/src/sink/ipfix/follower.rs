//! The exporter of one collector follows a run or a file.

use std::time::Duration;

use super::{Exporter, Interfaces, Settings, Timeouts};
use crate::cli;
use crate::clock::Now;
use crate::failure::{Exit, Failure};
use crate::follow::{Follower, Part};
use crate::status;

/// One for each collector that is asked for.
pub fn exporters(asked: &cli::Ipfix) -> Result<Vec<Box<dyn Follower>>, Failure> {
    let settings = Settings::from(asked);
    let mut followers: Vec<Box<dyn Follower>> = Vec::new();
    for (place, collector) in asked.collectors.iter().enumerate() {
        if asked.collectors[..place].contains(collector) {
            return Err(Failure::told(
                Exit::Usage,
                format_args!("--ipfix {collector} is given twice: it would count everything twice"),
            ));
        }
        let exporter = Exporter::new(collector, &settings);
        followers.push(Box::new(
            exporter.map_err(|error| Failure::new(Exit::Output, error))?,
        ));
    }
    Ok(followers)
}

impl From<&cli::Ipfix> for Settings {
    fn from(asked: &cli::Ipfix) -> Self {
        Settings {
            timeouts: Timeouts {
                active: nanoseconds(asked.active),
                idle: nanoseconds(asked.idle),
            },
            domain: asked.domain,
            message_size: asked.message_size,
            rate: asked.rate,
        }
    }
}

impl Follower for Exporter {
    fn name(&self) -> String {
        format!("--ipfix {}", self.collector)
    }

    fn part(&mut self, part: &Part) -> anyhow::Result<()> {
        let interfaces = part.context.interfaces.iter();
        self.interfaces(Interfaces::new(
            interfaces.map(|one| (one.slot, one.ifindex, one.name.as_str())),
        ));
        self.interval(&part.counted(), part.period.end, Now::read())?;
        Ok(())
    }

    fn finish(&mut self, _whole: &Part) -> anyhow::Result<()> {
        let result = Exporter::finish(self, Now::read);
        status::note(&self.told());
        Ok(result?)
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
