//! Shares of the application protocols: a ring, and a table that is its legend.

use std::f64::consts::{PI, TAU};

use plotters::element::{Circle, PathElement, Polygon};
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

use super::canvas::UNITS;
use super::frame::{Drawn, Frame, LABEL, MARGIN, Size, TOP, subtitle};
use super::palette::{self, GRID, PAPER};
use crate::report::{Protocol, Report};
use crate::units;

const TITLE: &str = "Application protocols";
const ROW: i32 = 28;
const RADIUS: i32 = 150;

pub(super) fn size(_: &Report) -> Size {
    Size {
        width: 900,
        height: 440,
    }
}

pub(super) fn draw(report: &Report, frame: &Frame) -> Drawn {
    let slices = slices(&report.protocols.application);
    if slices.is_empty() {
        let why = match report.totals.packets {
            0 => "no packets",
            _ => "no packet has a byte",
        };
        return frame.nothing(TITLE, why);
    }
    frame.title(TITLE, &subtitle(report))?;
    let names: Vec<&str> = slices.iter().map(|slice| slice.name.as_str()).collect();
    let colours = palette::of_protocols(&names);
    ring(frame, &slices, &colours)?;
    in_the_hole(report, frame)?;
    legend(frame, &slices, &colours)
}

/// A part of the ring.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slice {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// 0 to 1 of the bytes.
    pub(super) share: f64,
    /// Where it starts, 0 to 1 of the way round.
    pub(super) from: f64,
}

/// The protocols by bytes. Those below one percent, and those that no colour is left for, are `other`, at the end.
pub(super) fn slices(protocols: &[Protocol]) -> Vec<Slice> {
    let total: u64 = protocols.iter().map(|protocol| protocol.bytes).sum();
    let large = |protocol: &&Protocol| {
        protocol.name != "other" && protocol.bytes as f64 >= total as f64 / 100.0
    };
    let mut parts: Vec<(String, u64)> = protocols
        .iter()
        .filter(|protocol| protocol.bytes > 0)
        .filter(large)
        .take(palette::MOST)
        .map(|protocol| (protocol.name.clone(), protocol.bytes))
        .collect();
    let shown: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
    if shown < total {
        parts.push(("other".to_owned(), total - shown));
    }
    let mut before = 0;
    parts
        .into_iter()
        .map(|(name, bytes)| {
            let from = before as f64 / total as f64;
            before += bytes;
            Slice {
                name,
                bytes,
                share: bytes as f64 / total as f64,
                from,
            }
        })
        .collect()
}

fn center(frame: &Frame) -> (i32, i32) {
    let (_, height) = frame.size();
    (MARGIN + 40 + RADIUS, TOP + (height - TOP - MARGIN) / 2)
}

fn ring(frame: &Frame, slices: &[Slice], colours: &[RGBColor]) -> Drawn {
    let (x, y) = center(frame);
    let (x, y, radius) = (x * UNITS, y * UNITS, RADIUS * UNITS);
    // Clockwise from the top.
    let rim = |share: f64| {
        let angle = share * TAU - PI / 2.0;
        let at = |middle: i32, part: f64| middle + (part * f64::from(radius)).round() as i32;
        (at(x, angle.cos()), at(y, angle.sin()))
    };
    for (slice, colour) in slices.iter().zip(colours) {
        if slices.len() == 1 {
            let circle = Circle::new((x, y), radius, colour.filled());
            frame.area.draw(&circle)?;
            continue;
        }
        let steps = (slice.share * 360.0).ceil().max(1.0) as u32;
        let along = |step| slice.from + slice.share * f64::from(step) / f64::from(steps);
        let mut corners = vec![(x, y)];
        corners.extend((0..=steps).map(|step| rim(along(step))));
        frame.area.draw(&Polygon::new(corners, colour.filled()))?;
    }
    if slices.len() > 1 {
        for slice in slices {
            let gap = PAPER.stroke_width(UNITS as u32 * 3 / 2);
            let cut = PathElement::new(vec![(x, y), rim(slice.from)], gap);
            frame.area.draw(&cut)?;
        }
    }
    let hole = Circle::new((x, y), radius * 3 / 5, PAPER.filled());
    frame.area.draw(&hole)
}

fn in_the_hole(report: &Report, frame: &Frame) -> Drawn {
    let (x, y) = center(frame);
    let label = LABEL.aligned(HPos::Center);
    let bytes = units::bytes(report.totals.bytes);
    frame.text((x, y - 9), &bytes, &label.sized(27.0).bold())?;
    let packets = units::packets(report.totals.packets);
    frame.text((x, y + 18), &packets, &label.faint())
}

fn legend(frame: &Frame, slices: &[Slice], colours: &[RGBColor]) -> Drawn {
    let (width, _) = frame.size();
    let (_, middle) = center(frame);
    let left = MARGIN + 2 * RADIUS + 120;
    let (percent_at, bytes_at) = (width - MARGIN - 130, width - MARGIN - 10);
    let right = LABEL.aligned(HPos::Right);
    let mut y = middle - (slices.len() as i32) * ROW / 2;
    for (header, at, label) in [
        ("protocol", left + 26, LABEL),
        ("share", percent_at, right),
        ("bytes", bytes_at, right),
    ] {
        frame.text((at, y), header, &label.faint().sized(14.0))?;
    }
    y += ROW / 2;
    for (slice, colour) in slices.iter().zip(colours) {
        frame.line((left, y), (bytes_at, y), GRID)?;
        let row = y + ROW / 2;
        frame.rect((left, row - 7), (left + 14, row + 7), *colour)?;
        frame.text((left + 26, row), &slice.name, &LABEL.sized(16.0))?;
        let percent = units::percent(slice.share * 100.0);
        frame.text((percent_at, row), &percent, &right.sized(16.0).bold())?;
        let bytes = units::bytes(slice.bytes);
        frame.text((bytes_at, row), &bytes, &right.sized(16.0))?;
        y += ROW;
    }
    Ok(())
}
