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
        followers.push(Box::new(Following {
            exporter: exporter.map_err(|error| Failure::new(Exit::Output, error))?,
            trouble: None,
        }));
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

/// An exporter, and the trouble that it has and was told of. Flows that wait are not lost: only what is in the end is a
/// failure of the run.
struct Following {
    exporter: Exporter,
    trouble: Option<String>,
}

impl Following {
    fn tell(&mut self, trouble: Option<String>) {
        if trouble == self.trouble {
            return;
        }
        let name = self.name();
        status::warn(&match &trouble {
            Some(trouble) => format!("{name}: {trouble}; counting goes on"),
            None => format!("{name}: it works again"),
        });
        self.trouble = trouble;
    }
}

impl Follower for Following {
    fn name(&self) -> String {
        format!("--ipfix {}", self.exporter.collector)
    }

    fn part(&mut self, part: &Part) -> anyhow::Result<()> {
        let interfaces = part.context.interfaces.iter();
        self.exporter.interfaces(Interfaces::new(
            interfaces.map(|one| (one.slot, one.ifindex, one.name.as_str())),
        ));
        let counted = part.counted();
        let result = self
            .exporter
            .interval(&counted, part.period.end, Now::read());
        self.tell(result.err().map(|error| error.to_string()));
        Ok(())
    }

    fn finish(&mut self, _whole: &Part) -> anyhow::Result<()> {
        let result = self.exporter.finish(Now::read);
        status::note(&self.exporter.told());
        Ok(result?)
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
