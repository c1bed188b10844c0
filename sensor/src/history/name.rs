//! What sets of history are called, and where they lie.
//!
//! ```text
//! flows/sensor=web1/date=2026-11-27/hour=20/20261127T201500Z-20261127T201600Z-1s-6f1d0c2b9a43-000017.parquet
//! ```
//!
//! A set is one file of this name in each of [`TABLES`]. The name says all that retention and compaction plan by.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::report::Time;

/// The tables of a set, in the order in which its files get their names: with the last one the set is whole.
pub(super) const TABLES: [&str; 4] = ["flows", "names", "accounting", "buckets"];

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;
const STAMP: &str = "%Y%m%dT%H%M%SZ";
const ENDING: &str = ".parquet";

/// A sensor's hour: the folder in which sets lie.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Partition {
    pub(super) sensor: String,
    /// Hours since the epoch, UTC.
    pub(super) hour: i64,
}

/// The name of a set, without the folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SetName {
    /// Seconds since the epoch: no row begins before.
    pub(super) start: i64,
    /// No row begins at or after it.
    pub(super) end: i64,
    /// Nanoseconds of a bucket.
    pub(super) resolution: i64,
    /// Twelve hexadecimal digits, new in each run.
    pub(super) run: String,
    pub(super) number: u32,
}

impl Partition {
    pub(super) fn of(sensor: &str, at: i64) -> Self {
        Partition {
            sensor: sensor.to_owned(),
            hour: at.div_euclid(HOUR),
        }
    }

    /// Below a table's folder.
    pub(super) fn folder(&self) -> PathBuf {
        let time = Time(self.hour.saturating_mul(HOUR));
        let sensor = format!("sensor={}", quoted(&self.sensor));
        let date = time.strftime("date=%Y-%m-%d");
        PathBuf::from(sensor)
            .join(date)
            .join(time.strftime("hour=%H"))
    }

    /// Nanoseconds since the epoch at which the hour begins and ends.
    pub(super) fn span(&self) -> (i64, i64) {
        let start = self.hour.saturating_mul(HOUR);
        (start, start.saturating_add(HOUR))
    }

    /// The other way of [`Self::folder`].
    pub(super) fn parse(folder: &Path) -> Option<Self> {
        let mut parts = folder.iter().rev().map(|part| part.to_str());
        let hour = parts.next()??.strip_prefix("hour=")?;
        let date = parts.next()??.strip_prefix("date=")?;
        let sensor = unquoted(parts.next()??.strip_prefix("sensor=")?)?;
        let stamp = format!("{}T{hour}0000Z", date.replace('-', ""));
        let hour = parse_stamp(&stamp)?.checked_mul(SECOND)?.div_euclid(HOUR);
        Some(Partition { sensor, hour })
    }
}

impl SetName {
    /// The other way of [`fmt::Display`] with the ending of a file.
    pub(super) fn parse(file: &str) -> Option<Self> {
        let mut parts = file.strip_suffix(ENDING)?.split('-');
        let name = SetName {
            start: parse_stamp(parts.next()?)?,
            end: parse_stamp(parts.next()?)?,
            resolution: parse_length(parts.next()?)?,
            run: parts.next().filter(|run| is_run(run))?.to_owned(),
            number: parts.next()?.parse().ok()?,
        };
        (parts.next().is_none() && name.file() == file).then_some(name)
    }

    pub(super) fn file(&self) -> String {
        format!("{self}{ENDING}")
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stamp = |seconds: i64| Time(seconds.saturating_mul(SECOND)).strftime(STAMP);
        let (start, end) = (stamp(self.start), stamp(self.end));
        let length = length(self.resolution);
        write!(to, "{start}-{end}-{length}-{}-{:06}", self.run, self.number)
    }
}

/// `1s`, `100ms`, `1m`, `1h`: in the largest unit that divides it.
pub(super) fn length(nanoseconds: i64) -> String {
    for (unit, size) in UNITS {
        if nanoseconds % size == 0 {
            return format!("{}{unit}", nanoseconds / size);
        }
    }
    format!("{nanoseconds}ns")
}

const UNITS: [(&str, i64); 5] = [
    ("h", HOUR),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("ns", 1),
];

fn parse_length(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, size) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let nanoseconds = number.parse::<i64>().ok()?.checked_mul(size)?;
    (nanoseconds > 0).then_some(nanoseconds)
}

/// Seconds since the epoch.
fn parse_stamp(text: &str) -> Option<i64> {
    let time = jiff::civil::DateTime::strptime(STAMP, text).ok()?;
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_second())
}

fn is_run(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// As Hive quotes what can't stand in the name of a folder.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => quoted.push(byte as char),
            b'.' if !quoted.is_empty() => quoted.push('.'),
            _ => quoted.push_str(&format!("%{byte:02X}")),
        }
    }
    quoted
}

fn unquoted(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.split_at_checked(2)?;
        let code = std::str::from_utf8(digits.0).ok()?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        rest = digits.1;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> SetName {
        SetName {
            start: 1_700_000_000,
            end: 1_700_000_060,
            resolution: SECOND,
            run: "6f1d0c2b9a43".into(),
            number: 17,
        }
    }

    #[test]
    fn a_name_leads_back() {
        let text = "20231114T221320Z-20231114T221420Z-1s-6f1d0c2b9a43-000017.parquet";
        assert_eq!(name().file(), text);
        assert_eq!(SetName::parse(text), Some(name()));
        for resolution in [1, 100_000_000, 7 * SECOND, 60 * SECOND, HOUR, 48 * HOUR] {
            let name = SetName {
                resolution,
                start: -5_000_000_000,
                ..name()
            };
            assert_eq!(SetName::parse(&name.file()), Some(name));
        }
    }

    #[test]
    fn what_is_no_name_of_ours_is_none() {
        let text = name().file();
        for other in [
            "",
            "report.parquet",
            &text[1..],
            &text.replace(".parquet", ".json"),
            &text.replace("6f1d", "6F1D"),
            &text.replace("000017", "17"),
            &text.replace("-1s-", "-0s-"),
            &text.replace("-1s-", "-1000ms-"),
            &text.replace(".parquet", "-1.parquet"),
            &text.replace("20231114T221320Z", "20231314T221320Z"),
        ] {
            assert_eq!(SetName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_partition_leads_back_whatever_the_host_is_called() {
        for sensor in [
            "web1",
            "a/b",
            "..",
            "",
            "x=y z%2",
            "ünïcode",
            "rack.7.example",
        ] {
            let partition = Partition::of(sensor, 1_700_000_000 * SECOND);
            let folder = partition.folder();
            assert_eq!(folder.iter().count(), 3, "{folder:?}");
            assert!(folder.ends_with("date=2023-11-14/hour=22"), "{folder:?}");
            assert_eq!(Partition::parse(&folder), Some(partition));
        }
        assert_eq!(
            Partition::parse(Path::new("x/date=2023-11-14/hour=22")),
            None
        );
        assert_eq!(
            Partition::parse(Path::new("sensor=x/date=2023-11-14/hour=24")),
            None
        );
    }
}
