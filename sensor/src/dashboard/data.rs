//! What the page is fed with.

use serde::Serialize;

use super::layers;
use super::rows::{Address, ConversationRow, EndpointRow, FlowRow, Tables};
use super::timeline::{self, BucketRows, MOST_PARTS, Parts, Timeline};
use crate::counters::Delta;
use crate::report::{Report, Time, listed_flows};

/// Value of [`Data::schema`]; private to the page, which comes with it.
pub const SCHEMA: &str = "sensor.dashboard/1";

/// Lists as rows of numbers, texts by their place in `strings`: a fifth of the report's size, and quick to read.
#[derive(Clone, Debug, Serialize)]
pub struct Data {
    pub schema: &'static str,
    /// Without its lists and buckets, which are below.
    pub report: Report,
    /// Milliseconds since the epoch that rows count their times from.
    pub origin: f64,
    pub buckets: BucketRows,
    pub timeline: Timeline,
    pub strings: Vec<String>,
    pub addresses: Vec<Address>,
    pub endpoints: Vec<EndpointRow>,
    pub conversations: Vec<ConversationRow>,
    pub flows: Vec<FlowRow>,
    /// For each flow: `[]` it has no time, `[slice]` all of it, or `[slice, packets, bytes, ...]`.
    pub parts: Vec<Parts>,
}

/// Where the numbers of a report come from.
#[derive(Clone, Copy)]
pub struct Counted<'a> {
    /// What the report was built from.
    pub delta: &'a Delta,
    /// What that was selected from, if it was: a selection has no trail of its own.
    pub all: &'a Delta,
    /// Entries that say when the packets of flows came, of all flows together, a dozen bytes each: above that the slices of
    /// time are made wider.
    pub parts: usize,
}

impl<'a> Counted<'a> {
    pub fn of(delta: &'a Delta) -> Self {
        Self::of_both(delta, delta)
    }

    pub fn of_both(delta: &'a Delta, all: &'a Delta) -> Self {
        Counted {
            delta,
            all,
            parts: MOST_PARTS,
        }
    }
}

impl Data {
    /// `report` must list its flows by the same `top_n`, the rows of each list; 0 = all.
    pub fn new(report: Report, counted: Counted<'_>, top_n: usize) -> Self {
        let watched = report.start.zip(report.end);
        let watched = watched.map(|(start, end)| (start.0, end.0));
        let listed = listed_flows(counted.delta, top_n);
        Self::with(report, |_, tables| {
            timeline::timeline(counted, watched, &listed, tables)
        })
    }

    /// Of a report alone: when the packets of its flows came is not known, so the page has no spans of time.
    pub fn of_report(report: Report) -> Self {
        Self::with(report, |report, tables| {
            let parts = vec![Parts::default(); report.flows.len()];
            (layers::timeline(report, tables), parts)
        })
    }

    fn with(
        mut report: Report,
        timeline: impl FnOnce(&Report, &mut Tables) -> (Timeline, Vec<Parts>),
    ) -> Self {
        let origin = report.start.unwrap_or(Time(0));
        let mut tables = Tables::new(origin);
        let endpoints = tables.endpoints(&report.endpoints);
        let conversations = tables.conversations(&report.conversations);
        let flows = tables.flows(&report.flows);
        let buckets = timeline::bucket_rows(&report);
        let (timeline, parts) = timeline(&report, &mut tables);
        report.endpoints = Vec::new();
        report.conversations = Vec::new();
        report.flows = Vec::new();
        report.buckets = Vec::new();
        let (strings, addresses) = tables.finish();
        Data {
            schema: SCHEMA,
            report,
            origin: milliseconds(origin.0),
            buckets,
            timeline,
            strings,
            addresses,
            endpoints,
            conversations,
            flows,
            parts,
        }
    }

    /// As the page reads it, safe within HTML.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(super::escape::json_in_html(&serde_json::to_string(self)?))
    }
}

/// Since the epoch; a millionth of a millisecond is lost, which nobody is shown.
pub(super) fn milliseconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e6
}
