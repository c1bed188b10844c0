//! A time axis and a rate axis, and what is drawn between them: the same for every chart over time.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::series::DashedLineSeries;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::axis::{Axis, TimeTicks, short, value_ticks};
use super::canvas::{Canvas, UNITS};
use super::frame::{Drawn, Frame, LABEL, Label, MARGIN};
use super::series::{Column, Columns};

pub(super) const TICK_LABEL: Label = LABEL.sized(14.0).faint();
/// For the labels of the time.
const BELOW: i32 = 32;
const BOTTOM: i32 = 24;
/// Room above the highest value, for its label.
const HEADROOM: f64 = 1.12;
const UTC: &str = "UTC";

/// What is drawn must have room.
pub(super) struct Needs {
    /// Where the header ends.
    pub(super) top: i32,
    /// The highest value, and the highest of those that are drawn downwards.
    pub(super) up: f64,
    pub(super) down: Option<f64>,
    pub(super) unit: fn(f64) -> String,
}

pub(super) struct Plot<'a, 'b> {
    frame: &'a Frame<'b>,
    context: ChartContext<'a, Canvas<'b>, Cartesian2d<Axis, Axis>>,
    columns: &'a [Column],
    origin: i64,
    /// Of both axes: from the left, and from the lowest to the highest value.
    length: f64,
    values: (f64, f64),
    labels: Vec<Spot>,
}

/// Where a label lies, in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spot {
    left: i32,
    right: i32,
    middle: i32,
}

impl<'a, 'b> Plot<'a, 'b> {
    pub(super) fn new(
        frame: &'a Frame<'b>,
        columns: &'a Columns<'_>,
        needs: &Needs,
    ) -> Result<Option<Self>, plotters::drawing::DrawingAreaErrorKind<std::convert::Infallible>>
    {
        let list = columns.list.as_slice();
        let (Some(first), Some(last)) = (list.first(), list.last()) else {
            return Ok(None);
        };
        let values = values(needs, frame.height);
        let unit = needs.unit;
        let tick = |value: &f64| short(&unit(value.abs()));
        let widest = values.iter().map(|value| TICK_LABEL.width(&tick(value)));
        let left = MARGIN + widest.max().unwrap_or(0).max(TICK_LABEL.width(UTC)) + 10;
        let origin = first.start;
        let length = since(origin, last.end);
        let times = time_ticks((first.start, last.end), (left, frame.width));
        let offsets = times.ticks.iter().map(|tick| since(origin, *tick));
        let x = Axis::new(0.0..length, offsets.collect());
        let ends = (values[0], values[values.len() - 1]);
        let y = Axis::new(ends.0..ends.1, values);
        let mut context = ChartBuilder::on(&frame.area)
            .margin_top(needs.top * UNITS)
            .margin_right(MARGIN * UNITS)
            .margin_bottom(BOTTOM * UNITS)
            .x_label_area_size(BELOW * UNITS)
            .y_label_area_size(left * UNITS)
            .build_cartesian_2d(x, y)?;
        unobserved(&mut context, frame, list, ends)?;
        let line = |color: RGBColor| ShapeStyle::from(color).stroke_width(UNITS as u32);
        context
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(line(frame.palette.grid))
            .light_line_style(frame.palette.ink.mix(0.0))
            .axis_style(line(frame.palette.faint))
            .set_all_tick_mark_size(5 * UNITS)
            .x_label_style(frame.style(&TICK_LABEL, VPos::Top))
            .y_label_style(frame.style(&TICK_LABEL, VPos::Center))
            .x_label_formatter(&|offset| times.label(origin.saturating_add(*offset as i64)))
            .y_label_formatter(&tick)
            .draw()?;
        let mut plot = Plot {
            frame,
            context,
            columns: list,
            origin,
            length,
            values: ends,
            labels: Vec::new(),
        };
        plot.caption(left)?;
        Ok(Some(plot))
    }

    /// A step for each column, from zero to `height`; interrupted where nobody looked.
    pub(super) fn area(
        &mut self,
        color: RGBColor,
        alpha: f64,
        height: &dyn Fn(&Column) -> f64,
    ) -> Drawn {
        for steps in self.steps(height) {
            let (from, to) = (steps[0].0, steps[steps.len() - 1].0);
            let mut area = vec![(from, 0.0)];
            area.extend(steps);
            area.push((to, 0.0));
            self.context
                .draw_series([Polygon::new(area, color.mix(alpha))])?;
        }
        Ok(())
    }

    /// The same as a line; `width` in tenths of a pixel.
    pub(super) fn line(
        &mut self,
        color: RGBColor,
        width: u32,
        height: &dyn Fn(&Column) -> f64,
    ) -> Drawn {
        for steps in self.steps(height) {
            let style = color.stroke_width(width * UNITS as u32 / 10);
            self.context.draw_series([PathElement::new(steps, style)])?;
        }
        Ok(())
    }

    /// Where up and down part.
    pub(super) fn zero(&mut self) -> Drawn {
        let style = self.frame.palette.faint.stroke_width(UNITS as u32);
        let ends = vec![(0.0, 0.0), (self.length, 0.0)];
        self.context.draw_series([PathElement::new(ends, style)])?;
        Ok(())
    }

    /// A dot at the interval that starts at `start`, with the first of the `texts` that there is room for.
    pub(super) fn peak(&mut self, start: i64, value: f64, texts: &[String]) -> Drawn {
        let inside = |column: &&Column| column.start <= start && start < column.end;
        let Some(column) = self.columns.iter().find(inside) else {
            return Ok(());
        };
        let (from, to) = (
            since(self.origin, column.start),
            since(self.origin, column.end),
        );
        let at = (f64::midpoint(from, to), value);
        let dot = self.frame.palette.peak().filled();
        self.context
            .draw_series([Circle::new(at, 4 * UNITS, dot)])?;
        let (x, y) = self.context.backend_coord(&at);
        let side = if value < 0.0 { 17 } else { -17 };
        let label = LABEL.sized(14.0).bold();
        let spots = texts.iter().map(|text| {
            let half = label.width(text) / 2;
            (
                text,
                self.inside(x / UNITS - half, 2 * half, y / UNITS + side),
            )
        });
        let free = spots.into_iter().find(|(_, spot)| self.is_free(spot));
        let Some((text, spot)) = free.map(|(text, spot)| (text.clone(), spot)) else {
            return Ok(());
        };
        self.put(&text, spot, &label)
    }

    /// A dashed line all along, with its label where there is room.
    pub(super) fn mean(&mut self, value: f64, text: &str) -> Drawn {
        let style = self.frame.palette.ink.stroke_width(UNITS as u32);
        let ends = [(0.0, value), (self.length, value)];
        self.context
            .draw_series(DashedLineSeries::new(ends, 6 * UNITS, 4 * UNITS, style))?;
        let (left, y) = self.context.backend_coord(&(0.0, value));
        let (right, _) = self.context.backend_coord(&(self.length, value));
        let (left, right, y) = (left / UNITS + 8, right / UNITS - 8, y / UNITS);
        let label = LABEL.sized(14.0).bold();
        let width = label.width(text);
        let (outwards, inwards) = if value < 0.0 { (13, -13) } else { (-13, 13) };
        let places = [
            (right - width, outwards),
            (left, outwards),
            (right - width, inwards),
            (left, inwards),
        ];
        let mut spots = places
            .map(|(x, side)| self.inside(x, width, y + side))
            .into_iter();
        match spots.find(|spot| self.is_free(spot)) {
            Some(spot) => self.put(text, spot, &label),
            None => Ok(()),
        }
    }

    fn put(&mut self, text: &str, spot: Spot, label: &Label) -> Drawn {
        self.labels.push(spot);
        let label = label.aligned(HPos::Left);
        self.frame.boxed((spot.left, spot.middle), text, &label)
    }

    /// As near to there as the plot allows.
    fn inside(&self, left: i32, width: i32, middle: i32) -> Spot {
        let (low, high) = self.values;
        let (west, south) = self.context.backend_coord(&(0.0, low));
        let (east, north) = self.context.backend_coord(&(self.length, high));
        let left = left.min(east / UNITS - 4 - width).max(west / UNITS + 4);
        Spot {
            left,
            right: left + width,
            middle: middle.min(south / UNITS - 10).max(north / UNITS + 10),
        }
    }

    fn is_free(&self, spot: &Spot) -> bool {
        let (east, _) = self.context.backend_coord(&(self.length, 0.0));
        let apart = |other: &Spot| {
            (other.middle - spot.middle).abs() >= 18
                || other.right + 8 <= spot.left
                || spot.right + 8 <= other.left
        };
        spot.right <= east / UNITS && self.labels.iter().all(apart)
    }

    fn steps(&self, height: &dyn Fn(&Column) -> f64) -> Vec<Vec<(f64, f64)>> {
        let parts = self
            .columns
            .chunk_by(|a, b| (a.observed > 0) == (b.observed > 0));
        let observed = parts.filter(|part| part[0].observed > 0);
        let steps = |part: &[Column]| -> Vec<(f64, f64)> {
            let both = part.iter().flat_map(|column| {
                let value = height(column);
                [column.start, column.end].map(|time| (since(self.origin, time), value))
            });
            both.collect()
        };
        observed.map(steps).collect()
    }

    /// Of the time axis.
    fn caption(&mut self, left: i32) -> Drawn {
        let (_, bottom) = self.context.backend_coord(&(0.0, self.values.0));
        let label = TICK_LABEL.aligned(HPos::Right);
        // Beside the first label, on its line.
        let y = bottom / UNITS + 21;
        self.frame.text((left - 10, y), UTC, &label)
    }
}

fn since(origin: i64, time: i64) -> f64 {
    (i128::from(time) - i128::from(origin)) as f64
}

/// Ticks from the lowest to the highest, zero among them.
fn values(needs: &Needs, height: i32) -> Vec<f64> {
    let room = height - needs.top - BELOW - BOTTOM;
    let most = (room / 45).clamp(2, 6) as usize;
    let down = needs.down.unwrap_or(0.0);
    let above = value_ticks(needs.up.max(down) * HEADROOM, most);
    let step = above[1];
    let count = |value: f64| (value * HEADROOM / step).ceil().clamp(1.0, 20.0) as i32;
    let below = if needs.down.is_some() { count(down) } else { 0 };
    (-below..=count(needs.up))
        .map(|n| f64::from(n) * step)
        .collect()
}

/// As many as there is room for, and none whose label would hang over an end or touch the caption.
fn time_ticks((start, end): (i64, i64), (left, width): (i32, i32)) -> TimeTicks {
    let right = width - MARGIN;
    // How wide labels are depends on their distance, which depends on how many have room.
    let mut most = (width / 110).clamp(2, 14) as usize;
    loop {
        let mut ticks = TimeTicks::new(start, end, most);
        let half = TICK_LABEL.width(&ticks.label(start)) / 2 + 1;
        let pixels = f64::from(right - left) / since(start, end).max(1.0);
        let apart = ticks.step as f64 * pixels;
        if most == 1 || apart >= f64::from(2 * half + 28) {
            let place = |tick: &i64| left + (since(start, *tick) * pixels) as i32;
            let fits = |tick: &i64| place(tick) - half >= left && place(tick) + half <= width - 6;
            ticks.ticks.retain(fits);
            if ticks.ticks.is_empty() {
                ticks.ticks.extend(lone(start, end, (left, right, half)));
            }
            return ticks;
        }
        most -= 1;
    }
}

/// Where no round time has room: the middle, rather than no time at all.
fn lone(start: i64, end: i64, (left, right, half): (i32, i32, i32)) -> Option<i64> {
    (right - left >= 2 * half).then(|| i64::midpoint(start, end))
}

/// Grey where nobody looked.
fn unobserved(
    context: &mut ChartContext<Canvas, Cartesian2d<Axis, Axis>>,
    frame: &Frame,
    columns: &[Column],
    (low, high): (f64, f64),
) -> Drawn {
    let origin = columns[0].start;
    let parts = columns.chunk_by(|a, b| (a.observed > 0) == (b.observed > 0));
    context.draw_series(parts.filter(|part| part[0].observed == 0).map(|part| {
        let (first, last) = (&part[0], &part[part.len() - 1]);
        let corners = [
            (since(origin, first.start), low),
            (since(origin, last.end), high),
        ];
        Rectangle::new(corners, frame.palette.gap.filled())
    }))?;
    Ok(())
}
