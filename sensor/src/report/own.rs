//! What the sensor itself took, and whether it kept up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a live sensor took itself in the time of the report.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Own {
    /// The time in which it took all this: since the last report, or since the process started, which is before it counts.
    #[serde(default)]
    pub seconds: f64,
    /// Of all its threads. What its programs in the kernel take is on the account of whom they interrupt: see `programs`.
    pub cpu_user_seconds: f64,
    pub cpu_system_seconds: f64,
    /// Resident at the end. Null where the kernel does not say.
    pub memory_bytes: Option<u64>,
    /// The most that was resident since it started.
    pub memory_peak_bytes: Option<u64>,
    /// Of its tables in the kernel.
    pub map_bytes: Option<u64>,
    /// Payloads that found no room in the ring to the agent since it started: they cost names, never counts.
    pub payloads_lost: u64,
    /// That ended an interval.
    pub polls: u64,
    /// Of those, by more than 0.1 s.
    pub polls_late: u64,
    /// By how much the one that was latest.
    pub poll_latest_seconds: f64,
    /// With --bpf-stats, else null.
    pub programs: Option<ProgramTime>,
}

/// By the kernel's statistics of runs, whose own two looks at the clock are in it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ProgramTime {
    /// One for each packet, or super-packet.
    pub runs: u64,
    pub nanoseconds: u64,
    /// Null where none ran.
    pub nanoseconds_per_run: Option<f64>,
    /// Of what was seen: super-packets count as the packets on the wire. Null where none was.
    pub nanoseconds_per_packet: Option<f64>,
}

impl ProgramTime {
    pub fn new(runs: u64, nanoseconds: u64) -> Self {
        ProgramTime {
            runs,
            nanoseconds,
            nanoseconds_per_run: ratio(nanoseconds, runs),
            nanoseconds_per_packet: None,
        }
    }

    fn of_packets(self, packets: u64) -> Self {
        ProgramTime {
            nanoseconds_per_packet: ratio(self.nanoseconds, packets),
            ..self
        }
    }
}

impl Own {
    /// With what only the counts tell.
    pub(super) fn beside(mut self, packets: u64, payloads_lost: u64) -> Self {
        self.payloads_lost = payloads_lost;
        self.programs = self.programs.map(|time| time.of_packets(packets));
        self
    }

    /// Of several reports: times and polls add up, memory is the most of any.
    pub(super) fn join(&mut self, other: &Own, packets: u64) {
        self.seconds += other.seconds;
        self.cpu_user_seconds += other.cpu_user_seconds;
        self.cpu_system_seconds += other.cpu_system_seconds;
        self.memory_bytes = self.memory_bytes.max(other.memory_bytes);
        self.memory_peak_bytes = self.memory_peak_bytes.max(other.memory_peak_bytes);
        self.map_bytes = self.map_bytes.max(other.map_bytes);
        self.payloads_lost = self.payloads_lost.max(other.payloads_lost);
        self.polls = self.polls.saturating_add(other.polls);
        self.polls_late = self.polls_late.saturating_add(other.polls_late);
        self.poll_latest_seconds = self.poll_latest_seconds.max(other.poll_latest_seconds);
        self.programs = match (self.programs.take(), &other.programs) {
            (Some(one), Some(other)) => {
                let runs = one.runs.saturating_add(other.runs);
                let nanoseconds = one.nanoseconds.saturating_add(other.nanoseconds);
                Some(ProgramTime::new(runs, nanoseconds).of_packets(packets))
            }
            _ => None,
        };
    }
}

fn ratio(of: u64, by: u64) -> Option<f64> {
    (by > 0).then(|| of as f64 / by as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_add_up_and_memory_is_the_most() {
        let own = |cpu, memory, runs| Own {
            seconds: 60.0,
            cpu_user_seconds: cpu,
            memory_bytes: Some(memory),
            polls: 60,
            poll_latest_seconds: cpu,
            programs: Some(ProgramTime::new(runs, runs * 50)),
            ..Own::default()
        };
        let mut sum = own(1.5, 700, 10).beside(20, 0);
        let programs = sum.programs.clone().unwrap();
        assert_eq!(programs.nanoseconds_per_run, Some(50.0));
        assert_eq!(programs.nanoseconds_per_packet, Some(25.0));
        sum.join(&own(0.5, 900, 30), 50);
        assert_eq!((sum.cpu_user_seconds, sum.memory_bytes), (2.0, Some(900)));
        assert_eq!(sum.seconds, 120.0);
        assert_eq!((sum.polls, sum.poll_latest_seconds), (120, 1.5));
        let programs = sum.programs.unwrap();
        assert_eq!((programs.runs, programs.nanoseconds), (40, 2000));
        assert_eq!(programs.nanoseconds_per_packet, Some(40.0));
        assert_eq!(ProgramTime::new(0, 0).nanoseconds_per_run, None);
    }
}
