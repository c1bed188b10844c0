//! What the sets say beside their rows, together.

use super::Asked;
use super::decode::Window;
use super::meta::{Dropped, Meta, Run, united};
use super::name::length;
use super::slots::Slots;
use crate::counters::Delta;
use crate::names::{Book, PutOut};
use crate::report::{Context, Span, Time};

#[derive(Default)]
pub(super) struct Summary {
    /// Sets of which a file is missing.
    pub(super) incomplete: u64,
    /// Packets of several buckets stand in the first of them.
    pub(super) lumped: bool,
    sensors: Vec<String>,
    /// All that they say alike.
    joined: Meta,
    /// What was asked for, where that began or ended amid rows of so many nanoseconds.
    pub(super) widened: Option<(Window, i64)>,
    /// Least and most nanoseconds of a bucket.
    resolutions: Option<(i64, i64)>,
    /// Most nanoseconds of a row of flows.
    row: i64,
    /// Capture files are among them, which nobody watched.
    unobserved: bool,
}

impl Summary {
    pub(super) fn add(&mut self, sensor: &str, meta: &Meta) {
        if !self.sensors.iter().any(|one| one == sensor) {
            self.sensors.push(sensor.to_owned());
        }
        self.joined.join(meta);
        // A set of a live run that only corrects earlier ones, or is of a second hour, says nothing of it either.
        self.unobserved |= meta.observed.is_empty() && meta.backend == "file";
        let (least, most) = self
            .resolutions
            .unwrap_or((meta.resolution, meta.resolution));
        self.row = self.row.max(meta.row());
        self.resolutions = Some((least.min(meta.resolution), most.max(meta.resolution)));
    }

    /// Nanoseconds of a bucket: those of the longest one that a set has. Where flows are asked for, it is as long as their rows.
    pub(super) fn interval(&self, asked: &Asked) -> i64 {
        let longest = self.resolutions.map_or(0, |(_, most)| most);
        let row = if asked.by_flow { self.row } else { 0 };
        asked.config.interval.max(longest).max(row)
    }

    /// Somebody looked for names.
    pub(super) fn has_names(&self) -> bool {
        self.joined.runs.values().any(|run| run.naming.enabled)
    }

    pub(super) fn restore_naming(&self, book: &mut Book) {
        for Run { naming, .. } in self.joined.runs.values() {
            book.restore_samples(naming.payloads);
            book.restore_put_out(PutOut {
                flows: naming.put_out.flows,
                names: naming.put_out.names,
                answers: naming.put_out.answers,
            });
        }
    }

    pub(super) fn context(
        mut self,
        slots: &Slots,
        (asked, window): (&Asked, Window),
        delta: &Delta,
    ) -> Context {
        let (span, not_observed) = self.spans(window);
        let filter = match &self.joined.filters[..] {
            [one] => one.clone(),
            _ => None,
        };
        self.say(asked, window);
        Context {
            hostname: self.sensors.join(", "),
            backend: self.joined.backend,
            interfaces: slots.interfaces(),
            left_out: Vec::new(),
            files: self.joined.files,
            filter,
            top_n: asked.top_n,
            by_two: false,
            interval: delta.buckets().interval(),
            span,
            not_observed,
            interface_counters: Vec::new(),
            notes: self.joined.notes,
            written: Vec::new(), // as of the sensor itself, nobody keeps that
            own: None,
            sandbox: None, // it is of the run, and not of what was counted
        }
    }

    /// From when to when somebody looked, and when nobody did in between.
    fn spans(&self, window: Window) -> (Option<(i64, i64)>, Vec<Span>) {
        let cut = |(start, end): &(i64, i64)| ((*start).max(window.from), (*end).min(window.to));
        let mut spans: Vec<(i64, i64)> = self.joined.observed.iter().map(cut).collect();
        spans.retain(|(start, end)| start < end);
        let spans = united(&spans);
        let (Some((start, _)), Some((_, end)), false) =
            (spans.first(), spans.last(), self.unobserved)
        else {
            return (None, Vec::new());
        };
        let gaps = spans.windows(2).map(|pair| Span {
            start: Time(pair[0].1),
            end: Time(pair[1].0),
        });
        (Some((*start, *end)), gaps.collect())
    }

    fn say(&mut self, asked: &Asked, window: Window) {
        let mut said = Vec::new();
        said.extend(self.say_rows(asked, window));
        if self.incomplete > 0 {
            said.push(format!(
                "sets of history of which a file is missing: {}; they were left out (somebody was killed while writing, \
                 or is at it)",
                self.incomplete
            ));
        }
        if self.joined.filters.len() > 1 {
            said.push(
                "the filter changed in this time: each part was counted by the filter of its time"
                    .to_owned(),
            );
        }
        if self.lumped {
            said.push(
                "some intervals were kept together, because the history was written late: as flows are asked for, all their \
                 packets stand in the first of them"
                    .to_owned(),
            );
        }
        let mut dropped = Dropped::default();
        for run in self.joined.runs.values() {
            dropped.add(&run.dropped);
        }
        if dropped != Dropped::default() {
            said.push(format!(
                "packets that are not in the history, because the disk took none for too long: {}, {} bytes",
                dropped.packets, dropped.bytes
            ));
        }
        if let Some((least, most)) = self.resolutions
            && least != most
        {
            said.push(format!(
                "parts of the history are kept in buckets of {}, so all buckets are that long (the newest parts have {})",
                length(most),
                length(least)
            ));
        }
        if self.joined.runs.values().any(|run| run.naming.enabled) && asked.config.names == 0 {
            said.push("names of the history were left out (--max-names 0)".to_owned());
        }
        self.joined.notes.append(&mut said);
    }

    /// That what was asked for is answered by rows that are longer.
    fn say_rows(&self, asked: &Asked, window: Window) -> Vec<String> {
        let mut said = Vec::new();
        if let Some((wanted, row)) = self.widened {
            let row = length(row);
            for (word, wanted, given) in [
                ("from", wanted.from, window.from),
                ("to", wanted.to, window.to),
            ] {
                if wanted != given {
                    let (wanted, given) = (Time(wanted), Time(given));
                    said.push(format!(
                        "this history is kept by {row}: it is told {word} {given}, not {word} {wanted}"
                    ));
                }
            }
        }
        let longest = self.resolutions.map_or(0, |(_, most)| most);
        if asked.by_flow && self.row > longest {
            said.push(format!(
                "flows are kept by {} here, so buckets are that long where flows are asked for",
                length(self.row)
            ));
        }
        said
    }
}
