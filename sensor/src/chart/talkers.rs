//! The endpoints with the most bytes, sent and received in two tones.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::element::Rectangle;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::axis::{Axis, short, value_ticks};
use super::canvas::{Canvas, UNITS};
use super::frame::{Drawn, Frame, LABEL, Label, MARGIN, Size, TOP, subtitle};
use super::palette::{FAINT, GRID, INK, RECEIVED, SENT};
use crate::escape;
use crate::report::{Endpoint, Report};
use crate::units;

const TITLE: &str = "Top talkers";
/// The most bars of one chart.
const MOST: usize = 20;
const ROW: i32 = 30;
const BAR: f64 = 0.62;
const AXIS: i32 = 32;
const NAME: Label = LABEL.sized(15.0).aligned(HPos::Right);
const KNOWN_AS: Label = NAME.faint();
const GAP: i32 = 10;
/// The most room for a name beside its address: the bars are what the chart is for.
const LONGEST_NAME: i32 = 260;
/// Letters of a name that are looked at to make it fit.
const MOST_LETTERS: usize = 256;
const TOTAL: Label = LABEL.sized(14.0).bold();

type Plot<'a, 'b> = ChartContext<'a, Canvas<'b>, Cartesian2d<Axis, Axis>>;

pub(super) fn size(report: &Report) -> Size {
    let rows = shown(report).len().max(4) as u32;
    Size {
        width: 1000,
        height: (TOP + AXIS + MARGIN) as u32 + rows * ROW as u32,
    }
}

pub(super) fn draw(report: &Report, frame: &Frame) -> Drawn {
    let talkers = shown(report);
    if talkers.is_empty() {
        let why = match report.totals.packets {
            0 => "no packets",
            _ => "no IP addresses",
        };
        return frame.nothing(TITLE, why);
    }
    let (_, height) = frame.size();
    frame.title(TITLE, &explained(report, talkers.len()))?;
    legend(frame)?;
    let labels: Vec<Called> = talkers.iter().map(called).collect();
    let widest = labels.iter().map(Called::width).max().unwrap_or(0);
    let left = MARGIN + widest + 10;
    let totals = talkers
        .iter()
        .map(|one| TOTAL.width(&units::bytes(bytes(one))));
    let right = MARGIN + totals.max().unwrap_or(0) + 10;
    let highest = talkers.iter().map(bytes).max().unwrap_or(0);
    let ticks = value_ticks(highest as f64, 5);
    // Bars, not ticks, end the axis: so the longest is as long as there is room.
    let end = (highest as f64).max(1.0);
    let inside = ticks.into_iter().filter(|tick| *tick <= end).collect();
    let rows = talkers.len() as f64;
    let below = height - TOP - AXIS - talkers.len() as i32 * ROW;
    let mut plot = ChartBuilder::on(&frame.area)
        .margin_top(TOP * UNITS)
        .margin_right(right * UNITS)
        .margin_bottom(below * UNITS)
        .x_label_area_size(AXIS * UNITS)
        .y_label_area_size(left * UNITS)
        .build_cartesian_2d(
            Axis::new(0.0..end, inside),
            Axis::new(rows..0.0, Vec::new()),
        )?;
    grid(&mut plot)?;
    for (place, (talker, label)) in talkers.iter().zip(&labels).enumerate() {
        bar(frame, &mut plot, place, (talker, label))?;
    }
    Ok(())
}

/// What stands beside a bar.
pub(super) struct Called {
    pub(super) addr: String,
    pub(super) name: Option<String>,
}

impl Called {
    fn width(&self) -> i32 {
        let name = self.name.as_ref().map(|name| NAME.width(name) + GAP);
        NAME.width(&self.addr) + name.unwrap_or(0)
    }
}

/// The address with its first name, of which the beginning goes where it is too long.
pub(super) fn called(endpoint: &Endpoint) -> Called {
    let name = endpoint.names.first().map(|first| {
        let name = escape::text(&first.name);
        if name.chars().count() <= MOST_LETTERS && NAME.width(&name) <= LONGEST_NAME {
            return name;
        }
        let rest = name.char_indices().rev().take(MOST_LETTERS);
        let cut = rest.map(|(place, _)| format!("…{}", &name[place..]));
        let fitting = cut.take_while(|text| NAME.width(text) <= LONGEST_NAME);
        fitting.last().unwrap_or_default()
    });
    Called {
        addr: endpoint.addr.to_string(),
        name,
    }
}

fn shown(report: &Report) -> &[Endpoint] {
    &report.endpoints[..report.endpoints.len().min(MOST)]
}

fn bytes(endpoint: &Endpoint) -> u64 {
    endpoint.sent.bytes.saturating_add(endpoint.received.bytes)
}

fn explained(report: &Report, listed: usize) -> String {
    let of = match report.endpoints_total {
        total if total > listed as u64 => format!("{listed} of {}", units::count(total)),
        total => format!("all {total}"),
    };
    format!("{} · {of} addresses", subtitle(report))
}

/// In the title's line, at the right.
fn legend(frame: &Frame) -> Drawn {
    let (width, _) = frame.size();
    let mut x = width - MARGIN;
    for (text, color) in [("received", RECEIVED), ("sent", SENT)] {
        frame.text((x, 34), text, &NAME)?;
        x -= NAME.width(text) + 22;
        frame.rect((x, 27), (x + 14, 41), color)?;
        x -= 20;
    }
    Ok(())
}

fn grid(plot: &mut Plot) -> Drawn {
    let label = LABEL.sized(14.0).faint();
    let line = |color: RGBColor| ShapeStyle::from(color).stroke_width(UNITS as u32);
    plot.configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .bold_line_style(line(GRID))
        .light_line_style(INK.mix(0.0))
        .axis_style(line(FAINT))
        .set_all_tick_mark_size(5 * UNITS)
        .x_label_style(label.style(VPos::Top))
        .x_label_formatter(&|value| short(&units::bytes(*value as u64)))
        .draw()
}

fn bar(
    frame: &Frame,
    plot: &mut Plot,
    place: usize,
    (talker, label): (&Endpoint, &Called),
) -> Drawn {
    let sent = talker.sent.bytes as f64;
    let both = bytes(talker) as f64;
    let middle = place as f64 + 0.5;
    let (top, bottom) = (middle - BAR / 2.0, middle + BAR / 2.0);
    plot.draw_series([
        Rectangle::new([(0.0, top), (sent, bottom)], SENT.filled()),
        Rectangle::new([(sent, top), (both, bottom)], RECEIVED.filled()),
    ])?;
    let (left, y) = plot.backend_coord(&(0.0, middle));
    let (right, _) = plot.backend_coord(&(both, middle));
    let y = y / UNITS;
    let x = left / UNITS - 10;
    frame.text((x, y), &label.addr, &NAME)?;
    if let Some(name) = &label.name {
        frame.text((x - NAME.width(&label.addr) - GAP, y), name, &KNOWN_AS)?;
    }
    let total = units::bytes(bytes(talker));
    frame.text((right / UNITS + 8, y), &total, &TOTAL)
}
