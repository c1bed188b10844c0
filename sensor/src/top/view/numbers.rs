//! Counts as the chosen units show them.

use super::Scene;
use crate::counters::Counts;
use crate::top::figures::Window;
use crate::top::state::Units;
use crate::units;

/// `62.3 M`: how much a second, in the unit that the screen names.
pub(super) fn rate(counts: Counts, seconds: f64, unit: Units) -> String {
    match per_second(counts, seconds, unit) {
        Some(rate) => units::short(rate),
        None => "-".to_owned(),
    }
}

/// `62.3 Mbit/s`
pub(super) fn rate_with_unit(counts: Counts, seconds: f64, unit: Units) -> String {
    match (per_second(counts, seconds, unit), unit) {
        (Some(rate), Units::Bits) => units::bits_per_sec(rate),
        (Some(rate), Units::Bytes) => format!("{}/s", units::bytes(rate.round() as u64)),
        (Some(rate), Units::Packets) => units::packets_per_sec(rate),
        (None, _) => "-".to_owned(),
    }
}

/// `None` before anything was looked at.
pub(super) fn per_second(counts: Counts, seconds: f64, unit: Units) -> Option<f64> {
    let amount = match unit {
        Units::Bits => counts.bytes as f64 * 8.0,
        Units::Bytes => counts.bytes as f64,
        Units::Packets => counts.packets as f64,
    };
    (seconds > 0.0).then_some(amount / seconds)
}

pub(super) fn total(counts: Counts, unit: Units) -> String {
    match unit {
        Units::Bits | Units::Bytes => units::bytes(counts.bytes),
        Units::Packets if counts.packets < 100_000 => units::count(counts.packets),
        Units::Packets => units::short(counts.packets as f64),
    }
}

pub(super) fn unit_name(unit: Units) -> &'static str {
    match unit {
        Units::Bits => "bit/s",
        Units::Bytes => "byte/s",
        Units::Packets => "packet/s",
    }
}

/// `2 s`, `10 s`: how long a window is.
pub(super) fn window(scene: &Scene<'_>, window: Window) -> String {
    units::duration(window as i64 as f64 * scene.figures.interval() as f64 / 1e9)
}
