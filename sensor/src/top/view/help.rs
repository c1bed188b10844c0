//! The keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Scene;
use super::paint::{ACCENT, BOLD, DIM, PLAIN, put};

const KEYS: [(&str, &str); 16] = [
    ("q  ctrl-c", "quit; prints what was counted"),
    ("esc", "back; in a list: the filter goes"),
    (
        "1-5  tab",
        "overview, talkers, conversations, flows, protocols",
    ),
    (
        "/  f",
        "filter in sensor's language: tcp port 443 or dns or bytes > 10M",
    ),
    ("enter", "details of a flow; the flows of anything else"),
    (
        "up down j k",
        "another row; also page up, page down, home, end",
    ),
    ("< >  s", "sort by another column"),
    ("S  R", "the other way round"),
    (
        "space",
        "pause: live, counting goes on; a file stands still",
    ),
    ("u", "bit/s, byte/s, packet/s"),
    ("n", "names of addresses, or not"),
    ("l", "protocols of which layer"),
    ("+ -", "play the file faster or slower"),
    (".", "while a file is paused: the next interval"),
    ("r", "start again from zero"),
    ("ctrl-z", "to the shell and back by fg; counting goes on"),
];

const NOTES: [&str; 3] = [
    "Rates are means of the last intervals. ? and pale bars: told by the port alone.",
    "A filter here hides flows and leaves every count as it is; one of the command",
    "line decides on packets: sensor top tcp port 443",
];

pub(super) fn draw(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>) {
    let keys = KEYS.iter().filter(|(key, _)| {
        let of_files = ["+ -", "."].contains(key);
        scene.status.is_file || !of_files
    });
    let (x, width) = (area.x + 1, area.width - 2);
    put(buffer, (x, area.y), width, "keys", BOLD);
    let mut y = area.y + 1;
    for (key, what) in keys.take(usize::from(area.height.saturating_sub(1))) {
        put(buffer, (x, y), 12, key, ACCENT);
        put(buffer, (x + 13, y), width.saturating_sub(13), what, PLAIN);
        y += 1;
    }
    for (y, note) in (y + 1..area.bottom()).zip(NOTES) {
        put(buffer, (x, y), width, note, DIM);
    }
}
