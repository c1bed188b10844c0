//! Bits and packets per second over time, with mean and peak marked; ingress up and egress down where both are known.

use super::frame::{Drawn, Frame, Size, amount, when};
use super::plot::{Needs, Plot};
use super::series::{Column, Columns, Way};
use crate::report::{BucketRow, Counts, Report, Time};
use crate::units;

/// What is counted.
pub(super) struct Measure {
    title: &'static str,
    of: fn(Counts) -> u64,
    unit: fn(f64) -> String,
}

pub(super) const BANDWIDTH: Measure = Measure {
    title: "Bandwidth",
    of: |counts| counts.bytes.saturating_mul(8),
    unit: units::bits_per_sec,
};

pub(super) const PACKETS: Measure = Measure {
    title: "Packets per second",
    of: |counts| counts.packets,
    unit: units::packets_per_sec,
};

pub(super) fn size(_: &Report) -> Size {
    Size {
        width: 1000,
        height: 440,
    }
}

pub(super) fn bandwidth(report: &Report, frame: &Frame) -> Drawn {
    draw(report, frame, &BANDWIDTH)
}

pub(super) fn packets(report: &Report, frame: &Frame) -> Drawn {
    draw(report, frame, &PACKETS)
}

fn draw(report: &Report, frame: &Frame, measure: &Measure) -> Drawn {
    let columns = Columns::new(report, most_columns(frame));
    if columns.list.is_empty() {
        let parts: Vec<String> = when(report).into_iter().collect();
        return frame.nothing(measure.title, &parts, why_nothing(report));
    }
    let parts = [
        when(report),
        Some(resolution(&columns)),
        Some(amount(report)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let palette = frame.palette;
    let (ways, legend) = match is_told_apart(report) {
        true => (
            vec![
                (Way::Ingress, palette.line()),
                (Way::Egress, palette.egress()),
            ],
            vec![
                ("ingress, up", palette.line()),
                ("egress, down", palette.egress()),
            ],
        ),
        false => (vec![(Way::All, palette.line())], Vec::new()),
    };
    let top = frame.header(measure.title, &parts, &legend)?;
    let of = |way: Way| move |bucket: &BucketRow| (measure.of)(way.of(bucket));
    let highest = |way: Way| columns.highest(of(way)).map_or(0.0, |(_, rate)| rate);
    let needs = Needs {
        top,
        up: highest(ways[0].0),
        down: ways.get(1).map(|(way, _)| highest(*way)),
        unit: measure.unit,
    };
    let Some(mut plot) = Plot::new(frame, &columns, &needs)? else {
        return Ok(());
    };
    for (way, color) in &ways {
        let sign = if *way == Way::Egress { -1.0 } else { 1.0 };
        let peak = |column: &Column| sign * columns.peak(column, of(*way));
        let mean = |column: &Column| sign * columns.mean(column, of(*way));
        if columns.is_reduced() {
            plot.area(*color, 0.35, &peak)?;
            plot.area(*color, 1.0, &mean)?;
        } else {
            plot.area(*color, 0.22, &peak)?;
            // Close together, thick lines would be one.
            let tenths = if columns.list.len() > 300 { 9 } else { 15 };
            plot.line(*color, tenths, &peak)?;
        }
    }
    if ways.len() > 1 {
        plot.zero()?;
    }
    for (way, _) in &ways {
        marks(
            &mut plot,
            report,
            measure,
            (*way, columns.highest(of(*way))),
        )?;
    }
    Ok(())
}

fn marks(
    plot: &mut Plot,
    report: &Report,
    measure: &Measure,
    (way, highest): (Way, Option<(i64, f64)>),
) -> Drawn {
    let sign = if way == Way::Egress { -1.0 } else { 1.0 };
    let Some((start, peak)) = highest.filter(|(_, peak)| *peak > 0.0) else {
        return Ok(());
    };
    let short = format!("peak {}", (measure.unit)(peak));
    let long = format!("{short} at {}", report.clock(Time(start)));
    plot.peak(start, sign * peak, &[long, short])?;
    let counts = match way {
        Way::All => report.totals.counts(),
        Way::Ingress => report.totals.ingress,
        Way::Egress => report.totals.egress,
    };
    if report.bandwidth.mean_bits_per_sec.is_none() || report.duration_seconds <= 0.0 {
        return Ok(());
    }
    let mean = (measure.of)(counts) as f64 / report.duration_seconds;
    // Of a capture shorter than an interval the mean is above all that is drawn.
    if mean > peak {
        return Ok(());
    }
    plot.mean(sign * mean, &format!("mean {}", (measure.unit)(mean)))
}

/// Every packet has a direction, and both have packets: of some interfaces only one way is counted.
fn is_told_apart(report: &Report) -> bool {
    let totals = &report.totals;
    let both = totals.ingress.packets > 0 && totals.egress.packets > 0;
    both && totals.unknown_direction.packets == 0
}

/// More are not told apart by eye.
fn most_columns(frame: &Frame) -> usize {
    (frame.width * 3 / 5).max(100) as usize
}

fn resolution(columns: &Columns) -> String {
    let interval = duration(columns.interval);
    match columns.is_reduced() {
        true => format!(
            "solid: mean of {}, pale: its busiest {interval}",
            duration(columns.step)
        ),
        false => format!("intervals of {interval}"),
    }
}

pub(super) fn duration(nanoseconds: i64) -> String {
    units::duration(nanoseconds as f64 / 1e9)
}

pub(super) fn why_nothing(report: &Report) -> &'static str {
    match report.totals.packets {
        0 => "no packets",
        _ => "no packet has a time",
    }
}
