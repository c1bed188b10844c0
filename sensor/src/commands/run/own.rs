//! The sensor's look at itself: what it took since the start, and since the last report.

use std::time::Duration;

use crate::agent::PATIENCE;
use crate::cost::{self, Cost};
use crate::report::{Own, ProgramTime};
use crate::source::kernel::RunTime;
use crate::units;

/// Of the time from some moment on.
#[derive(Clone, Copy, Default)]
struct Since {
    cost: Cost,
    programs: RunTime,
    polls: u64,
    late: u64,
    /// Nanoseconds.
    latest: i64,
}

/// From the start of the process on.
#[derive(Default)]
pub(super) struct OwnWatch {
    start: Since,
    period: Since,
}

impl OwnWatch {
    /// The poll that ended an interval came so much after it, in nanoseconds.
    pub(super) fn polled(&mut self, behind: i64) {
        for since in [&mut self.start, &mut self.period] {
            since.polls += 1;
            since.late += u64::from(behind > PATIENCE);
            since.latest = since.latest.max(behind);
        }
    }

    /// Since the start.
    pub(super) fn whole(&self, programs: Option<RunTime>) -> Own {
        own(&self.start, &cost::read(), programs)
    }

    /// Since the last time that this was asked for.
    pub(super) fn period(&mut self, programs: Option<RunTime>) -> Own {
        let now = cost::read();
        let own = own(&self.period, &now, programs);
        self.period = Since {
            cost: now,
            programs: programs.unwrap_or_default(),
            ..Since::default()
        };
        own
    }
}

fn own(since: &Since, now: &Cost, programs: Option<RunTime>) -> Own {
    let passed = |now: Duration, then: Duration| now.saturating_sub(then).as_secs_f64();
    Own {
        seconds: passed(now.passed, since.cost.passed),
        cpu_user_seconds: passed(now.cpu_user, since.cost.cpu_user),
        cpu_system_seconds: passed(now.cpu_system, since.cost.cpu_system),
        memory_bytes: now.resident_bytes,
        memory_peak_bytes: now.peak_bytes,
        map_bytes: now.map_bytes,
        payloads_lost: 0,
        polls: since.polls,
        polls_late: since.late,
        poll_latest_seconds: since.latest as f64 / 1e9,
        programs: programs.map(|now| {
            let runs = now.runs.saturating_sub(since.programs.runs);
            let nanoseconds = now.nanoseconds.saturating_sub(since.programs.nanoseconds);
            ProgramTime::new(runs, nanoseconds)
        }),
    }
}

/// `sensor itself: CPU 1.2 s in user and 0.3 s in kernel mode, 0.4 % of one in 6 min 10 s; ...`
pub(super) fn line(own: &Own) -> String {
    let mut parts = vec![format!(
        "CPU {} in user and {} in kernel mode",
        units::duration(own.cpu_user_seconds),
        units::duration(own.cpu_system_seconds)
    )];
    if own.seconds > 0.0 {
        let cpu = own.cpu_user_seconds + own.cpu_system_seconds;
        let (share, time) = (100.0 * cpu / own.seconds, units::duration(own.seconds));
        parts[0] += &format!(", {share:.1} % of one in {time}");
    }
    if let (Some(now), Some(peak)) = (own.memory_bytes, own.memory_peak_bytes) {
        let (now, peak) = (units::bytes(now), units::bytes(peak));
        parts.push(format!("memory {now}, at most {peak}"));
    }
    if let Some(bytes) = own.map_bytes {
        parts.push(format!("tables in the kernel {}", units::bytes(bytes)));
    }
    if own.payloads_lost > 0 {
        let lost = units::count(own.payloads_lost);
        parts.push(format!("payloads lost {lost}"));
    }
    parts.push(format!(
        "{} polls, {} late, the latest by {}",
        units::count(own.polls),
        units::count(own.polls_late),
        units::duration(own.poll_latest_seconds)
    ));
    let programs = own.programs.as_ref();
    if let Some(each) = programs.and_then(|time| time.nanoseconds_per_packet) {
        parts.push(format!("programs {each:.0} ns a packet"));
    }
    format!("sensor itself: {}", parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_period_has_its_own_polls_and_the_whole_has_all() {
        let mut watch = OwnWatch::default();
        let runs = |runs| {
            Some(RunTime {
                runs,
                nanoseconds: runs * 7,
            })
        };
        watch.polled(5_000_000);
        watch.polled(3_000_000_000);
        let first = watch.period(runs(10));
        assert_eq!((first.polls, first.polls_late), (2, 1));
        assert_eq!(first.poll_latest_seconds, 3.0);
        watch.polled(PATIENCE);
        let second = watch.period(runs(25));
        assert_eq!((second.polls, second.polls_late), (1, 0));
        assert_eq!(second.poll_latest_seconds, 0.1);
        let programs = second.programs.unwrap();
        assert_eq!((programs.runs, programs.nanoseconds), (15, 105));
        let whole = watch.whole(runs(25));
        assert_eq!((whole.polls, whole.polls_late), (3, 1));
        assert_eq!(whole.programs.unwrap().runs, 25);
        assert!(whole.cpu_user_seconds >= second.cpu_user_seconds);
        assert_eq!(watch.whole(None).programs, None);
    }

    #[test]
    fn the_share_is_of_the_time_in_which_it_was_taken() {
        // A run of a moment, whose start took longer.
        let own = Own {
            seconds: 0.5,
            cpu_user_seconds: 0.1,
            cpu_system_seconds: 0.15,
            ..Own::default()
        };
        let expected = "sensor itself: CPU 100 ms in user and 150 ms in kernel mode, 50.0 % of one in 500 ms; 0 polls";
        let said = line(&own);
        assert!(said.starts_with(expected), "{said}");
        let unknown = line(&Own::default());
        assert!(!unknown.contains('%'), "{unknown}");
    }

    #[test]
    fn what_was_taken_was_taken_in_some_time() {
        cost::start();
        let mut watch = OwnWatch::default();
        let first = watch.period(None);
        let second = watch.period(None);
        let whole = watch.whole(None);
        assert!(second.seconds >= 0.0 && whole.seconds >= first.seconds + second.seconds);
    }
}
