//! Rates over time as bars of a few lines.

use super::paint::put;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

const LEVELS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The newest rate stands at the right. What is zero is a blank; what is not is at least the lowest level.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, rates: &[f64], highest: f64, style: Style) {
    let shown = rates.len().min(usize::from(area.width));
    let left = area.right() - shown as u16;
    for row in 0..area.height {
        let below = usize::from(area.height - 1 - row) * 8;
        let line: String = rates[rates.len() - shown..]
            .iter()
            .map(|rate| {
                LEVELS[eighths(*rate, highest, area.height)
                    .saturating_sub(below)
                    .min(8)]
            })
            .collect();
        put(buffer, (left, area.y + row), shown as u16, &line, style);
    }
}

fn eighths(rate: f64, highest: f64, lines: u16) -> usize {
    if rate <= 0.0 || highest <= 0.0 {
        return 0;
    }
    let most = f64::from(lines) * 8.0;
    (rate / highest * most).ceil().clamp(1.0, most) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rates: &[f64], width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        draw(&mut buffer, area, rates, 8.0, Style::new());
        (0..height)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect())
            .collect()
    }

    #[test]
    fn the_newest_is_at_the_right_and_little_is_not_nothing() {
        assert_eq!(lines(&[0.0, 0.01, 4.0, 8.0], 5, 1), ["  ▁▄█"]);
        assert_eq!(lines(&[1.0, 8.0, 2.0], 2, 1), ["█▂"]);
        assert_eq!(lines(&[0.01, 4.0, 6.0, 8.0], 4, 2), ["  ▄█", "▁███"]);
    }
}
