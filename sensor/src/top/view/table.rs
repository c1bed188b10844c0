//! Lists as tables: names at the left as wide as there is room, numbers at the right below each other.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::names::{self, Cell};
use super::numbers::{rate, total, window};
use super::paint::{ACCENT, BOLD, DIM, INGRESS, PLAIN, columns, put, put_right};
use super::{Scene, paint};
use crate::counters::Counts;
use crate::sink::text::{tail, two_toned_bar};
use crate::top::figures::Window;
use crate::top::lists::{Column, Id, Layer, List, Row};
use crate::top::state::{Mode, Tab, Units};
use crate::units;

/// Lines above the first row.
pub(super) const HEADING: u16 = 1;
const BAR: u16 = 16;

/// A column of numbers or words; the first of a table takes what the others leave.
struct Shape {
    title: String,
    width: u16,
    right: bool,
    column: Option<Column>,
    cell: Box<dyn Fn(&Row) -> String>,
}

/// The table of the tab.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, list: &List) {
    let state = scene.state;
    if state.tab == Tab::Protocols {
        return rows(
            buffer,
            area,
            scene,
            &Sheet::protocols(scene, list, area.width, true),
        );
    }
    rows(buffer, area, scene, &Sheet::of_tab(scene, list, area.width));
}

/// Protocols beside another list.
pub(super) fn protocols(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, list: &List) {
    rows(
        buffer,
        area,
        scene,
        &Sheet::protocols(scene, list, area.width, false),
    );
}

struct Sheet<'a> {
    list: &'a List,
    title: String,
    shapes: Vec<Shape>,
    /// Keys move in it.
    active: bool,
}

impl<'a> Sheet<'a> {
    fn of_tab(scene: &Scene<'_>, list: &'a List, width: u16) -> Self {
        let tab = scene.state.tab;
        let number = |column, title: String, of: fn(&Row) -> Counts, window| {
            let (seconds, unit) = (scene.figures.seconds(window), scene.state.units);
            Shape {
                width: columns(&title).max(6) + 2,
                title,
                right: true,
                column: Some(column),
                cell: Box::new(move |row| rate(of(row), seconds, unit)),
            }
        };
        let (short, long) = (window(scene, Window::Short), window(scene, Window::Long));
        let mut shapes = Vec::new();
        let one_way = tab == Tab::Flows;
        if one_way && width >= 60 {
            shapes.push(protocol_of_flow(if width >= 100 { 16 } else { 11 }));
        }
        if width >= 60 && !one_way {
            let (there, back) = match tab {
                Tab::Conversations => ("a > b", "b > a"),
                _ => ("sent", "received"),
            };
            shapes.extend([
                number(
                    Column::Forth,
                    format!("{there} {short}"),
                    |row| row.forth.short,
                    Window::Short,
                ),
                number(
                    Column::Back,
                    format!("{back} {short}"),
                    |row| row.back.short,
                    Window::Short,
                ),
            ]);
        } else if width >= 50 {
            let of = |row: &Row| row.both().short;
            shapes.push(number(Column::Short, short, of, Window::Short));
        }
        shapes.push(number(
            Column::Long,
            long,
            |row| row.both().long,
            Window::Long,
        ));
        shapes.push(in_all(scene.state.units));
        if width >= 110 {
            shapes.extend(more(scene));
        }
        let title = match tab {
            Tab::Overview | Tab::Talkers => "top talkers",
            Tab::Conversations => "a <> b",
            Tab::Flows | Tab::Protocols => "source > destination",
        };
        Sheet {
            list,
            title: title.to_owned(),
            shapes,
            active: true,
        }
    }

    fn protocols(scene: &Scene<'_>, list: &'a List, width: u16, active: bool) -> Self {
        let unit = scene.state.units;
        let of_window = |column, which| {
            let seconds = scene.figures.seconds(which);
            Shape {
                title: window(scene, which),
                width: 9,
                right: true,
                column: Some(column),
                cell: Box::new(move |row: &Row| {
                    let counts = match which {
                        Window::Short => row.forth.short,
                        Window::Long => row.forth.long,
                    };
                    rate(counts, seconds, unit)
                }),
            }
        };
        let mut shapes = Vec::new();
        if width >= 50 {
            shapes.push(of_window(Column::Short, Window::Short));
        }
        shapes.push(of_window(Column::Long, Window::Long));
        shapes.push(in_all(unit));
        let all = list
            .rows
            .iter()
            .map(|row| amount(row.forth.total, unit))
            .sum();
        if width >= 46 {
            shapes.push(share(unit, all));
        }
        if width >= 76 {
            shapes.push(bar(unit, all, width));
        }
        let title = match (active, scene.state.layer) {
            (false, _) | (true, Layer::Application) => "application",
            (true, Layer::Transport) => "transport",
            (true, Layer::Network) => "network",
        };
        Sheet {
            list,
            title: title.to_owned(),
            shapes,
            active,
        }
    }
}

fn rows(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, sheet: &Sheet<'_>) {
    let numbers: u16 = sheet.shapes.iter().map(|shape| shape.width).sum();
    let first = area.width.saturating_sub(numbers + 2).max(8);
    let inner = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    heading(buffer, inner, scene, sheet, first);
    let table = scene.state.table();
    let offset = if sheet.active { table.offset } else { 0 };
    let visible = sheet.list.rows.iter().enumerate().skip(offset);
    let typing = matches!(scene.state.mode, Mode::Filter(_));
    for (y, (place, row)) in (inner.y + HEADING..inner.bottom()).zip(visible) {
        draw_row(buffer, (inner, y), scene, (row, sheet, first));
        if sheet.active && place == table.selected && !typing {
            let line = Rect {
                y,
                height: 1,
                ..area
            };
            buffer.set_style(line, paint::REVERSED);
        }
    }
    if sheet.list.rows.is_empty() && inner.height > HEADING {
        let text = match scene.state.matching {
            Some(_) => "nothing that was counted matches the filter",
            None => "nothing yet",
        };
        put(buffer, (inner.x, inner.y + HEADING), inner.width, text, DIM);
    }
}

fn heading(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, sheet: &Sheet<'_>, first: u16) {
    let table = scene.state.table();
    let sorted = |column| sheet.active && table.column == column;
    let mark = if table.reversed { "▲" } else { "▼" };
    let style = |is_sorted: bool| if is_sorted { ACCENT } else { BOLD };
    let by_name = sorted(Column::Name);
    // The order of names is the other way round: the first letter comes first.
    let name_mark = if table.reversed { "▼" } else { "▲" };
    let listed = sheet.list.rows.len();
    let of = match listed < sheet.list.total {
        true => format!(
            " {} of {}",
            units::count(listed as u64),
            units::count(sheet.list.total as u64)
        ),
        false if listed > 0 => format!(" {}", units::count(listed as u64)),
        false => String::new(),
    };
    let mut used = 0;
    if by_name {
        used += put(buffer, (area.x, area.y), first, name_mark, ACCENT);
    }
    used += put(
        buffer,
        (area.x + used, area.y),
        first - used,
        &sheet.title,
        style(by_name),
    );
    put(
        buffer,
        (area.x + used, area.y),
        first.saturating_sub(used),
        &of,
        DIM,
    );
    let mut x = area.x + first;
    for shape in &sheet.shapes {
        let is_sorted = shape.column.is_some_and(sorted);
        let title = match is_sorted {
            true => format!("{mark}{}", shape.title),
            false => shape.title.clone(),
        };
        place(buffer, (x, area.y), shape, &title, style(is_sorted));
        x += shape.width;
    }
}

fn draw_row(
    buffer: &mut Buffer,
    (area, y): (Rect, u16),
    scene: &Scene<'_>,
    (row, sheet, first): (&Row, &Sheet<'_>, u16),
) {
    let room = usize::from(first.saturating_sub(1));
    let cell = match &row.id {
        Id::Talker(addr) => names::talker(scene, *addr, room),
        Id::Conversation(a, b) => names::conversation(scene, (*a, *b), room),
        Id::Flow(key) => names::flow(scene, key, room),
        Id::Protocol(name) => Cell {
            text: format!("{name}{}", guess(row.by_port, row.forth.total)),
            aside: String::new(),
        },
    };
    let used = put(buffer, (area.x, y), first, &cell.text, PLAIN);
    if !cell.aside.is_empty() {
        let x = area.x + used + 2;
        put(
            buffer,
            (x, y),
            first.saturating_sub(used + 2),
            &cell.aside,
            DIM,
        );
    }
    let mut x = area.x + first;
    for shape in &sheet.shapes {
        let text = (shape.cell)(row);
        let style = match text.as_str() {
            "0" | "0 B" | "-" => DIM,
            _ if shape.title.is_empty() => INGRESS,
            _ => PLAIN,
        };
        place(buffer, (x, y), shape, &text, style);
        x += shape.width;
    }
}

fn place(buffer: &mut Buffer, (x, y): (u16, u16), shape: &Shape, text: &str, style: Style) {
    let style = style.remove_modifier(Modifier::REVERSED);
    if shape.right {
        put_right(buffer, (x, y), shape.width, text, style);
    } else {
        put(buffer, (x + 2, y), shape.width - 2, text, style);
    }
}

fn protocol_of_flow(width: u16) -> Shape {
    Shape {
        title: "protocol".to_owned(),
        width,
        right: false,
        column: Some(Column::Protocol),
        cell: Box::new(move |row| {
            let name = format!("{}{}", row.protocol, guess(row.by_port, row.forth.total));
            tail(&name, usize::from(width) - 2)
        }),
    }
}

fn in_all(unit: Units) -> Shape {
    Shape {
        title: "total".to_owned(),
        width: 10,
        right: true,
        column: Some(Column::Total),
        cell: Box::new(move |row| total(row.both().total, unit)),
    }
}

fn share(unit: Units, all: u64) -> Shape {
    Shape {
        title: "share".to_owned(),
        width: 9,
        right: true,
        column: None,
        cell: Box::new(move |row| units::percent(percent(amount(row.forth.total, unit), all))),
    }
}

/// Of the share; what the port alone tells is pale.
fn bar(unit: Units, all: u64, width: u16) -> Shape {
    let room = if width >= 100 { BAR * 2 } else { BAR };
    Shape {
        title: String::new(),
        width: room + 2,
        right: false,
        column: None,
        cell: Box::new(move |row| {
            let of = |counts| percent(amount(counts, unit), all);
            two_toned_bar(of(row.forth.total), of(row.by_port), usize::from(room))
        }),
    }
}

/// Where there is room for it.
fn more(scene: &Scene<'_>) -> Vec<Shape> {
    let packets = Shape {
        title: "packets".to_owned(),
        width: 12,
        right: true,
        column: None,
        cell: Box::new(|row| units::count(row.both().total.packets)),
    };
    let mut shapes = Vec::new();
    if scene.state.units != Units::Packets {
        shapes.push(packets);
    }
    shapes
}

/// Behind what is told by the port alone.
fn guess(by_port: Counts, all: Counts) -> &'static str {
    match by_port.packets > 0 && by_port.packets == all.packets {
        true => "?",
        false => "",
    }
}

fn amount(counts: Counts, unit: Units) -> u64 {
    match unit {
        Units::Packets => counts.packets,
        Units::Bits | Units::Bytes => counts.bytes,
    }
}

fn percent(part: u64, all: u64) -> f64 {
    match all {
        0 => 0.0,
        all => part as f64 * 100.0 / all as f64,
    }
}
