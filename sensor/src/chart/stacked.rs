//! Bandwidth over time, stacked by application protocol.

use super::frame::{Drawn, Frame, amount, when};
use super::plot::{Needs, Plot};
use super::protocols::{Slice, guess_note, slices};
use super::rates::{duration, why_nothing};
use super::series::{Column, Columns};
use crate::report::{BucketRow, Report};
use crate::units;

const TITLE: &str = "Bandwidth by application protocol";

pub(super) fn draw(report: &Report, frame: &Frame) -> Drawn {
    let columns = Columns::new(report, most_columns(frame));
    let shown = slices(&report.protocols.application, most_layers(frame));
    if columns.list.is_empty() || shown.is_empty() {
        let parts: Vec<String> = when(report).into_iter().collect();
        return frame.nothing(TITLE, &parts, why_nothing(report));
    }
    let resolution = match columns.is_reduced() {
        true if columns.is_sparse() => format!(
            "the busiest {} of each {}",
            duration(columns.interval),
            duration(columns.step)
        ),
        true => format!("means of {}", duration(columns.step)),
        false => format!("intervals of {}", duration(columns.interval)),
    };
    let parts = [
        when(report),
        Some(resolution),
        guess_note(&shown),
        Some(amount(report)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let names: Vec<&str> = shown.iter().map(|slice| slice.name.as_str()).collect();
    let colours = frame.palette.of_protocols(&names);
    let labels: Vec<String> = shown.iter().map(Slice::label).collect();
    let legend: Vec<_> = labels
        .iter()
        .map(String::as_str)
        .zip(colours.iter().copied())
        .collect();
    let top = frame.header(TITLE, &parts, &legend)?;
    let height = |column: &Column, layers: usize| {
        let bits = |bucket: &BucketRow| bytes_of(bucket, &shown, layers).saturating_mul(8);
        match columns.is_sparse() {
            true => columns.in_busiest(column, bits),
            false => columns.mean(column, bits),
        }
    };
    let heights = columns
        .list
        .iter()
        .map(|column| height(column, shown.len()));
    let needs = Needs {
        top,
        up: heights.fold(0.0, f64::max),
        down: None,
        unit: units::bits_per_sec,
    };
    let Some(mut plot) = Plot::new(frame, &columns, &needs)? else {
        return Ok(());
    };
    // Each layer reaches down to zero and the next covers it: so no paper shows at the seams.
    for layers in (1..=shown.len()).rev() {
        plot.area(colours[layers - 1], 1.0, &|column| height(column, layers))?;
    }
    Ok(())
}

/// Of the first `layers` slices together.
fn bytes_of(bucket: &BucketRow, slices: &[Slice], layers: usize) -> u64 {
    if layers == slices.len() {
        return bucket.bytes;
    }
    let of = |slice: &Slice| match slice.is_rest {
        true => {
            let named = slices.iter().filter(|slice| !slice.is_rest);
            let named: u64 = named.map(|slice| one(bucket, &slice.name)).sum();
            bucket.bytes.saturating_sub(named)
        }
        false => one(bucket, &slice.name),
    };
    slices[..layers].iter().map(of).sum()
}

fn one(bucket: &BucketRow, name: &str) -> u64 {
    bucket
        .application
        .get(name)
        .map_or(0, |counts| counts.bytes)
}

/// Fewer than a line has: thin stripes of many colours are noise.
fn most_columns(frame: &Frame) -> usize {
    (frame.width / 4).max(100) as usize
}

/// The legend must leave room for the plot.
fn most_layers(frame: &Frame) -> usize {
    match frame.width * frame.height {
        ..=250_000 => 5,
        _ => super::palette::MOST,
    }
}
