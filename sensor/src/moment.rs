//! Points in time as people type them. Always UTC, as everything that is written.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};

/// What may be typed, for messages.
const EXPECTED: &str = "expected a time in UTC such as 2026-11-22T03:00:00Z, '2026-11-22 03:00', 2026-11-22, 03:00 (today), \
                        'yesterday 23:00', -90m or now";

/// Nanoseconds since the epoch. `now` is what relative times count from, and says which day today is.
pub fn parse(text: &str, now: i64) -> Result<i64, String> {
    let text = text.trim();
    let told = || {
        format!(
            "{EXPECTED}, not {:?}",
            text.chars().take(60).collect::<String>()
        )
    };
    let present = Timestamp::from_nanosecond(now.into()).map_err(|_| told())?;
    let timestamp = relative(text, present)
        .or_else(|| text.parse().ok())
        .or_else(|| of_day(text, present))
        .or_else(|| utc(text.parse::<DateTime>().ok()?))
        .ok_or_else(told)?;
    let nanoseconds = i64::try_from(timestamp.as_nanosecond());
    nanoseconds.map_err(|_| format!("{text} is outside the years 1678 to 2261"))
}

/// `FROM..TO`, of which either may be left out.
pub fn parse_span(text: &str, now: i64) -> Result<(Option<i64>, Option<i64>), String> {
    let (from, to) = text
        .split_once("..")
        .ok_or_else(|| format!("expected FROM..TO, as in 02:00..03:00 or -1h.., not {text:?}"))?;
    let end = |text: &str| match text.trim() {
        "" => Ok(None),
        text => parse(text, now).map(Some),
    };
    ordered(end(from)?, end(to)?)
}

/// Refuses what ends before it begins.
pub fn ordered(from: Option<i64>, to: Option<i64>) -> Result<(Option<i64>, Option<i64>), String> {
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        let [from, to] =
            [from, to].map(|time| crate::report::Time(time).strftime("%Y-%m-%d %H:%M:%S"));
        return Err(format!(
            "the time begins at {from} UTC and ends at {to} UTC, which is not later: say the day too, as in 'yesterday 23:00'"
        ));
    }
    Ok((from, to))
}

/// `now`, `-90m`, `-1h 30m`, `-2d`.
fn relative(text: &str, now: Timestamp) -> Option<Timestamp> {
    if text == "now" {
        return Some(now);
    }
    let span: Span = text.strip_prefix('-')?.trim_start().parse().ok()?;
    let ago = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    now.checked_sub(ago).ok().filter(|time| *time <= now)
}

/// `03:00`, `today`, `yesterday 23:00:05`.
fn of_day(text: &str, now: Timestamp) -> Option<Timestamp> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let (day, rest) = match text.split_once(' ').unwrap_or((text, "")) {
        ("today", rest) => (today, rest),
        ("yesterday", rest) => (today.yesterday().ok()?, rest),
        ("", _) => return None,
        _ => (today, text),
    };
    at(day, rest)
}

fn at(day: Date, clock: &str) -> Option<Timestamp> {
    let time = match clock.trim() {
        "" => Time::midnight(),
        // jiff would take 0300 and 03 as well, which may be anything.
        clock if clock.contains(':') && !clock.contains('-') => clock.parse().ok()?,
        _ => return None,
    };
    utc(day.to_datetime(time))
}

fn utc(time: DateTime) -> Option<Timestamp> {
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-27T21:05:09Z
    fn now() -> i64 {
        at_utc("2026-11-27T21:05:09Z")
    }

    fn at_utc(text: &str) -> i64 {
        let time: Timestamp = text.parse().unwrap();
        time.as_nanosecond().try_into().unwrap()
    }

    #[test]
    fn what_people_type_is_understood() {
        for (text, time) in [
            ("2026-11-22T03:00:00Z", "2026-11-22T03:00:00Z"),
            ("2026-11-22T03:00:00.25+01:00", "2026-11-22T02:00:00.25Z"),
            ("2026-11-22 03:00", "2026-11-22T03:00:00Z"),
            ("2026-11-22T03:00:07", "2026-11-22T03:00:07Z"),
            ("2026-11-22", "2026-11-22T00:00:00Z"),
            ("03:00", "2026-11-27T03:00:00Z"),
            (" 03:00:30.5", "2026-11-27T03:00:30.5Z"),
            ("23:30", "2026-11-27T23:30:00Z"),
            ("today", "2026-11-27T00:00:00Z"),
            ("yesterday", "2026-11-26T00:00:00Z"),
            ("yesterday 23:00", "2026-11-26T23:00:00Z"),
            ("now", "2026-11-27T21:05:09Z"),
            ("-1h", "2026-11-27T20:05:09Z"),
            ("-1h 30m", "2026-11-27T19:35:09Z"),
            ("-2d", "2026-11-25T21:05:09Z"),
            ("-90s", "2026-11-27T21:03:39Z"),
        ] {
            assert_eq!(parse(text, now()), Ok(at_utc(time)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "3",
            "0300",
            "tomorrow",
            "25:00",
            "2026-13-01",
            "-",
            "--1h",
            "- -1h",
            "-1y",
            "1h",
            "03:00 yesterday",
            "9999-01-01",
            "yesterday -1h",
            "\u{1b}[2J",
        ] {
            let refused = parse(text, now());
            let said = refused.expect_err(text);
            assert!(!said.contains('\u{1b}') && said.len() < 300, "{said}");
        }
    }

    #[test]
    fn spans_may_be_open_and_never_run_backwards() {
        let hour = |text| Some(parse(text, now()).unwrap());
        assert_eq!(
            parse_span("02:00..03:00", now()),
            Ok((hour("02:00"), hour("03:00")))
        );
        assert_eq!(parse_span("-1h..", now()), Ok((hour("-1h"), None)));
        assert_eq!(parse_span("..today", now()), Ok((None, hour("today"))));
        assert!(parse_span("02:00", now()).is_err());
        let said = parse_span("23:00..01:00", now()).unwrap_err();
        assert!(
            said.contains("2026-11-27 23:00:00 UTC and ends at 2026-11-27 01:00:00"),
            "{said}"
        );
    }
}
