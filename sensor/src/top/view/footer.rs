//! The last lines: what people must know just now, and which keys there are; or the filter that is being typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::{ACCENT, BOLD, DIM, LOUD, PLAIN, REVERSED, columns, put, put_all};
use super::{Scene, filter};
use crate::sink::text::wrap;
use crate::top::state::{Mode, Tab};
use crate::{escape, units};

/// Of one notice.
const MOST_LINES: usize = 2;

pub(super) fn height(width: u16, scene: &Scene<'_>) -> u16 {
    let last = match &scene.state.mode {
        Mode::Filter(typed) => filter::height(typed, width),
        Mode::Table | Mode::Detail(_) | Mode::Help => 1,
    };
    notices(scene, width).len() as u16 + last
}

/// Gives the place of the cursor where something is typed.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>) -> Option<(u16, u16)> {
    let notices = notices(scene, area.width);
    let last = match &scene.state.mode {
        Mode::Filter(typed) => filter::height(typed, area.width).min(area.height),
        Mode::Table | Mode::Detail(_) | Mode::Help => 1,
    };
    let above = area.y..area.bottom() - last;
    for (y, (text, style)) in above.zip(&notices) {
        put(buffer, (area.x + 1, y), area.width - 2, text, *style);
    }
    let rest = Rect {
        y: area.bottom() - last,
        height: last,
        ..area
    };
    match &scene.state.mode {
        Mode::Filter(typed) => Some(filter::draw(buffer, rest, typed)),
        Mode::Table | Mode::Detail(_) | Mode::Help => {
            keys(buffer, rest, scene);
            None
        }
    }
}

/// In lines that fit.
fn notices(scene: &Scene<'_>, width: u16) -> Vec<(String, Style)> {
    let room = usize::from(width.saturating_sub(2)).max(1);
    let lines = told(scene).into_iter().flat_map(|(text, style)| {
        let lines = wrap(&text, room).into_iter().take(MOST_LINES);
        lines.map(move |line| (line, style))
    });
    lines.collect()
}

/// One sentence each.
fn told(scene: &Scene<'_>) -> Vec<(String, Style)> {
    let mut notices = Vec::new();
    if let Some(message) = &scene.status.message {
        notices.push((message.clone(), BOLD));
    }
    if let Some(slow) = &scene.status.slow {
        notices.push((slow.clone(), DIM));
    }
    if let (Some(matching), Some(shown)) = (&scene.state.matching, &scene.lists.shown) {
        let all = scene.figures.total();
        let hidden = all.bytes.saturating_sub(shown.counts.bytes);
        let what = escape::text(matching.text());
        notices.push((
            format!(
                "filter: {what}: {} of {} flows, {}; {} hidden",
                units::count(shown.flows as u64),
                units::count(shown.all_flows as u64),
                units::bytes(shown.counts.bytes),
                units::bytes(hidden),
            ),
            ACCENT,
        ));
    }
    if let Some(held) = scene.figures.held() {
        let held = format!(
            "paused: counting goes on, {} since; space shows them",
            units::packets(held.packets)
        );
        notices.push((held, LOUD));
    } else if scene.state.paused {
        notices.push((
            "paused: space goes on, . shows the next interval".to_owned(),
            LOUD,
        ));
    }
    notices
}

/// As many as fit.
fn keys(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>) {
    let open = match scene.state.tab {
        Tab::Flows => "details",
        _ => "its flows",
    };
    let back = match scene.state.mode {
        Mode::Table => "no filter",
        _ => "back",
    };
    let filtered = scene.state.matching.is_some() || !matches!(scene.state.mode, Mode::Table);
    let keys = [
        ("q", "quit", true),
        ("?", "help", true),
        ("esc", back, filtered),
        ("/", "filter", true),
        ("enter", open, matches!(scene.state.mode, Mode::Table)),
        ("<>", "sort", true),
        ("space", "pause", true),
        ("u", "units", true),
        ("n", "names", true),
        ("+-", "speed", scene.status.is_file),
        ("l", "layer", scene.state.tab == Tab::Protocols),
        ("r", "reset", !scene.status.is_file),
    ];
    let mut used = 1;
    for (key, what, _) in keys.iter().filter(|(_, _, there)| *there) {
        let needed = columns(key) + columns(what) + 3;
        if used + needed > area.width {
            break;
        }
        let key = format!(" {key} ");
        let pieces = [(key.as_str(), REVERSED), (*what, PLAIN), (" ", PLAIN)];
        let room = area.width - used;
        used += put_all(buffer, (area.x + used, area.y), room, &pieces);
    }
}
