//! What happens to a run, in words: for standard error and for the notes of the reports.

use crate::agent::Late;
use crate::escape;
use crate::report::Time;
use crate::source::Event;
use crate::units;

pub(in crate::commands) fn text(event: &Event) -> String {
    match event {
        Event::Gone { interface } => {
            format!("{} is gone; its counts are kept", escape::text(interface))
        }
        Event::Back { interface, how } => format!(
            "{} is there again; counting by {how}",
            escape::text(interface)
        ),
        Event::Refused { interface, why } => format!(
            "{} is there again, but can't be counted: {}; trying again every second",
            escape::text(interface),
            escape::text(why)
        ),
        Event::Renamed { from, to } => {
            format!("{} is now called {}", escape::text(from), escape::text(to))
        }
        Event::Trouble { what } => format!("{}; counting goes on", escape::text(what)),
        Event::AllGone => "no interface is left to count on; writing the last report".to_owned(),
    }
}

/// `by` is in nanoseconds.
pub(in crate::commands) fn jump(by: i64) -> String {
    let seconds = by / 1_000_000_000;
    format!(
        "the clock jumped by {seconds} s (set, or the machine slept); buckets follow the new time"
    )
}

pub(in crate::commands) fn late(late: Late) -> String {
    format!(
        "polled {} late: the packets of that time stand in the bucket of {}",
        units::duration(late.by as f64 / 1e9),
        Time(late.bucket).strftime("%H:%M:%S UTC"),
    )
}

/// `at` is in nanoseconds since the epoch.
pub(in crate::commands) fn held_back(at: i64) -> String {
    format!(
        "reports can't be written as fast as they come: the period goes on over {}, and nothing is lost",
        Time(at).strftime("%H:%M:%S UTC"),
    )
}

/// `at` is in nanoseconds since the epoch.
pub(in crate::commands) fn packets_left_out(at: i64) -> String {
    format!(
        "records of --packets can't be written as fast as packets come: from {} on some are left out; all are counted",
        Time(at).strftime("%H:%M:%S UTC"),
    )
}

pub(in crate::commands) fn packets_unwritten(records: u64) -> String {
    format!(
        "records of --packets that were not written: {}; their packets are counted",
        units::count(records)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_poll_is_told_with_its_bucket() {
        let said = "polled 3 s late: the packets of that time stand in the bucket of 22:13:20 UTC";
        let by = 3_000_000_000;
        let bucket = 1_700_000_000_000_000_000;
        assert_eq!(late(Late { by, bucket }), said);
    }

    #[test]
    fn a_jump_is_told_with_what_it_may_mean() {
        let said =
            "the clock jumped by -3 s (set, or the machine slept); buckets follow the new time";
        assert_eq!(jump(-3_000_000_000), said);
    }
}
