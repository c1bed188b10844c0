//! Shares of the application protocols: a ring, and a table that is its legend.

use std::f64::consts::{PI, TAU};

use plotters::element::{Circle, PathElement, Polygon};
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

use super::canvas::UNITS;
use super::frame::{Drawn, Frame, LABEL, MARGIN, Size, amount, when};
use super::palette;
use crate::report::{Protocol, Report};
use crate::units;

const TITLE: &str = "Application protocols";
const ROW: i32 = 28;
/// The least that text can be read in.
const LEAST_ROW: i32 = 17;
const RADIUS: i32 = 150;
const GUESS: &str = " ?";
/// Narrower ones are short of room for names.
const WIDE: i32 = 640;

pub(super) fn size(_: &Report) -> Size {
    Size {
        width: 900,
        height: 440,
    }
}

pub(super) fn draw(report: &Report, frame: &Frame) -> Drawn {
    let rows = (frame.height - 84 - MARGIN) / LEAST_ROW - 2;
    let most = (rows.max(1) as usize).min(palette::MOST);
    let slices = slices(&report.protocols.application, most);
    if slices.is_empty() {
        let why = match report.totals.packets {
            0 => "no packets",
            _ => "no packet has a byte",
        };
        let parts: Vec<String> = when(report).into_iter().collect();
        return frame.nothing(TITLE, &parts, why);
    }
    let parts = [when(report), guess_note(&slices), Some(amount(report))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let top = frame.header(TITLE, &parts, &[])?;
    let names: Vec<&str> = slices.iter().map(|slice| slice.name.as_str()).collect();
    let colours = frame.palette.of_protocols(&names);
    let ring = Ring::new(frame, top);
    ring.draw(frame, &slices, &colours)?;
    ring.in_the_hole(report, frame)?;
    legend(frame, &ring, &slices, &colours)
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
    /// What the other slices leave.
    pub(super) is_rest: bool,
    /// All of it is told by the port alone.
    is_guess: bool,
}

impl Slice {
    pub(super) fn label(&self) -> String {
        let mark = if self.is_guess { GUESS } else { "" };
        format!("{}{mark}", self.name)
    }
}

pub(super) fn guess_note(slices: &[Slice]) -> Option<String> {
    let some = slices.iter().any(|slice| slice.is_guess);
    some.then(|| "?: by port alone".to_owned())
}

/// The `most` protocols by bytes. Those below one percent, and those that there is no room for, are `other`, at the end.
pub(super) fn slices(protocols: &[Protocol], most: usize) -> Vec<Slice> {
    let total: u64 = protocols.iter().map(|protocol| protocol.bytes).sum();
    let large = |protocol: &&Protocol| {
        protocol.name != "other" && protocol.bytes as f64 >= total as f64 / 100.0
    };
    let slice = |name: &str, bytes: u64| Slice {
        name: name.to_owned(),
        bytes,
        share: bytes as f64 / total as f64,
        from: 0.0,
        is_rest: name == "other",
        is_guess: false,
    };
    let mut parts: Vec<Slice> = protocols
        .iter()
        .filter(|protocol| protocol.bytes > 0)
        .filter(large)
        .take(most)
        .map(|protocol| Slice {
            is_guess: protocol.by_port().packets == protocol.packets,
            ..slice(&protocol.name, protocol.bytes)
        })
        .collect();
    let shown: u64 = parts.iter().map(|part| part.bytes).sum();
    if shown < total {
        parts.push(slice("other", total - shown));
    }
    let mut before = 0;
    for part in &mut parts {
        part.from = before as f64 / total as f64;
        before += part.bytes;
    }
    parts
}

struct Ring {
    center: (i32, i32),
    radius: i32,
}

impl Ring {
    fn new(frame: &Frame, top: i32) -> Self {
        let room = frame.height - top - MARGIN;
        let radius = RADIUS
            .max(frame.width / 6)
            .min(room / 2)
            .min(frame.width * if frame.width < WIDE { 15 } else { 21 } / 100);
        // Wide pictures have air beside it.
        let air = (frame.width - WIDE).clamp(0, 40);
        Ring {
            center: (MARGIN + air + radius, top + room / 2),
            radius,
        }
    }

    fn draw(&self, frame: &Frame, slices: &[Slice], colours: &[RGBColor]) -> Drawn {
        let (x, y) = (self.center.0 * UNITS, self.center.1 * UNITS);
        let radius = self.radius * UNITS;
        // Clockwise from the top.
        let rim = |share: f64| {
            let angle = share * TAU - PI / 2.0;
            let at = |middle: i32, part: f64| middle + (part * f64::from(radius)).round() as i32;
            (at(x, angle.cos()), at(y, angle.sin()))
        };
        let paper = frame.palette.paper;
        for (slice, colour) in slices.iter().zip(colours) {
            if slices.len() == 1 {
                let circle = Circle::new((x, y), radius, colour.filled());
                frame.area.draw(&circle)?;
                continue;
            }
            let steps = (slice.share * 240.0).ceil().max(1.0) as u32;
            let along = |step| slice.from + slice.share * f64::from(step) / f64::from(steps);
            let mut corners = vec![(x, y)];
            corners.extend((0..=steps).map(|step| rim(along(step))));
            frame.area.draw(&Polygon::new(corners, colour.filled()))?;
        }
        if slices.len() > 1 {
            for slice in slices {
                let gap = paper.stroke_width(UNITS as u32 * 3 / 2);
                let cut = PathElement::new(vec![(x, y), rim(slice.from)], gap);
                frame.area.draw(&cut)?;
            }
        }
        let hole = Circle::new((x, y), radius * 3 / 5, paper.filled());
        frame.area.draw(&hole)
    }

    fn in_the_hole(&self, report: &Report, frame: &Frame) -> Drawn {
        let (x, y) = self.center;
        let scale = f64::from(self.radius) / f64::from(RADIUS);
        let label = LABEL.aligned(HPos::Center);
        let bytes = units::bytes(report.totals.bytes);
        let packets = units::packets(report.totals.packets);
        let small = label.faint().sized(15.0 * scale.clamp(0.8, 1.2));
        let large = label.bold().sized(27.0 * scale);
        // As wide as the hole is where it stands.
        if small.width(&packets) > self.radius * 112 / 100 {
            return frame.text((x, y), &bytes, &large);
        }
        let down = |pixels: f64| y + (pixels * scale) as i32;
        frame.text((x, down(-9.0)), &bytes, &large)?;
        frame.text((x, down(18.0)), &packets, &small)
    }
}

fn legend(frame: &Frame, ring: &Ring, slices: &[Slice], colours: &[RGBColor]) -> Drawn {
    let left = ring.center.0 + ring.radius + (frame.width / 16).clamp(20, 60);
    // Figures far from their names are hard to follow.
    let end = (frame.width - MARGIN).min(left + 560);
    let rows = slices.len() as i32 + 1;
    let height = ROW.min(2 * (frame.height - MARGIN - ring.center.1) / rows);
    let (percent, bytes, most) = match frame.width < WIDE {
        true => (62, 68, 20),
        false => (72, 84, 24),
    };
    let size = f64::from(height.min(most)) * 16.0 / 24.0;
    let label = LABEL.sized(size);
    let right = label.aligned(HPos::Right);
    let (percent_at, bytes_at) = (end - bytes, end);
    let mut y = ring.center.1 - rows * height / 2;
    for (header, at, label) in [
        ("protocol", left + 24, label),
        ("share", percent_at, right),
        ("bytes", bytes_at, right),
    ] {
        let label = label.faint().sized(size.min(14.0));
        frame.text((at, y + height / 2), header, &label)?;
    }
    y += height;
    for (slice, colour) in slices.iter().zip(colours) {
        frame.line((left, y), (end, y), frame.palette.grid)?;
        let row = y + height / 2;
        let half = (height / 4).min(7);
        frame.rect((left, row - half), (left + 2 * half, row + half), *colour)?;
        let name = label.head(&slice.label(), percent_at - percent - left - 24);
        frame.text((left + 24, row), &name, &label)?;
        let percent = units::percent(slice.share * 100.0);
        frame.text((percent_at, row), &percent, &right.bold())?;
        frame.text((bytes_at, row), &units::bytes(slice.bytes), &right)?;
        y += height;
    }
    Ok(())
}
