//! Rate over time, with mean and peak marked.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::series::DashedLineSeries;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::axis::{Axis, TimeTicks, short, value_ticks};
use super::canvas::{Canvas, UNITS};
use super::frame::{Drawn, Frame, LABEL, Label, MARGIN, Size, TOP, subtitle};
use super::palette::{FAINT, GAP, GRID, INK, LINE, PEAK};
use crate::report::{Column, Report, columns};
use crate::units;

const TITLE: &str = "Bandwidth";
const BOTTOM: i32 = 56;
const TICK_LABEL: Label = LABEL.sized(14.0).faint();

type Plot<'a, 'b> = ChartContext<'a, Canvas<'b>, Cartesian2d<Axis, Axis>>;

pub(super) fn size(_: &Report) -> Size {
    Size {
        width: 1000,
        height: 440,
    }
}

pub(super) fn draw(report: &Report, frame: &Frame) -> Drawn {
    let (width, _) = frame.size();
    // Two points a logical pixel are as many as the file has pixels.
    let columns = columns(report, width as usize);
    let (Some(first), Some(last)) = (columns.first(), columns.last()) else {
        let why = match report.totals.packets {
            0 => "no packets",
            _ => "no packet has a time",
        };
        return frame.nothing(TITLE, why);
    };
    let rate = Rate::new(report);
    let highest = columns.iter().map(|column| rate.highest(column));
    let values = value_ticks(highest.fold(0.0, f64::max) * 1.08, 5);
    let labels = values
        .iter()
        .map(|value| short(&units::bits_per_sec(*value)));
    let left = labels.map(|label| TICK_LABEL.width(&label)).max();
    let left = MARGIN + left.unwrap_or(0) + 10;

    let times = time_ticks(first.start, last.end, width - left - 2 * MARGIN);
    // The last label is centred below the end of the axis.
    let right = MARGIN.max(TICK_LABEL.width(&times.label(last.end)) / 2 + 8);
    frame.title(TITLE, &explained(report, &columns))?;
    let origin = first.start;
    let since = |time: i64| (i128::from(time) - i128::from(origin)) as f64;
    let x = Axis::new(
        0.0..since(last.end),
        times.ticks.iter().map(|tick| since(*tick)).collect(),
    );
    let top = values.last().copied().unwrap_or(1.0);
    let y = Axis::new(0.0..top, values);
    let mut plot = ChartBuilder::on(&frame.area)
        .margin_top(TOP * UNITS)
        .margin_right(right * UNITS)
        .margin_bottom((BOTTOM - 32) * UNITS)
        .x_label_area_size(32 * UNITS)
        .y_label_area_size(left * UNITS)
        .build_cartesian_2d(x, y)?;
    unobserved(&mut plot, &columns, top, &since)?;
    grid(&mut plot, &|offset| {
        times.label(origin.saturating_add(offset as i64))
    })?;
    line(&mut plot, &columns, &rate, &since)?;
    marks(frame, &mut plot, report, &columns, &since)
}

/// From bytes to bits per second.
struct Rate {
    interval: f64,
}

impl Rate {
    fn new(report: &Report) -> Self {
        Rate {
            interval: report.interval_seconds.max(1e-9),
        }
    }

    /// Of the busiest interval, so that a peak is as high in a month as in a minute.
    fn highest(&self, column: &Column) -> f64 {
        column.peak_bytes as f64 * 8.0 / self.interval
    }
}

fn explained(report: &Report, columns: &[Column]) -> String {
    let interval = units::duration(report.interval_seconds);
    let how = match columns.iter().any(|column| column.intervals > 1) {
        true => format!("busiest interval of {interval} at each point"),
        false => format!("intervals of {interval}"),
    };
    format!("{} · {how}", subtitle(report))
}

fn time_ticks(start: i64, end: i64, width: i32) -> TimeTicks {
    // How wide labels are depends on their distance, which depends on how many have room.
    let mut most = 8;
    loop {
        let ticks = TimeTicks::new(start, end, most);
        let label = TICK_LABEL.width(&ticks.label(start)) + 36;
        if most == 1 || label * ticks.ticks.len() as i32 <= width {
            return ticks;
        }
        most -= 1;
    }
}

fn grid(plot: &mut Plot, time: &dyn Fn(f64) -> String) -> Drawn {
    let line = |color: RGBColor| ShapeStyle::from(color).stroke_width(UNITS as u32);
    plot.configure_mesh()
        .disable_x_mesh()
        .bold_line_style(line(GRID))
        .light_line_style(INK.mix(0.0))
        .axis_style(line(FAINT))
        .set_all_tick_mark_size(5 * UNITS)
        .x_label_style(TICK_LABEL.style(VPos::Top))
        .y_label_style(TICK_LABEL.style(VPos::Center))
        .x_label_formatter(&|offset| time(*offset))
        .y_label_formatter(&|rate| short(&units::bits_per_sec(*rate)))
        .draw()
}

/// Grey where nobody looked.
fn unobserved(plot: &mut Plot, columns: &[Column], top: f64, since: &dyn Fn(i64) -> f64) -> Drawn {
    let parts = columns.chunk_by(|a, b| a.observed == b.observed);
    plot.draw_series(parts.filter(|part| !part[0].observed).map(|part| {
        let (first, last) = (&part[0], &part[part.len() - 1]);
        let corners = [(since(first.start), 0.0), (since(last.end), top)];
        Rectangle::new(corners, GAP.filled())
    }))?;
    Ok(())
}

/// A step for each column; interrupted where nobody looked.
fn line(plot: &mut Plot, columns: &[Column], rate: &Rate, since: &dyn Fn(i64) -> f64) -> Drawn {
    for part in columns.chunk_by(|a, b| a.observed == b.observed) {
        if !part[0].observed {
            continue;
        }
        let steps: Vec<(f64, f64)> = part
            .iter()
            .flat_map(|column| {
                let height = rate.highest(column);
                [(since(column.start), height), (since(column.end), height)]
            })
            .collect();
        let (from, to) = (steps[0].0, steps[steps.len() - 1].0);
        let mut area = vec![(from, 0.0)];
        area.extend(&steps);
        area.push((to, 0.0));
        plot.draw_series([Polygon::new(area, LINE.mix(0.18))])?;
        let style = LINE.stroke_width(UNITS as u32 * 3 / 2);
        plot.draw_series([PathElement::new(steps, style)])?;
    }
    Ok(())
}

/// The mean as a dashed line, the peak as a dot. Each label keeps to its own half.
fn marks(
    frame: &Frame,
    plot: &mut Plot,
    report: &Report,
    columns: &[Column],
    since: &dyn Fn(i64) -> f64,
) -> Drawn {
    let bandwidth = &report.bandwidth;
    let (Some(peak), Some(start)) = (bandwidth.peak_bits_per_sec, bandwidth.peak_start) else {
        return Ok(());
    };
    let inside = |column: &&Column| column.start <= start.0 && start.0 < column.end;
    let Some(column) = columns.iter().find(inside) else {
        return Ok(());
    };
    let at = f64::midpoint(since(column.start), since(column.end));
    let end = columns.last().map_or(0.0, |last| since(last.end));
    let in_left_half = at < end / 2.0;
    if let Some(mean) = bandwidth.mean_bits_per_sec {
        let style = INK.stroke_width(UNITS as u32);
        let ends = [(0.0, mean), (end, mean)];
        plot.draw_series(DashedLineSeries::new(ends, 6 * UNITS, 4 * UNITS, style))?;
        let (edge, align, side) = match in_left_half {
            true => (end, HPos::Right, -8),
            false => (0.0, HPos::Left, 8),
        };
        let (x, y) = plot.backend_coord(&(edge, mean));
        let text = format!("mean {}", units::bits_per_sec(mean));
        let label = LABEL.sized(14.0).bold().aligned(align);
        boxed(frame, &text, (x / UNITS + side, y / UNITS - 13), &label)?;
    }
    plot.draw_series([Circle::new((at, peak), 9 * UNITS / 2, PEAK.filled())])?;
    let (x, y) = plot.backend_coord(&(at, peak));
    let text = format!(
        "peak {} at {}",
        units::bits_per_sec(peak),
        report.clock(start)
    );
    let (align, side) = match in_left_half {
        true => (HPos::Left, 8),
        false => (HPos::Right, -8),
    };
    let label = LABEL.sized(14.0).bold().aligned(align);
    boxed(frame, &text, (x / UNITS + side, y / UNITS - 17), &label)
}

/// Text that can be read on top of a line.
fn boxed(frame: &Frame, text: &str, (x, y): (i32, i32), label: &Label) -> Drawn {
    let width = label.width(text);
    let left = match label.align {
        HPos::Right => x - width,
        _ => x,
    };
    frame.veil((left - 3, y - 9), (left + width + 3, y + 9))?;
    frame.text((x, y), text, label)
}
