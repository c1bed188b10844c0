//! What happens to a run, in words: for standard error and for the notes of the reports.

use crate::agent::Late;
use crate::escape;
use crate::link::wanted::Stacked;
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
        Event::New { interface, how } => {
            format!("{} is new; counting by {how}", escape::text(interface))
        }
        Event::Refused {
            interface,
            why,
            back,
        } => refused(interface, why, *back),
        Event::LeftOut(stacked) => format!("{}; its counts are kept", left_out(stacked)),
        Event::Renamed { from, to } => {
            format!("{} is now called {}", escape::text(from), escape::text(to))
        }
        Event::Used { interface, by } => format!(
            "{} is in use on this host now: {by}; with --tap nothing that arrives on it reaches this host",
            escape::text(interface)
        ),
        Event::Trouble { what } => format!("{}; counting goes on", escape::text(what)),
        Event::AllGone => "no interface is left to count on; writing the last report".to_owned(),
    }
}

pub(in crate::commands) fn refused(interface: &str, why: &str, back: bool) -> String {
    format!(
        "{} {}can't be counted: {}; trying again every second",
        escape::text(interface),
        if back { "is there again, but " } else { "" },
        escape::text(why)
    )
}

/// With what to type where that is not wanted.
pub(in crate::commands) fn left_out(stacked: &Stacked) -> String {
    let name = escape::text(&stacked.name);
    format!(
        "{name} is left out: its packets are counted on {}; -i {name} counts them there too",
        on(stacked)
    )
}

pub(in crate::commands) fn twice(stacked: &Stacked) -> String {
    let name = escape::text(&stacked.name);
    format!(
        "packets of {name} count twice: on {} too; leave one of the two away",
        on(stacked)
    )
}

fn on(stacked: &Stacked) -> String {
    const LISTED: usize = 3;
    let names: Vec<_> = stacked.on.iter().map(|name| escape::text(name)).collect();
    match names.len() {
        0 => "its ports".to_owned(),
        1..=LISTED => names.join(", "),
        more => format!("{} and {} more", names[..LISTED].join(", "), more - LISTED),
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
pub(in crate::commands) fn packets_left_out(
    option: &str,
    failure: Option<&str>,
    at: i64,
) -> String {
    if let Some(failure) = failure {
        return format!("{failure}; {option} is given up, and counting goes on");
    }
    format!(
        "packets can't be written by {option} as fast as they come: from {} on some are left out; all are counted",
        Time(at).strftime("%H:%M:%S UTC"),
    )
}

pub(in crate::commands) fn packets_unwritten(option: &str, packets: u64) -> String {
    format!(
        "packets that {option} has not written: {}; they are counted",
        units::count(packets)
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
    fn what_is_left_out_is_told_with_where_it_is_counted() {
        let mut bridge = Stacked {
            ifindex: 7,
            name: "br0".to_owned(),
            on: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
        };
        let said = "br0 is left out: its packets are counted on a, b, c and 1 more; -i br0 counts them there too";
        assert_eq!(left_out(&bridge), said);
        bridge.on.clear();
        assert!(left_out(&bridge).contains("on its ports;"));
    }

    #[test]
    fn a_jump_is_told_with_what_it_may_mean() {
        let said =
            "the clock jumped by -3 s (set, or the machine slept); buckets follow the new time";
        assert_eq!(jump(-3_000_000_000), said);
    }
}
