//! All on one screen: rates over time, protocols, talkers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use sensor_common::flow::Direction;

use super::numbers::{per_second, rate_with_unit};
use super::paint::{BOLD, DIM, EGRESS, INGRESS, PLAIN, put, put_right};
use super::{Scene, spark, table};
use crate::sink::text::tail;
use crate::top::figures::{SERIES, Way, Window};
use crate::units;

/// Columns at the right of the bars, for the rate and the highest one.
const RATES: u16 = 19;
const MOST_WAYS: usize = 8;

pub(super) struct Layout {
    bars: Vec<(Way, Rect)>,
    /// Ways for which there is no room.
    more: usize,
    protocols: Rect,
    pub(super) talkers: Rect,
}

pub(super) fn layout(area: Rect, scene: &Scene<'_>) -> Layout {
    let ways = scene.figures.ways();
    let rows = |y, height| Rect { y, height, ..area };
    // A third for the bars, the rest for the lists.
    let room = usize::from(area.height) * 2 / 5;
    let shown = ways.len().min(MOST_WAYS).min(room.max(1));
    let each = (room / shown.max(1)).clamp(1, 4) as u16;
    let (mut y, mut bars) = (area.y, Vec::new());
    for way in ways.iter().take(shown) {
        let height = each.min(area.bottom() - y);
        bars.push((*way, rows(y, height)));
        y += height;
    }
    y = (y + u16::from(area.height >= 16)).min(area.bottom());
    let left = area.bottom() - y;
    let wanted = table::HEADING + scene.lists.protocols.rows.len().max(1) as u16;
    let side_by_side = area.width >= 120;
    let (protocols, talkers) = if side_by_side {
        let half = area.width * 2 / 5;
        let whole = rows(y, left);
        let first = Rect {
            width: half,
            ..whole
        };
        let second = Rect {
            x: whole.x + half,
            width: whole.width - half,
            ..whole
        };
        (first, second)
    } else {
        let height = match area.height >= 12 {
            true => wanted.min(left * 2 / 5).min(12),
            false => 0,
        };
        let gap = u16::from(area.height >= 16 && height > 0);
        let lower = left - height - gap.min(left - height);
        (rows(y, height), rows(area.bottom() - lower, lower))
    };
    Layout {
        bars,
        more: ways.len() - shown,
        protocols,
        talkers,
    }
}

pub(super) fn draw(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>) {
    let layout = layout(area, scene);
    if layout.bars.is_empty() {
        let text = "nothing has been counted yet";
        put(buffer, (area.x + 1, area.y), area.width - 1, text, DIM);
    }
    for (way, area) in &layout.bars {
        bar(buffer, *area, scene, *way);
    }
    if layout.more > 0
        && let Some((_, last)) = layout.bars.last()
    {
        let text = format!("and {} more", layout.more);
        let y = last.bottom().min(area.bottom() - 1);
        put(buffer, (area.x + 1, y), area.width - 1, &text, DIM);
    }
    if layout.protocols.height > table::HEADING {
        table::protocols(buffer, layout.protocols, scene, &scene.lists.protocols);
    }
    if layout.talkers.height > table::HEADING {
        table::draw(buffer, layout.talkers, scene, &scene.lists.main);
    }
}

/// One direction of one interface: both of an interface have the same scale.
fn bar(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, way: Way) {
    let labels = (area.width / 5).clamp(13, 20);
    let style = of_direction(way.1);
    let (name, direction) = (source_name(scene, way), direction_name(way.1));
    let room = usize::from(labels - 1);
    let two_lines = area.height > 1;
    let short = match two_lines {
        true => name.clone(),
        false => format!("{} {direction}", tail(&name, room.saturating_sub(8))),
    };
    let at = (area.x + 1, area.y);
    put(
        buffer,
        at,
        labels - 1,
        &tail(&short, room),
        if two_lines { BOLD } else { style },
    );
    let rates_left = area.right().saturating_sub(RATES + 1);
    let seconds = scene.figures.seconds(Window::Short);
    let unit = scene.state.units;
    let now = scene.figures.of_way(way, Window::Short);
    let now = rate_with_unit(now, seconds, unit);
    put_right(buffer, (rates_left, area.y), RATES, &now, BOLD);
    let bars = Rect {
        x: area.x + labels,
        width: rates_left.saturating_sub(area.x + labels),
        ..area
    };
    let own = rates(scene, way);
    let seen = own.len().min(usize::from(bars.width));
    let peak = highest(&own[own.len() - seen..]);
    if two_lines {
        put(buffer, (at.0, at.1 + 1), labels - 1, direction, style);
        let peak = format!("peak {}", with_unit(peak, scene));
        put_right(buffer, (rates_left, area.y + 1), RATES, &peak, DIM);
    }
    if area.height > 2 {
        let span = seen as f64 * scene.figures.interval() as f64 / 1e9;
        let span = format!("last {}", units::duration(span));
        put_right(buffer, (rates_left, area.y + 2), RATES, &span, DIM);
    }
    let both = scene.figures.ways().iter().filter(|one| one.0 == way.0);
    let scale = both.map(|one| {
        let rates = rates(scene, *one);
        highest(&rates[rates.len() - rates.len().min(usize::from(bars.width))..])
    });
    spark::draw(buffer, bars, &own, scale.fold(0.0, f64::max), style);
}

fn rates(scene: &Scene<'_>, way: Way) -> Vec<f64> {
    let series = scene.figures.series(way, SERIES).into_iter();
    series
        .map(|(counts, nanoseconds)| {
            per_second(counts, nanoseconds as f64 / 1e9, scene.state.units).unwrap_or(0.0)
        })
        .collect()
}

fn highest(rates: &[f64]) -> f64 {
    rates.iter().copied().fold(0.0, f64::max)
}

fn with_unit(rate: f64, scene: &Scene<'_>) -> String {
    use crate::top::state::Units;
    match scene.state.units {
        Units::Bits => units::bits_per_sec(rate),
        Units::Bytes => format!("{}/s", units::bytes(rate.round() as u64)),
        Units::Packets => units::packets_per_sec(rate),
    }
}

fn source_name(scene: &Scene<'_>, way: Way) -> String {
    let sources = &scene.status.sources;
    let found = sources.iter().find(|source| source.slot == way.0);
    found.map_or_else(|| format!("slot {}", way.0), |source| source.name.clone())
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
        Direction::Unknown => "all",
    }
}

fn of_direction(direction: Direction) -> Style {
    match direction {
        Direction::Ingress => INGRESS,
        Direction::Egress => EGRESS,
        Direction::Unknown => PLAIN,
    }
}
