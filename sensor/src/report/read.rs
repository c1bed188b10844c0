//! A report that was written before, from its bytes. Whoever hands them over decides how many are too many.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{Counts, Report, SCHEMA};
use crate::escape;

/// Why bytes are not a report; a sentence for people, without the file's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("not JSON: {0}")]
    NotJson(Place),
    #[error("not a sensor report: the JSON is no object")]
    NotAnObject,
    #[error("not a sensor report: no \"schema\"")]
    NoSchema,
    #[error("not a sensor report: schema is {found}, expected {SCHEMA}")]
    OtherSchema { found: String },
    #[error(
        "schema is {found}: this sensor reads {SCHEMA}; read it with the version that wrote it"
    )]
    OtherVersion { found: String },
    #[error("not a {SCHEMA}: {0}")]
    Shape(Place),
    /// Every field is there and has its type, and no report could have them together.
    #[error("not a {SCHEMA}: {0}")]
    Nonsense(&'static str),
}

/// Where something else was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Both count from 1; the column in bytes.
    pub line: usize,
    pub column: usize,
    pub what: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column, what } = self;
        write!(f, "line {line}, column {column}: {what}")
    }
}

impl From<serde_json::Error> for Place {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let said = error.to_string();
        let suffix = format!(" at line {line} column {column}");
        let what = short(said.strip_suffix(&suffix).unwrap_or(&said));
        Place { line, column, what }
    }
}

/// What [`crate::sink::json`] wrote, as an equal value. Fields that this version does not know are passed over: later
/// ones may add some.
pub fn read(bytes: &[u8]) -> Result<Report, ReadError> {
    check_schema(bytes)?;
    let report = serde_json::from_slice(bytes).map_err(|error| ReadError::Shape(error.into()))?;
    check(&report)?;
    Ok(report)
}

/// Before the rest, so that another version is called that, and not a report with a field missing.
fn check_schema(bytes: &[u8]) -> Result<(), ReadError> {
    let not_json = |error: serde_json::Error| ReadError::NotJson(error.into());
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        let IgnoredAny = serde_json::from_slice(bytes).map_err(not_json)?;
        return Err(ReadError::NotAnObject);
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| match error.is_data() {
        true => ReadError::Shape(error.into()),
        false => not_json(error),
    })?;
    let schema = head.schema.ok_or(ReadError::NoSchema)?;
    if schema == SCHEMA {
        return Ok(());
    }
    let found = short(&schema.to_string());
    let family = |name: &str| name.rsplit_once('/').map(|(family, _)| family.to_owned());
    let ours = schema.as_str().and_then(family) == family(SCHEMA);
    Err(match ours {
        true => ReadError::OtherVersion { found },
        false => ReadError::OtherSchema { found },
    })
}

#[derive(Deserialize)]
struct Head {
    schema: Option<Value>,
}

/// Seconds from the first time that there is to the last, and some more.
const ALL_TIMES: f64 = 2e10;

/// What those who work with a report rely on, and a file need not keep.
pub(super) fn check(report: &Report) -> Result<(), ReadError> {
    let nonsense = |what| Err(ReadError::Nonsense(what));
    let (interval, duration) = (report.interval_seconds, report.duration_seconds);
    if !(interval > 0.0 && interval <= ALL_TIMES && (0.0..=ALL_TIMES).contains(&duration)) {
        return nonsense("interval_seconds or duration_seconds is below 0, or beyond all times");
    }
    if !report.buckets.is_sorted_by(|a, b| a.start < b.start) {
        return nonsense("the buckets are not in order of time");
    }
    if report.start > report.end || report.not_observed.iter().any(|span| span.start > span.end) {
        return nonsense("it ends before it starts");
    }
    match lists_fit(report) {
        true => Ok(()),
        false => nonsense("the rows of a list add up to more than 64 bits hold"),
    }
}

/// The sum of every list, and of what it leaves out, is a number.
fn lists_fit(report: &Report) -> bool {
    let row = |packets, bytes| Counts { packets, bytes };
    let buckets = report.buckets.iter();
    let flows = report.flows.iter().map(|one| row(one.packets, one.bytes));
    let pairs = report.conversations.iter();
    let ends = report.endpoints.iter();
    let others = &report.others;
    fits(buckets.map(|one| row(one.packets, one.bytes)))
        && fits(flows.chain([others.flows]))
        && fits(
            pairs
                .flat_map(|one| [one.a_to_b, one.b_to_a])
                .chain([others.conversations]),
        )
        && fits(
            ends.flat_map(|one| [one.sent, one.received])
                .chain([others.endpoints]),
        )
}

fn fits(mut list: impl Iterator<Item = Counts>) -> bool {
    list.try_fold(Counts::ZERO, |sum, one| {
        Some(Counts {
            packets: sum.packets.checked_add(one.packets)?,
            bytes: sum.bytes.checked_add(one.bytes)?,
        })
    })
    .is_some()
}

/// One line for a terminal, whatever the file holds.
fn short(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push_str(" ...");
    }
    escape::text(&short)
}

#[cfg(test)]
mod tests {
    use super::super::{Time, samples};
    use super::*;

    fn written(report: &Report) -> Vec<u8> {
        let mut bytes = Vec::new();
        crate::sink::json::write(report, &mut bytes).unwrap();
        bytes
    }

    /// The sample's JSON with one thing changed.
    fn changed(change: impl Fn(&mut Value)) -> Result<Report, ReadError> {
        let mut json = serde_json::to_value(samples::report(3)).unwrap();
        change(&mut json);
        read(json.to_string().as_bytes())
    }

    #[test]
    fn what_was_written_is_read_as_an_equal_report() {
        for talkers in [0, 1, 7, 40] {
            let report = samples::report(talkers);
            assert_eq!(read(&written(&report)), Ok(report));
        }
    }

    #[test]
    fn what_later_versions_add_is_passed_over_and_what_they_added_may_be_missing() {
        let report = changed(|json| {
            json["weather"] = serde_json::json!({"rain": [1, 2.5, null]});
            json["flows"][0]["colour"] = "red".into();
            let object = json.as_object_mut().unwrap();
            for field in ["naming", "processes", "dns"] {
                object.remove(field).unwrap();
            }
            let accounting = json["accounting"].as_object_mut().unwrap();
            for field in ["filtered", "duplicates"] {
                accounting.remove(field).unwrap();
            }
        });
        assert_eq!(report, Ok(samples::report(3)));
    }

    #[test]
    fn what_is_no_report_is_told_from_one_of_another_version() {
        for (bytes, said) in [
            ("", "not JSON: line 1, column 0: EOF while parsing a value"),
            (
                "{\n \"schema\": \"sensor",
                "not JSON: line 2, column 18: EOF while parsing a string",
            ),
            ("\u{d4}\u{c3}", "not JSON: line 1, column 1: expected value"),
            (
                "[\"sensor.report/1\"]",
                "not a sensor report: the JSON is no object",
            ),
            ("{}", "not a sensor report: no \"schema\""),
            (
                "{\"schema\": 1}",
                "not a sensor report: schema is 1, expected sensor.report/1",
            ),
            (
                "{\"schema\": \"sensor.dashboard/1\"}",
                "not a sensor report: schema is \"sensor.dashboard/1\", expected sensor.report/1",
            ),
            (
                "{\"schema\": \"sensor.report/2\"}",
                "schema is \"sensor.report/2\": this sensor reads sensor.report/1; read it with the version that wrote it",
            ),
            (
                "{\"schema\": \"sensor.report/1\"}",
                "not a sensor.report/1: line 1, column 29: missing field `sensor`",
            ),
        ] {
            assert_eq!(read(bytes.as_bytes()).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn a_field_of_another_type_is_named_by_its_place() {
        let text = String::from_utf8(written(&samples::report(3))).unwrap();
        let broken = text.replacen("\"packets\": ", "\"packets\": -", 1);
        let line = 1 + text
            .lines()
            .position(|line| line.contains("\"packets\": "))
            .unwrap();
        let error = read(broken.as_bytes()).unwrap_err();
        let ReadError::Shape(place) = &error else {
            panic!("{error}")
        };
        assert_eq!(place.line, line);
        assert!(
            place.what.starts_with("invalid value: integer `-"),
            "{place}"
        );
    }

    #[test]
    fn a_message_is_one_short_line_whatever_the_file_holds() {
        let hostile = format!("\u{1b}[2J\n{}", "x".repeat(10_000));
        for error in [
            changed(|json| json["schema"] = hostile.clone().into()),
            changed(|json| json["start"] = hostile.clone().into()),
            changed(|json| json["totals"] = hostile.clone().into()),
        ] {
            let said = error.unwrap_err().to_string();
            assert!(
                said.len() < 400 && !said.contains(['\u{1b}', '\n']),
                "{said}"
            );
        }
    }

    #[test]
    fn what_nobody_could_work_with_is_refused() {
        let nonsense = |change: &dyn Fn(&mut Value)| match changed(change) {
            Err(ReadError::Nonsense(what)) => what,
            other => panic!("{other:?}"),
        };
        let interval = nonsense(&|json| json["interval_seconds"] = 0.into());
        assert!(interval.starts_with("interval_seconds or duration_seconds is below 0"));
        let order = nonsense(&|json| {
            let first = json["buckets"][0].clone();
            json["buckets"].as_array_mut().unwrap().push(first);
        });
        assert!(order.contains("order of time"));
        let span = nonsense(&|json| json["end"] = Time(0).to_string().into());
        assert_eq!(span, "it ends before it starts");
        let sum = nonsense(&|json| json["others"]["flows"]["bytes"] = u64::MAX.into());
        assert!(sum.contains("64 bits"));
    }
}
