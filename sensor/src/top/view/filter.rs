//! The line in which a filter is typed, with what is wrong with it right below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{ACCENT, LOUD, PLAIN, put};
use crate::escape;
use crate::filter::FilterError;
use crate::sink::text::wrap;
use crate::top::state::FilterBox;

const PROMPT: &str = " filter: ";
const PROMPT_WIDTH: u16 = PROMPT.len() as u16;
/// Lines of an error; what is longer is said by `sensor filter`.
const MOST: usize = 6;

/// What of the line is seen, and from which column of it on.
struct View {
    text: String,
    from: usize,
    cursor: usize,
}

pub(super) fn height(typed: &FilterBox, width: u16) -> u16 {
    1 + below(typed, width).len() as u16
}

/// Gives the place of the cursor.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, typed: &FilterBox) -> (u16, u16) {
    let room = area.width.saturating_sub(PROMPT_WIDTH + 1);
    let view = view(typed, usize::from(room));
    put(buffer, (area.x, area.y), area.width, PROMPT, ACCENT);
    let x = area.x + PROMPT_WIDTH;
    put(buffer, (x, area.y), room, &view.text, PLAIN);
    let lines = below(typed, area.width);
    for (y, line) in (area.y + 1..area.bottom()).zip(&lines) {
        put(buffer, (area.x, y), area.width, line, LOUD);
    }
    (x + (view.cursor - view.from) as u16, area.y)
}

fn below(typed: &FilterBox, width: u16) -> Vec<String> {
    let Some(error) = &typed.error else {
        return Vec::new();
    };
    let indent = usize::from(PROMPT_WIDTH);
    let room = usize::from(width).saturating_sub(indent + 1).max(1);
    let mut lines = match error.origin {
        // In a named filter or a file: its text is not the one above.
        Some(_) => error.to_string().lines().map(str::to_owned).collect(),
        None => {
            let view = view(typed, room);
            let mut lines: Vec<String> = mark(error, &view, room).into_iter().collect();
            lines.extend(wrap(&escape::text(&error.message), room));
            if let Some(help) = &error.help {
                lines.extend(wrap(&format!("help: {}", escape::text(help)), room));
            }
            lines
        }
    };
    lines.truncate(MOST);
    let blank = " ".repeat(indent);
    lines.iter().map(|line| format!("{blank}{line}")).collect()
}

/// `^~~~` under the place; none where that is scrolled out of sight.
fn mark(error: &FilterError, view: &View, room: usize) -> Option<String> {
    let start = error.text.floor_char_boundary(error.span.start);
    let end = error.text.floor_char_boundary(error.span.end).max(start);
    let column = columns(&error.text[..start]).checked_sub(view.from)?;
    let long = columns(&error.text[start..end]).clamp(1, room.saturating_sub(column).max(1));
    (column < room).then(|| format!("{}^{}", " ".repeat(column), "~".repeat(long - 1)))
}

/// The cursor is seen, and as much before it as there is room for.
fn view(typed: &FilterBox, room: usize) -> View {
    let text = typed.input.text();
    let cursor = columns(&text[..typed.input.cursor()]);
    let wanted = (cursor + 1).saturating_sub(room);
    let (mut from, mut rest) = (0, text);
    while from < wanted
        && let Some(c) = rest.chars().next()
    {
        from += column_width(c);
        rest = &rest[c.len_utf8()..];
    }
    View {
        text: escape::text(rest),
        from,
        cursor,
    }
}

/// As it is shown.
fn columns(text: &str) -> usize {
    text.chars().map(column_width).sum()
}

fn column_width(c: char) -> usize {
    let shown = escape::text(c.encode_utf8(&mut [0; 4]));
    shown.chars().map(escape::width).sum()
}
