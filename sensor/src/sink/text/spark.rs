//! Small pictures made of block characters.

use crate::report::{Report, columns};

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Of a bar.
pub(super) const PALE: char = '░';
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Bytes over time. What is not zero is above the lowest level; a blank is where nobody looked.
pub(super) fn sparkline(report: &Report, width: usize) -> String {
    let columns = columns(report, width);
    let rate = |bytes: u64, intervals: u64| bytes as f64 / intervals.max(1) as f64;
    let rates = columns
        .iter()
        .map(|column| rate(column.bytes, column.intervals));
    let highest = rates.clone().fold(0.0, f64::max);
    let level = |rate: f64| (rate * 7.0 / highest).ceil().clamp(0.0, 7.0) as usize;
    columns
        .iter()
        .zip(rates)
        .map(|(column, rate)| match column.observed {
            false => ' ',
            true if highest > 0.0 => LEVELS[level(rate)],
            true => LEVELS[0],
        })
        .collect()
}

/// A bar of up to `width` characters, to an eighth of one; what is not zero shows at least that.
pub(super) fn bar(percent: f64, width: usize) -> String {
    let eighths = (percent.clamp(0.0, 100.0) * width as f64 * 8.0 / 100.0).round() as usize;
    let eighths = eighths.max(usize::from(percent > 0.0));
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}

/// The same, of which the last `light_percent` (of the whole too) are pale: at least one character where there are any.
pub(crate) fn two_toned_bar(percent: f64, light_percent: f64, width: usize) -> String {
    let bar = bar(percent, width);
    let long = bar.chars().count();
    let light = light_percent.clamp(0.0, 100.0) * width as f64 / 100.0;
    let (solid, pale) = match light_percent {
        none if none <= 0.0 => return bar,
        // Shares that were worked out in two ways differ in their last digits.
        all if all >= percent - 1e-6 => (0, long),
        _ => {
            let pale = (light.round() as usize).max(1);
            (long.saturating_sub(pale).max(1), pale)
        }
    };
    let solid = bar.chars().take(solid);
    solid.chain(std::iter::repeat_n(PALE, pale)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::*;
    use crate::report::{Span, Time, build};

    #[test]
    fn a_sparkline_tells_zero_from_little_and_from_not_looking() {
        let packet = |at: i64, bytes| arp().of(1, bytes).at(at * SECOND);
        let delta = delta_of(&[packet(0, 1), packet(2, 700), packet(5, 400)], 10);
        let mut report = build(&delta, &context());
        assert_eq!(sparkline(&report, 20), "▂▁█▁▁▅");
        report.not_observed = vec![Span {
            start: Time(START + 3 * SECOND),
            end: Time(START + 4 * SECOND),
        }];
        assert_eq!(sparkline(&report, 20), "▂▁█ ▁▅");
        assert_eq!(sparkline(&report, 3).chars().count(), 3);
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(bar(0.0, 10), "");
        assert_eq!(bar(0.001, 10), "▏");
        assert_eq!(bar(55.0, 10), "█████▌");
        assert_eq!(bar(100.0, 10), "██████████");
        assert_eq!(two_toned_bar(55.0, 0.0, 10), bar(55.0, 10));
        assert_eq!(two_toned_bar(60.0, 20.0, 10), "████░░");
        assert_eq!(two_toned_bar(55.0, 55.0, 10), "░░░░░░");
        assert_eq!(two_toned_bar(0.1, 0.1, 10), "░");
        assert_eq!(two_toned_bar(5.341_334_893, 5.341_334_892, 10), "░");
        assert_eq!(two_toned_bar(0.0, 0.0, 10), "");
        assert_eq!(two_toned_bar(100.0, 0.1, 10), "█████████░");
        assert_eq!(two_toned_bar(0.2, 0.1, 10), "▏░");
    }
}
