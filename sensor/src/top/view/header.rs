//! The first lines: where packets come from, what became of them, and which list is looked at.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::numbers::unit_name;
use super::paint::{ACCENT, BOLD, DIM, LOUD, PLAIN, REVERSED, columns, put, put_all, put_right};
use super::{Scene, Source};
use crate::report::Time;
use crate::top::state::{Mode, Tab};
use crate::units;

pub(super) const HEIGHT: u16 = 3;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>) {
    let (x, width) = (area.x + 1, area.width - 2);
    sources(buffer, (x, area.y), width, scene);
    accounting(buffer, (x, area.y + 1), width, scene);
    tabs(buffer, (area.x, area.y + 2), area.width, scene);
}

/// Interfaces with their hooks at the left, the time at the right.
fn sources(buffer: &mut Buffer, at: (u16, u16), width: u16, scene: &Scene<'_>) {
    let status = scene.status;
    let time = status.time.map_or_else(String::new, |time| {
        let format = match (status.is_file, width >= 78) {
            (true, true) => "%Y-%m-%d %H:%M:%S UTC",
            _ => "%H:%M:%S UTC",
        };
        Time(time).strftime(format)
    });
    let right = format!("{time}  {}", status.pace);
    let right = right.trim();
    put_right(buffer, at, width, right, PLAIN);
    let room = width.saturating_sub(columns(right) + 2);
    let mut used = put(buffer, at, room, "sensor", BOLD);
    for (place, source) in status.sources.iter().enumerate() {
        let hooks = hooks(source);
        let hooks = match hooks.is_empty() {
            true => hooks,
            false => format!(" {hooks}"),
        };
        let left = status.sources.len() - place;
        let more = format!("  +{left}");
        let needed = columns(&source.name) + columns(&hooks) + 2;
        let spare = if left > 1 { columns(&more) } else { 0 };
        // The first one is there in any case, as far as it fits.
        if place > 0 && used + needed + spare > room {
            put(buffer, (at.0 + used, at.1), room - used, &more, DIM);
            return;
        }
        let name = if source.alive { ACCENT } else { LOUD };
        let pieces = [("  ", PLAIN), (source.name.as_str(), name), (&hooks, PLAIN)];
        used += put_all(buffer, (at.0 + used, at.1), room - used, &pieces);
    }
}

fn hooks(source: &Source) -> String {
    if !source.alive {
        return "gone".to_owned();
    }
    match (source.ingress.as_str(), source.egress.as_str()) {
        (same, other) if same == other => same.to_owned(),
        (ingress, "") => format!("{ingress}/-"),
        ("", egress) => format!("-/{egress}"),
        (ingress, egress) => format!("{ingress}/{egress}"),
    }
}

/// What must always be seen: what was lost, what found no room, and whether everything adds up.
fn accounting(buffer: &mut Buffer, at: (u16, u16), width: u16, scene: &Scene<'_>) {
    let whole = scene.figures.whole();
    let accounting = scene.figures.accounting();
    let lost: u64 = whole.lost_by_place().values().sum();
    let all = scene.figures.total();
    let or_loud = |is_fine: bool| if is_fine { PLAIN } else { LOUD };
    let overflow = accounting.overflow.packets;
    let (verdict, holds) = match accounting.identity_holds {
        true => ("accounting holds", PLAIN),
        false => ("ACCOUNTING VIOLATED", LOUD),
    };
    let roomy = width >= 78;
    let counted = match roomy {
        true => format!(
            "{}, {}",
            units::packets(all.packets),
            units::bytes(all.bytes)
        ),
        false => units::bytes(all.bytes),
    };
    let lost_text = format!("lost {}", units::count(lost));
    let overflow_text = format!("overflow {}", units::count(overflow));
    let mut pieces = vec![
        (counted.as_str(), BOLD),
        ("  ", PLAIN),
        (&lost_text, or_loud(lost == 0)),
        ("  ", PLAIN),
    ];
    if roomy || overflow > 0 {
        pieces.extend([
            (overflow_text.as_str(), or_loud(overflow == 0)),
            ("  ", PLAIN),
        ]);
    }
    let verdict = match (roomy, accounting.identity_holds) {
        (false, true) => "adds up",
        _ => verdict,
    };
    pieces.push((verdict, holds));
    let filtered = format!(
        "  filtered out {}",
        units::count(accounting.filtered.packets)
    );
    if scene.status.filter.is_some() {
        pieces.push((&filtered, PLAIN));
    }
    put_all(buffer, at, width, &pieces);
}

fn tabs(buffer: &mut Buffer, (x, y): (u16, u16), width: u16, scene: &Scene<'_>) {
    let back: Style = PLAIN.add_modifier(Modifier::UNDERLINED);
    let blank = " ".repeat(usize::from(width));
    put(buffer, (x, y), width, &blank, back);
    let unit = unit_name(scene.state.units);
    let names: u16 = Tab::ALL.iter().map(|tab| columns(tab.name()) + 5).sum();
    let short = names + columns(unit) + 2 > width;
    let mut used = 1;
    for (number, tab) in (1..).zip(Tab::ALL) {
        let name = match short {
            true => &tab.name()[..4],
            false => tab.name(),
        };
        let text = format!(" {number} {name} ");
        let here = tab == scene.state.tab && !matches!(scene.state.mode, Mode::Help);
        let style = if here { REVERSED } else { back };
        used += put(
            buffer,
            (x + used, y),
            width.saturating_sub(used),
            &text,
            style,
        );
        used += u16::from(!short);
    }
    let room = width.saturating_sub(used + 1);
    if columns(unit) <= room {
        put_right(buffer, (x + used, y), room, unit, back);
    }
}
