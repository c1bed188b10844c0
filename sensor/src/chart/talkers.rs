//! The endpoints with the most bytes, sent and received in two tones.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::element::Rectangle;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::axis::{Axis, short, value_ticks};
use super::canvas::{Canvas, UNITS};
use super::frame::{Drawn, Frame, LABEL, Label, MARGIN, Size, amount, when};
use crate::escape;
use crate::report::{Endpoint, Report};
use crate::units;

const TITLE: &str = "Top talkers";
/// The most bars of one chart.
const MOST: usize = 50;
const ROW: i32 = 28;
/// The least that text can be read in.
const LEAST_ROW: i32 = 16;
const BAR: f64 = 0.62;
const AXIS: i32 = 32;
/// Header and legend.
const HEADER: i32 = 84;
const GAP: i32 = 10;
/// The most room for a name beside its address: the bars are what the chart is for.
const LONGEST_NAME: i32 = 260;
/// Shorter ones say nothing.
const SHORTEST_NAME: i32 = 40;
/// Letters of a name that are looked at.
const MOST_LETTERS: usize = 256;

type Plot<'a, 'b> = ChartContext<'a, Canvas<'b>, Cartesian2d<Axis, Axis>>;

pub(super) fn size(report: &Report) -> Size {
    let rows = report.endpoints.len().clamp(4, MOST) as i32;
    Size {
        width: 1000,
        height: (HEADER + AXIS + MARGIN + rows * ROW) as u32,
    }
}

pub(super) fn draw(report: &Report, frame: &Frame) -> Drawn {
    let room = frame.height - HEADER - AXIS - MARGIN;
    let most = (room / LEAST_ROW).clamp(1, MOST as i32) as usize;
    let talkers = &report.endpoints[..report.endpoints.len().min(most)];
    let highest = talkers.iter().map(bytes).max().unwrap_or(0);
    if highest == 0 {
        let why = match report.totals.packets {
            0 => "no packets",
            _ => "no IP addresses",
        };
        let parts: Vec<String> = when(report).into_iter().collect();
        return frame.nothing(TITLE, &parts, why);
    }
    let palette = frame.palette;
    let legend = [("sent", palette.sent()), ("received", palette.received())];
    let parts = [
        when(report),
        Some(listed(report, talkers.len())),
        Some(amount(report)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let top = frame.header(TITLE, &parts, &legend)?;
    let rows = Rows::new(frame, top, talkers);
    let count = talkers.len() as i32;
    let mut plot = ChartBuilder::on(&frame.area)
        .margin_top(top * UNITS)
        .margin_right((frame.width - rows.right) * UNITS)
        .margin_bottom((frame.height - top - AXIS - count * rows.height) * UNITS)
        .x_label_area_size(AXIS * UNITS)
        .y_label_area_size(rows.left * UNITS)
        .build_cartesian_2d(
            Axis::new(0.0..highest as f64, ticks(highest, rows.width())),
            Axis::new(f64::from(count)..0.0, Vec::new()),
        )?;
    grid(&mut plot, frame)?;
    for (place, talker) in talkers.iter().enumerate() {
        rows.draw(frame, &mut plot, place, talker)?;
    }
    Ok(())
}

/// Bars, not ticks, end the axis: so the longest is as long as there is room.
fn ticks(highest: u64, width: i32) -> Vec<f64> {
    let most = (width / 110).clamp(1, 5) as usize;
    let inside = |most: usize| -> Vec<f64> {
        let ticks = value_ticks(highest as f64, most).into_iter();
        ticks.filter(|tick| *tick <= highest as f64).collect()
    };
    let enough = (most..most + 3).map(inside).find(|ticks| ticks.len() > 1);
    enough.unwrap_or_else(|| inside(most))
}

/// Where the bars are, and how their labels are written.
struct Rows {
    left: i32,
    right: i32,
    height: i32,
    label: Label,
    /// For an address and its name.
    room: i32,
}

impl Rows {
    fn new(frame: &Frame, top: i32, talkers: &[Endpoint]) -> Self {
        let room = frame.height - top - AXIS - MARGIN;
        let height = (room / talkers.len().max(1) as i32).clamp(1, ROW.max(room / 12));
        let size = if frame.width < 640 { 12.5 } else { 15.0 };
        let label = LABEL
            .sized(f64::min(size, f64::from(height) * 0.8))
            .aligned(HPos::Right);
        let totals = label.bold();
        let totals = talkers
            .iter()
            .map(|one| totals.width(&units::bytes(bytes(one))));
        let right = frame.width - MARGIN - totals.max().unwrap_or(0) - GAP;
        // Half of the picture is for the bars, as far as addresses let it be.
        let room = frame.width / 2 - MARGIN - GAP;
        let labels = talkers
            .iter()
            .map(|one| called(one, &label, room).width(&label));
        Rows {
            left: MARGIN + labels.max().unwrap_or(0) + GAP,
            right,
            height,
            label,
            room,
        }
    }

    fn width(&self) -> i32 {
        self.right - self.left
    }

    fn draw(&self, frame: &Frame, plot: &mut Plot, place: usize, talker: &Endpoint) -> Drawn {
        let sent = talker.sent.bytes as f64;
        let both = bytes(talker) as f64;
        let middle = place as f64 + 0.5;
        let (top, bottom) = (middle - BAR / 2.0, middle + BAR / 2.0);
        plot.draw_series([
            Rectangle::new([(0.0, top), (sent, bottom)], frame.palette.sent().filled()),
            Rectangle::new(
                [(sent, top), (both, bottom)],
                frame.palette.received().filled(),
            ),
        ])?;
        let (right, y) = plot.backend_coord(&(both, middle));
        let (x, y) = (self.left - GAP, y / UNITS);
        let called = called(talker, &self.label, self.room);
        frame.text((x, y), &called.addr, &self.label)?;
        if let Some(name) = &called.name {
            let x = x - self.label.width(&called.addr) - GAP;
            frame.text((x, y), name, &self.label.faint())?;
        }
        let label = self.label.bold().aligned(HPos::Left);
        frame.text((right / UNITS + 8, y), &units::bytes(bytes(talker)), &label)
    }
}

/// What stands beside a bar.
pub(super) struct Called {
    pub(super) addr: String,
    pub(super) name: Option<String>,
}

impl Called {
    fn width(&self, label: &Label) -> i32 {
        let name = self.name.as_ref().map(|name| label.width(name) + GAP);
        label.width(&self.addr) + name.unwrap_or(0)
    }
}

/// The address with its first name, of which the beginning goes where there is no `room` for both.
pub(super) fn called(endpoint: &Endpoint, label: &Label, room: i32) -> Called {
    let addr = endpoint.addr.to_string();
    let room = (room - label.width(&addr) - GAP).min(LONGEST_NAME);
    let fitting = |name: &str| {
        let letters = name.chars().count();
        let tail: String = name
            .chars()
            .skip(letters.saturating_sub(MOST_LETTERS))
            .collect();
        label.tail(&escape::text(&tail), room)
    };
    let name = endpoint.names.first().filter(|_| room >= SHORTEST_NAME);
    Called {
        addr,
        name: name
            .map(|first| fitting(&first.name))
            .filter(|name| !name.is_empty()),
    }
}

fn bytes(endpoint: &Endpoint) -> u64 {
    endpoint.sent.bytes.saturating_add(endpoint.received.bytes)
}

fn listed(report: &Report, listed: usize) -> String {
    match report.endpoints_total {
        1 => "1 address".to_owned(),
        total if total > listed as u64 => format!("{listed} of {} addresses", units::count(total)),
        total => format!("all {total} addresses"),
    }
}

fn grid(plot: &mut Plot, frame: &Frame) -> Drawn {
    let line = |color: RGBColor| ShapeStyle::from(color).stroke_width(UNITS as u32);
    plot.configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .bold_line_style(line(frame.palette.grid))
        .light_line_style(frame.palette.ink.mix(0.0))
        .axis_style(line(frame.palette.faint))
        .set_all_tick_mark_size(5 * UNITS)
        .x_label_style(frame.style(&LABEL.sized(14.0).faint(), VPos::Top))
        .x_label_formatter(&|value| short(&units::bytes(*value as u64)))
        .draw()
}
