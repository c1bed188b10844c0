//! Drawing: pure, from what was counted and what is looked at to the cells of a screen.

mod detail;
mod filter;
mod footer;
mod glyphs;
mod header;
mod help;
mod names;
mod numbers;
mod overview;
mod paint;
mod spark;
mod table;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::figures::Figures;
use super::state::{Lists, Mode, State, Tab};
use crate::report::{Context, FlowRow, Process};
use paint::{LOUD, put};

/// Smaller screens show nothing but this sentence's numbers.
pub const LEAST: (u16, u16) = (40, 10);

/// What the terminal can show.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    pub colour: bool,
    /// Else ASCII only.
    pub unicode: bool,
}

/// An interface, or all there is of a file.
#[derive(Clone, Debug, Default)]
pub struct Source {
    pub slot: u8,
    pub name: String,
    /// By what it is counted, in short: `xdp native`.
    pub ingress: String,
    pub egress: String,
    /// False once it was deleted; its counts stay.
    pub alive: bool,
}

/// Beside the figures.
#[derive(Clone, Debug, Default)]
pub struct Status {
    pub sources: Vec<Source>,
    /// Now, or the capture's time: nanoseconds since the epoch.
    pub time: Option<i64>,
    /// What belongs beside the time: how long it runs, how fast a file is played.
    pub pace: String,
    /// What pauses: the counting goes on, a file stands still.
    pub is_file: bool,
    /// Of the command line.
    pub filter: Option<String>,
    /// What has happened, the newest.
    pub message: Option<String>,
    /// Figures are made anew less often than once an interval: they are many.
    pub slow: Option<String>,
}

/// All that is drawn.
pub struct Scene<'a> {
    pub state: &'a State,
    pub figures: &'a Figures,
    pub lists: &'a Lists,
    pub status: &'a Status,
    pub context: &'a Context,
    pub theme: Theme,
    /// With --processes: knows the one that a flow belongs to.
    pub processes: &'a dyn Processes,
}

/// Who knows which local process a flow belongs to.
pub trait Processes {
    fn of(&self, row: &FlowRow) -> Option<Process>;
}

/// Where things are.
struct Layout {
    header: Rect,
    body: Rect,
    footer: Rect,
}

pub fn draw(frame: &mut Frame<'_>, scene: &Scene<'_>) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        too_small(buffer, area);
        glyphs::adapt(buffer, scene.theme);
        return;
    }
    let layout = layout(area, scene);
    header::draw(buffer, layout.header, scene);
    match &scene.state.mode {
        Mode::Detail(key) => detail::draw(buffer, layout.body, scene, key),
        Mode::Help => help::draw(buffer, layout.body, scene),
        Mode::Table | Mode::Filter(_) => body(buffer, layout.body, scene),
    }
    let cursor = footer::draw(buffer, layout.footer, scene);
    glyphs::adapt(buffer, scene.theme);
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

/// How many rows of the list are seen on a screen of this size.
pub fn rows_seen(area: Rect, scene: &Scene<'_>) -> usize {
    let body = layout(area, scene).body;
    let list = match scene.state.tab {
        Tab::Overview => overview::layout(body, scene).talkers,
        _ => body,
    };
    usize::from(list.height.saturating_sub(table::HEADING))
}

fn body(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>) {
    match scene.state.tab {
        Tab::Overview => overview::draw(buffer, area, scene),
        _ => table::draw(buffer, area, scene, &scene.lists.main),
    }
}

fn layout(area: Rect, scene: &Scene<'_>) -> Layout {
    let footer = footer::height(area.width, scene).min(area.height / 2);
    let header = header::HEIGHT;
    let row = |y, height| Rect { y, height, ..area };
    Layout {
        header: row(area.y, header),
        body: row(area.y + header, area.height - header - footer),
        footer: row(area.bottom() - footer, footer),
    }
}

fn too_small(buffer: &mut Buffer, area: Rect) {
    let (columns, rows) = LEAST;
    let lines = [
        "terminal too small".to_owned(),
        format!("{}x{} < {columns}x{rows}", area.width, area.height),
        "q quits".to_owned(),
    ];
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        put(buffer, (area.x, y), area.width, line, LOUD);
    }
}
