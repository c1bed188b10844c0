//! All that is known of one flow, and of the one that comes back.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sensor_common::flow::FlowKey;

use super::numbers::{rate_with_unit, window};
use super::paint::{BOLD, DIM, PLAIN, put, put_right};
use super::{Scene, names};
use crate::counters::Flow;
use crate::escape;
use crate::report::{self, FlowRow, Name, Time};
use crate::sink::text::wrap;
use crate::top::figures::{Amount, Window};
use crate::top::lists::Id;
use crate::units;

const LABELS: u16 = 13;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, key: &FlowKey) {
    let whole = scene.figures.whole();
    let (x, width) = (area.x + 1, area.width - 2);
    let Some(flow) = whole.flows().get(key) else {
        let text = "no packet of this flow has been counted since the start";
        put(buffer, (x, area.y), width, text, DIM);
        return;
    };
    let row = report::flow_row(&flow, whole.book(), scene.context);
    let back = back_of(scene, &flow);
    let mut y = area.y;
    let ends = format!(
        "{} > {}",
        names::end(row.src_addr, row.src_port),
        names::end(row.dst_addr, row.dst_port)
    );
    put(buffer, (x, y), width, &ends, BOLD);
    y = amounts(
        buffer,
        Rect { y: y + 1, ..area },
        scene,
        (&flow, back.as_ref()),
    ) + 1;
    let lines = lines(scene, &flow, &row, back.as_ref());
    for (label, text) in lines {
        let room = usize::from(width.saturating_sub(LABELS));
        for (place, line) in wrap(&text, room.max(1)).iter().enumerate() {
            if y >= area.bottom() {
                return;
            }
            if place == 0 {
                put(buffer, (x, y), LABELS, label, DIM);
            }
            put(
                buffer,
                (x + LABELS, y),
                width.saturating_sub(LABELS),
                line,
                PLAIN,
            );
            y += 1;
        }
    }
}

/// Both ways with their rates; gives the next line.
fn amounts(
    buffer: &mut Buffer,
    area: Rect,
    scene: &Scene<'_>,
    (flow, back): (&Flow, Option<&Flow>),
) -> u16 {
    let (x, width) = (area.x + 1, area.width - 2);
    let column = ((width.saturating_sub(LABELS)) / 4).min(16);
    let titles = [
        window(scene, Window::Short),
        window(scene, Window::Long),
        "bytes".to_owned(),
        "packets".to_owned(),
    ];
    for (place, title) in (0..).zip(&titles) {
        put_right(
            buffer,
            (x + LABELS + place * column, area.y),
            column,
            title,
            BOLD,
        );
    }
    let there = scene.figures.of_flow(flow);
    let mut rows = vec![("there", there)];
    match back {
        Some(back) => {
            let back = scene.figures.of_flow(back);
            let mut both = there;
            both += back;
            rows.extend([("back", back), ("both", both)]);
        }
        None => rows.push(("back", Amount::default())),
    }
    let mut y = area.y + 1;
    for (label, amount) in rows {
        if y >= area.bottom() {
            return y;
        }
        put(buffer, (x, y), LABELS, label, DIM);
        let unit = scene.state.units;
        let rate = |counts, of| rate_with_unit(counts, scene.figures.seconds(of), unit);
        let cells = [
            rate(amount.short, Window::Short),
            rate(amount.long, Window::Long),
            units::bytes(amount.total.bytes),
            units::count(amount.total.packets),
        ];
        for (place, cell) in (0..).zip(&cells) {
            put_right(
                buffer,
                (x + LABELS + place * column, y),
                column,
                cell,
                PLAIN,
            );
        }
        y += 1;
    }
    y
}

fn lines(
    scene: &Scene<'_>,
    flow: &Flow,
    row: &FlowRow,
    back: Option<&Flow>,
) -> Vec<(&'static str, String)> {
    let mut lines = vec![("protocol", protocol(row))];
    let mut add = |label, text: String| {
        if !text.is_empty() {
            lines.push((label, text));
        }
    };
    let book = scene.figures.whole().book();
    add("names", list(&row.names));
    add("source", list(&report::of_address(book, row.src_addr)));
    add("destination", list(&report::of_address(book, row.dst_addr)));
    if let Some(tls) = &row.tls {
        let parts = [
            tls.version.clone(),
            (!tls.alpn.is_empty()).then(|| format!("alpn {}", tls.alpn.join(" "))),
            tls.ja4.as_ref().map(|ja4| format!("ja4 {ja4}")),
        ];
        add("tls", joined(parts));
    }
    if let Some(http) = &row.http {
        let parts = [
            http.method.clone(),
            http.host.clone(),
            http.status.map(|status| format!("status {status}")),
            http.user_agent.clone(),
        ];
        add("http", joined(parts));
    }
    if let Some(flags) = &row.tcp_flags {
        add("tcp flags", flags_in_words(flags));
    }
    if let Some(interface) = &row.interface {
        add(
            "interface",
            format!("{}, {}", escape::text(interface), row.direction),
        );
    } else {
        add("direction", row.direction.to_string());
    }
    if let Some(process) = scene.processes.of(row) {
        let parts = [
            process.name,
            process.pid.map(|pid| format!("pid {pid}")),
            process.cgroup,
        ];
        add("process", joined(parts));
    }
    add("first, last", times(flow));
    if let Some(back) = back {
        add("back", times(back));
    }
    add("mean size", mean_size(flow));
    lines
}

fn protocol(row: &FlowRow) -> String {
    let how = match row.classified_by.as_deref() {
        None => return row.transport.clone(),
        Some("payload") => "its payload says so",
        Some("handshake") => "its handshake says so",
        Some("expectation") => "another flow announced it",
        Some(_) => "told by the port alone: a habit, no proof",
    };
    format!("{}/{}: {how}", row.transport, row.protocol)
}

/// `api.example.com (sni), other (dns)`
fn list(names: &[Name]) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("{} ({})", escape::text(&name.name), name.source))
        .collect();
    names.join(", ")
}

fn joined(parts: impl IntoIterator<Item = Option<String>>) -> String {
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .map(|part| escape::text(&part))
        .collect();
    parts.join(", ")
}

fn flags_in_words(letters: &str) -> String {
    let word = |letter| match letter {
        'F' => "fin",
        'S' => "syn",
        'R' => "rst",
        'P' => "psh",
        'A' => "ack",
        'U' => "urg",
        'E' => "ece",
        _ => "cwr",
    };
    let words: Vec<&str> = letters.chars().map(word).collect();
    words.join(" ")
}

fn times(flow: &Flow) -> String {
    let Some(duration) = flow.duration() else {
        return "no packet has a time".to_owned();
    };
    format!(
        "{} to {} UTC, {}",
        Time(flow.first).strftime("%Y-%m-%d %H:%M:%S%.3f"),
        Time(flow.last).strftime("%H:%M:%S%.3f"),
        units::duration(duration as f64 / 1e9),
    )
}

fn mean_size(flow: &Flow) -> String {
    match flow.packets {
        0 => String::new(),
        packets => format!("{} a packet", units::bytes(flow.bytes / packets)),
    }
}

/// The flow between the same ends the other way, on the same interface; the one with the most packets of several.
fn back_of(scene: &Scene<'_>, flow: &Flow) -> Option<Flow> {
    let key = &flow.key;
    let answers = |other: &Flow| {
        let back = &other.key;
        back.is_ip()
            && back.slot() == key.slot()
            && back.protocol() == key.protocol()
            && (back.src_port(), back.dst_port()) == (key.dst_port(), key.src_port())
            && back.src_addr() == key.dst_addr()
            && back.dst_addr() == key.src_addr()
    };
    let flows = scene.figures.whole().flows().iter().filter(answers);
    flows
        .filter(|other| Id::Flow(other.key) != Id::Flow(*key))
        .max_by_key(|other| other.packets)
}
