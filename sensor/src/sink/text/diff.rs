//! What changed, for people.

use std::io::{self, Write};

use super::escape::escape;
use super::table::{Align, Aside, Table};
use super::{MIN_WIDTH, NO_BREAK, Options, Page, names};
use crate::diff::{
    Amount, Conversation, Diff, Endpoint, List, Measure, Port, Protocol, Row, Side, Verdict,
    Verdicts,
};
use crate::report::Time;
use crate::units;

/// Room for the bytes beside the rates.
const WIDE: usize = 100;

pub fn write_diff(diff: &Diff, options: &Options, mut to: impl Write) -> io::Result<()> {
    to.write_all(render_diff(diff, options).as_bytes())
}

pub fn render_diff(diff: &Diff, options: &Options) -> String {
    let mut page = Page {
        text: String::new(),
        width: options.width.max(MIN_WIDTH),
        colour: options.colour,
    };
    page.heading("What changed from A to B");
    page.side("A", &diff.a);
    page.side("B", &diff.b);
    page.changed_totals(diff);
    if diff.is_empty() {
        page.text.push('\n');
        page.heading("Nothing differs");
    }
    let layers = &diff.protocols;
    let lists = Lists {
        measure: diff.measure,
        width: page.width,
    };
    let layer = |title, list| (title, lists.of(list, "", |one: &Protocol| plain(&one.name)));
    let all = [
        layer("Network protocols", &layers.network),
        layer("Transport protocols", &layers.transport),
        layer("Applications", &layers.application),
        ("Endpoints", lists.of(&diff.endpoints, "address", endpoint)),
        (
            "Conversations",
            lists.of(&diff.conversations, "a <> b", conversation),
        ),
        ("Server ports", lists.of(&diff.ports, "port", port)),
    ];
    for (title, list) in all {
        if let Some((counts, lines)) = list {
            page.text.push('\n');
            page.heading(&format!("{title}: {counts}"));
            for line in lines {
                page.line(&line);
            }
        }
    }
    page.note_list(&diff.notes);
    page.text
}

impl Page {
    fn side(&mut self, name: &str, side: &Side) {
        let mut from: Vec<&str> = side.interfaces.iter().map(String::as_str).collect();
        from.extend(side.files.iter().map(String::as_str));
        let most = 4;
        let more = match from.len().saturating_sub(most) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        from.truncate(most);
        let line = format!(
            "{} ({}): {}{more}",
            side.hostname,
            side.backend,
            from.join(", ")
        );
        self.item(name, &line);
        self.item("", &time(side));
        if let Some(filter) = &side.filter {
            self.item("", &format!("filter: {filter}"));
        }
    }

    fn changed_totals(&mut self, diff: &Diff) {
        self.text.push('\n');
        let right = Align::Right;
        let titles = [
            ("Totals", Align::Left),
            ("A", right),
            ("B", right),
            ("change", right),
            ("", right),
        ];
        let mut table = Table::new(&titles);
        let row = &diff.totals;
        let cells = vec![
            amount(&row.a, diff.measure),
            amount(&row.b, diff.measure),
            change(row, diff.measure),
            told(row.verdict, row.factor),
        ];
        let name = match diff.measure {
            Measure::BitsPerSec => "mean rate",
            Measure::Bytes => "bytes",
        };
        table.row(vec![name.to_owned()], cells);
        if diff.measure == Measure::BitsPerSec {
            let bytes = |amount: &Amount| units::bytes(amount.bytes);
            let cells = vec![bytes(&row.a), bytes(&row.b), String::new(), String::new()];
            table.row(vec!["bytes".to_owned()], cells);
        }
        let rates = (diff.a.packets_per_sec, diff.b.packets_per_sec);
        if let (Some(a), Some(b)) = rates {
            let sign = if b < a { "-" } else { "+" };
            let factor = Some(b / a).filter(|factor| factor.is_finite());
            let cells = vec![
                units::packets_per_sec(a),
                units::packets_per_sec(b),
                format!("{sign}{}", units::packets_per_sec((b - a).abs())),
                factor.map(times).unwrap_or_default(),
            ];
            table.row(vec!["packet rate".to_owned()], cells);
        }
        let packets = |amount: &Amount| units::count(amount.packets);
        let cells = vec![
            packets(&row.a),
            packets(&row.b),
            String::new(),
            String::new(),
        ];
        table.row(vec!["packets".to_owned()], cells);
        let lines = table.lines(self.width);
        self.table(lines);
    }
}

/// How lists are shown.
struct Lists {
    measure: Measure,
    width: usize,
}

impl Lists {
    /// What is counted in the heading, and the table; `None` where nothing differs.
    fn of<K>(
        &self,
        list: &List<K>,
        title: &str,
        name: impl Fn(&K) -> (Vec<String>, Aside),
    ) -> Option<(String, Vec<String>)> {
        if list.total == 0 {
            return None;
        }
        let right = Align::Right;
        let mut titles = vec![
            (title, Align::Left),
            ("A", right),
            ("B", right),
            ("change", right),
            ("", right),
        ];
        let wide = self.width >= WIDE && self.measure == Measure::BitsPerSec;
        if wide {
            titles.extend([("A bytes", right), ("B bytes", right)]);
        }
        let mut table = Table::new(&titles);
        for row in &list.rows {
            let mut cells = vec![
                amount(&row.a, self.measure),
                amount(&row.b, self.measure),
                change(row, self.measure),
                told(row.verdict, row.factor),
            ];
            if wide {
                cells.extend([&row.a, &row.b].map(|one| amount(one, Measure::Bytes)));
            }
            let (first, aside) = name(&row.key);
            table.row_with(first, cells, aside);
        }
        let mut lines = table.lines(self.width);
        let more = list.total.saturating_sub(list.rows.len() as u64);
        if more > 0 {
            lines.push(format!("  and {} more", units::count(more)));
        }
        Some((verdicts(&list.verdicts), lines))
    }
}

fn plain(name: &str) -> (Vec<String>, Aside) {
    (vec![format!("{:<16}", escape(name))], Aside::default())
}

fn endpoint(one: &Endpoint) -> (Vec<String>, Aside) {
    (vec![one.addr.to_string()], names::of_one(&one.names))
}

fn conversation(one: &Conversation) -> (Vec<String>, Aside) {
    let ends = vec![one.a.to_string(), format!("<> {}", one.b)];
    (ends, names::of_two(&one.a_names, &one.b_names))
}

fn port(one: &Port) -> (Vec<String>, Aside) {
    let service = match &one.service {
        Some(service) => format!(" ({})", escape(service)),
        None => String::new(),
    };
    let name = format!("{}/{}{service}", escape(&one.transport), one.port);
    (vec![name], Aside::default())
}

/// `2 new, 1 gone, 5 grew`; what there is none of is not said.
fn verdicts(verdicts: &Verdicts) -> String {
    let parts = [
        (verdicts.new, "new"),
        (verdicts.gone, "gone"),
        (verdicts.grew, "grew"),
        (verdicts.shrank, "shrank"),
        (verdicts.new_or_grew, "new or grew"),
        (verdicts.gone_or_shrank, "gone or shrank"),
        (verdicts.unknown, "unclear"),
        (verdicts.same, "the same"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| format!("{} {name}", units::count(*number)))
        .collect();
    parts.join(", ")
}

fn amount(amount: &Amount, measure: Measure) -> String {
    let text = |bytes: u64, rate: Option<f64>| match (measure, rate) {
        (Measure::BitsPerSec, Some(rate)) => units::bits_per_sec(rate),
        _ => units::bytes(bytes),
    };
    let least = text(amount.bytes, amount.bits_per_sec);
    match (amount.bytes, amount.bytes_at_most) {
        (0, None) => "-".to_owned(),
        (0, Some(most)) => format!("≤ {}", text(most, amount.bits_per_sec_at_most)),
        (_, None) => least,
        (_, Some(_)) => format!("≥ {least}"),
    }
}

fn change<K>(row: &Row<K>, measure: Measure) -> String {
    let size = row.change.abs();
    let size = match measure {
        Measure::BitsPerSec => units::bits_per_sec(size),
        Measure::Bytes => units::bytes(size as u64),
    };
    match row.verdict {
        Verdict::Same | Verdict::Unknown => String::new(),
        _ if row.change < 0.0 => format!("-{size}"),
        _ => format!("+{size}"),
    }
}

fn told(verdict: Verdict, factor: Option<f64>) -> String {
    match verdict {
        Verdict::New => "new".to_owned(),
        Verdict::Gone => "gone".to_owned(),
        Verdict::NewOrGrew => "not in A's list".to_owned(),
        Verdict::GoneOrShrank => "not in B's list".to_owned(),
        Verdict::Unknown => "unclear".to_owned(),
        Verdict::Same => "same".to_owned(),
        Verdict::Grew | Verdict::Shrank => factor.map(times).unwrap_or_default(),
    }
}

/// `×3.20`
fn times(factor: f64) -> String {
    match factor {
        f if f < 0.005 => "×<0.01".to_owned(),
        f if f < 9.995 => format!("×{f:.2}"),
        f if f < 99.95 => format!("×{f:.1}"),
        f => format!("×{}", units::count(f.round() as u64)),
    }
}

fn time(side: &Side) -> String {
    let (Some(start), Some(end)) = (side.start, side.end) else {
        return "no packet has a time".to_owned();
    };
    let day = |time: Time| time.strftime("%Y-%m-%d");
    let clock = match day(start) == day(end) {
        true => "%H:%M:%S",
        false => "%Y-%m-%d %H:%M:%S",
    };
    format!(
        "{} to {} UTC, {}",
        start.strftime("%Y-%m-%d %H:%M:%S"),
        end.strftime(clock),
        units::duration(side.duration_seconds).replace(' ', &NO_BREAK.to_string())
    )
}
