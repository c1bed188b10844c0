//! The last step: what the terminal can't show, or nobody wants to see, becomes what it can.

use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::Theme;

pub(super) fn adapt(buffer: &mut Buffer, theme: Theme) {
    if theme.colour && theme.unicode {
        return;
    }
    for cell in &mut buffer.content {
        if !theme.colour {
            cell.set_fg(Color::Reset).set_bg(Color::Reset);
        }
        if !theme.unicode && !cell.symbol().is_ascii() {
            let plain = cell.symbol().chars().next().map_or(' ', ascii);
            cell.set_char(plain);
        }
    }
}

fn ascii(c: char) -> char {
    match c {
        '▁' => '_',
        '▂' | '░' => '.',
        '▃' => ':',
        '▄' => '-',
        '▅' => '=',
        '▆' => '+',
        '▇' => '*',
        '█' | '▉' | '▊' | '▋' => '#',
        '▌' | '▍' | '▎' | '▏' => '|',
        '▼' => 'v',
        '▲' => '^',
        '…' => '~',
        'µ' => 'u',
        '─' => '-',
        _ => '?',
    }
}
