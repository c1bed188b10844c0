//! Text into cells. What comes from outside must have been escaped.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use crate::sink::text::width;

pub(super) const PLAIN: Style = Style::new();
pub(super) const DIM: Style = Style::new().add_modifier(Modifier::DIM);
pub(super) const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
/// What must not be overlooked, by more than its colour.
pub(super) const LOUD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
pub(super) const REVERSED: Style = Style::new().add_modifier(Modifier::REVERSED);
/// Blue and yellow are told apart by nearly everybody.
pub(super) const INGRESS: Style = Style::new().fg(Color::Cyan);
pub(super) const EGRESS: Style = Style::new().fg(Color::Yellow);
pub(super) const ACCENT: Style = Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD);

/// At most `room` columns; gives those that were used.
pub(super) fn put(
    buffer: &mut Buffer,
    (x, y): (u16, u16),
    room: u16,
    text: &str,
    style: Style,
) -> u16 {
    let (end, _) = buffer.set_stringn(x, y, text, usize::from(room), style);
    end - x
}

/// The same at the right end of the room.
pub(super) fn put_right(
    buffer: &mut Buffer,
    (x, y): (u16, u16),
    room: u16,
    text: &str,
    style: Style,
) {
    let used = columns(text).min(room);
    put(buffer, (x + room - used, y), used, text, style);
}

/// Pieces one after the other.
pub(super) fn put_all(
    buffer: &mut Buffer,
    (x, y): (u16, u16),
    room: u16,
    pieces: &[(&str, Style)],
) -> u16 {
    let mut used = 0;
    for (text, style) in pieces {
        used += put(buffer, (x + used, y), room - used, text, *style);
    }
    used
}

pub(super) fn columns(text: &str) -> u16 {
    u16::try_from(width(text)).unwrap_or(u16::MAX)
}
