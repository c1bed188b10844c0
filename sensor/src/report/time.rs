//! Points in time as reports write them: RFC 3339, UTC, always nine digits of a second.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Nanoseconds since the Unix epoch (the years 1677 to 2262).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    pub fn timestamp(self) -> Timestamp {
        // Every i64 of nanoseconds lies in the years that `Timestamp` knows.
        Timestamp::from_nanosecond(self.0.into()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Negative where it is before.
    pub fn seconds_after(self, start: Time) -> f64 {
        seconds(start.0, self.0)
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

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339 in UTC, with nine digits of the second.",
        })
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Rfc3339)
    }
}

struct Rfc3339;

impl Visitor<'_> for Rfc3339 {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time as RFC 3339 has it, from 1677-09-21 to 2262-04-11")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
        let time: Option<Timestamp> = text.parse().ok();
        let nanoseconds = time.and_then(|time| i64::try_from(time.as_nanosecond()).ok());
        nanoseconds
            .map(Time)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
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
    fn what_was_written_is_read() {
        let read = |text: &str| serde_json::from_str::<Time>(&format!("\"{text}\""));
        for nanoseconds in [i64::MIN, -1, 0, 1_700_000_000_120_000_001, i64::MAX] {
            let time = Time(nanoseconds);
            assert_eq!(read(&time.to_string()).unwrap(), time);
        }
        assert_eq!(
            read("1970-01-01T01:00:00.5+01:00").unwrap(),
            Time(500_000_000)
        );
        for bad in ["", "yesterday", "2263-01-01T00:00:00Z", "1970-01-01", "0"] {
            let error = read(bad).unwrap_err().to_string();
            assert!(error.contains("expected a time as RFC 3339"), "{error}");
        }
        assert!(serde_json::from_str::<Time>("0").is_err());
    }

    #[test]
    fn the_ends_of_time_are_printed() {
        assert_eq!(Time(i64::MIN).to_string(), "1677-09-21T00:12:43.145224192Z");
        assert_eq!(Time(i64::MAX).to_string(), "2262-04-11T23:47:16.854775807Z");
        assert!(seconds(i64::MIN, i64::MAX) > 1.8e10);
    }
}
