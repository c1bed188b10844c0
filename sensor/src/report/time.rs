//! Points in time as reports write them: RFC 3339, UTC, always nine digits of a second.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::{Serialize, Serializer};

/// Nanoseconds since the Unix epoch (the years 1677 to 2262).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    pub fn timestamp(self) -> Timestamp {
        // Every i64 of nanoseconds lies in the years that `Timestamp` knows.
        Timestamp::from_nanosecond(self.0.into()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// `format` is strftime's, in UTC.
    pub fn strftime(self, format: &str) -> String {
        self.timestamp().strftime(format).to_string()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(9));
        f.write_str(&PRINTER.timestamp_to_string(&self.timestamp()))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Seconds from the first to the second; spans of centuries don't fit an `i64`.
pub(super) fn seconds(start: i64, end: i64) -> f64 {
    (i128::from(end) - i128::from(start)) as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_nine_digits_and_a_z() {
        assert_eq!(Time(0).to_string(), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(
            Time(1_700_000_000_120_000_001).to_string(),
            "2023-11-14T22:13:20.120000001Z"
        );
        assert_eq!(Time(-1).to_string(), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn the_ends_of_time_are_printed() {
        assert_eq!(Time(i64::MIN).to_string(), "1677-09-21T00:12:43.145224192Z");
        assert_eq!(Time(i64::MAX).to_string(), "2262-04-11T23:47:16.854775807Z");
        assert!(seconds(i64::MIN, i64::MAX) > 1.8e10);
    }
}
