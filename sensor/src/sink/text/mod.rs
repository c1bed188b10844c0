//! The report for people: aligned plain text, never wider than the terminal.

mod diff;
mod dns;
mod escape;
mod lines;
mod lists;
mod names;
mod processes;
mod spark;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Write};

pub use diff::{render_diff, write_diff};
use escape::escape;
pub(crate) use escape::{tail, width, wrap};
pub(crate) use spark::two_toned_bar;

use self::lines::{
    file_line, interface_line, left_out_line, matched_line, time_line, together, written_line,
};
use self::table::{Align, Table};
use crate::report::{Counts, Report};
use crate::units;

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Columns of the terminal; at least [`MIN_WIDTH`] are used.
    pub width: usize,
    pub colour: bool,
}

pub const MIN_WIDTH: usize = 60;

impl Default for Options {
    fn default() -> Self {
        Options {
            width: 100,
            colour: false,
        }
    }
}

pub fn write(report: &Report, options: &Options, mut to: impl Write) -> io::Result<()> {
    to.write_all(render(report, options).as_bytes())
}

pub fn render(report: &Report, options: &Options) -> String {
    let mut page = Page {
        text: String::new(),
        width: options.width.max(MIN_WIDTH),
        colour: options.colour,
    };
    page.source(report);
    page.totals(report);
    page.accounting(report);
    if report.totals.packets > 0 {
        page.protocols(report);
        page.bandwidth(report);
        page.lists(report);
        page.dns(report);
    }
    page.note_list(&report.notes);
    page.text
}

struct Page {
    text: String,
    width: usize,
    colour: bool,
}

impl Page {
    fn source(&mut self, report: &Report) {
        let who = format!(
            "sensor {} on {}, backend {}",
            report.sensor.version, report.sensor.hostname, report.source.backend
        );
        self.heading(&escape(&who));
        for interface in &report.source.interfaces {
            self.item("interface", &interface_line(interface));
        }
        for one in &report.source.left_out {
            self.item("left out", &left_out_line(one));
        }
        for file in &report.source.files {
            self.item("file", &file_line(file));
        }
        if let Some(filter) = &report.filter {
            self.item("filter", filter);
            self.item("", &matched_line(report));
        }
        self.item("time", &time_line(report));
    }

    fn totals(&mut self, report: &Report) {
        self.text.push('\n');
        let totals = &report.totals;
        let right = Align::Right;
        let mut table = Table::new(&[
            ("Totals", Align::Left),
            ("packets", right),
            ("bytes", right),
            ("mean rate", right),
            ("", right),
        ]);
        let mut row = |name: &str, counts: Counts, packets_rate, bits_rate| {
            let cells = vec![
                units::count(counts.packets),
                units::bytes(counts.bytes),
                bits_rate,
                packets_rate,
            ];
            table.row(vec![name.to_owned()], cells);
        };
        let bandwidth = &report.bandwidth;
        let bits = bandwidth.mean_bits_per_sec.map(units::bits_per_sec);
        let packets = bandwidth.mean_packets_per_sec.map(units::packets_per_sec);
        row(
            "all",
            totals.counts(),
            packets.unwrap_or_default(),
            bits.unwrap_or_else(|| "-".into()),
        );
        let ways = [
            ("ingress", totals.ingress),
            ("egress", totals.egress),
            ("unknown way", totals.unknown_direction),
        ];
        let only_unknown = totals.unknown_direction == totals.counts();
        for (name, counts) in ways {
            if counts != Counts::ZERO && !only_unknown {
                let rate = |number: u64| match report.duration_seconds {
                    seconds if seconds > 0.0 => Some(number as f64 / seconds),
                    _ => None,
                };
                let bits = rate(counts.bytes).map(|rate| units::bits_per_sec(rate * 8.0));
                let packets = rate(counts.packets).map(units::packets_per_sec);
                row(
                    name,
                    counts,
                    packets.unwrap_or_default(),
                    bits.unwrap_or_default(),
                );
            }
        }
        self.table(table.lines(self.width));
    }

    fn accounting(&mut self, report: &Report) {
        let accounting = &report.accounting;
        self.text.push('\n');
        match accounting.identity_holds {
            true => self.heading("Accounting holds"),
            false => self.alarm("Accounting VIOLATED"),
        }
        let malformed: Counts = accounting.malformed.values().copied().sum();
        let mut terms = vec![
            (accounting.in_flows, "in flows"),
            (accounting.overflow, "overflow"),
            (accounting.not_ip, "not IP"),
            (malformed, "malformed"),
        ];
        let filtered = report.filter.is_some() || accounting.filtered != Counts::ZERO;
        if filtered {
            terms.push((accounting.filtered, "filtered"));
        }
        if accounting.duplicates != Counts::ZERO {
            terms.push((accounting.duplicates, "duplicates"));
        }
        let terms: Vec<String> = terms
            .iter()
            .map(|(counts, name)| format!("{} {name}", units::count(counts.packets)))
            .collect();
        let seen = units::count(accounting.seen.packets);
        let identity = format!("seen {seen} packets = {}", together(&terms, " + "));
        self.paragraph(&identity);
        if filtered {
            let Counts { packets, bytes } = accounting.filtered;
            let parts = [units::packets(packets), units::bytes(bytes)];
            self.paragraph(&format!("filtered out: {}", together(&parts, ", ")));
        }
        self.by_name("malformed", &accounting.malformed);
        self.by_name("overflow", &accounting.overflow_by_transport);
        let lost = accounting.lost.iter().filter(|(_, packets)| **packets > 0);
        let lost: Vec<String> = lost
            .map(|(place, packets)| format!("{} at {place}", units::count(*packets)))
            .collect();
        match lost.is_empty() {
            true if report.source.files.is_empty() => self.item("lost", "nothing, says the kernel"),
            true => {}
            false => self.alarm_item("lost", &lost.join(", ")),
        }
        for one in &report.written {
            match one.is_complete() {
                true => self.item("written", &written_line(one)),
                false => self.alarm_item("written", &written_line(one)),
            }
        }
        for one in &accounting.interface_counters {
            let line = format!(
                "{} {}: its own counter says {} packets, counted {}: {}",
                one.interface,
                one.direction,
                units::count(one.packets),
                units::count(one.counted_packets),
                one.verdict
            );
            self.paragraph(&line);
        }
    }

    fn by_name(&mut self, title: &str, counts: &BTreeMap<String, Counts>) {
        let part = |(name, counts): (&String, &Counts)| {
            let (packets, bytes) = (units::count(counts.packets), units::bytes(counts.bytes));
            format!("{name} {packets} ({bytes})")
        };
        let parts: Vec<String> = counts.iter().map(part).collect();
        if !parts.is_empty() {
            self.item(title, &together(&parts, ", "));
        }
    }

    fn protocols(&mut self, report: &Report) {
        self.text.push('\n');
        self.heading("Protocols");
        let layers = [
            ("network", &report.protocols.network),
            ("transport", &report.protocols.transport),
            ("application", &report.protocols.application),
        ];
        for (layer, list) in layers {
            for line in lists::protocols(list, layer, self.width) {
                self.line(&line);
            }
        }
        if let Some(legend) = names::legend(report) {
            self.paragraph(legend);
        }
    }

    fn bandwidth(&mut self, report: &Report) {
        let bandwidth = &report.bandwidth;
        let Some(peak) = bandwidth.peak_bits_per_sec else {
            return;
        };
        self.text.push('\n');
        let interval = units::duration(report.interval_seconds);
        self.heading(&format!("Bandwidth by intervals of {interval}"));
        let when = bandwidth
            .peak_start
            .map(|time| format!(" at {}", report.clock(time)));
        let peak = units::bits_per_sec(peak);
        let mut parts = vec![format!("peak {peak}{}", when.unwrap_or_default())];
        let ranks = [
            ("p99", bandwidth.p99_bits_per_sec),
            ("p95", bandwidth.p95_bits_per_sec),
            ("p50", bandwidth.p50_bits_per_sec),
            ("mean", bandwidth.mean_bits_per_sec),
        ];
        for (name, rate) in ranks {
            parts.extend(rate.map(|rate| format!("{name} {}", units::bits_per_sec(rate))));
        }
        self.paragraph(&together(&parts, ", "));
        let line = spark::sparkline(report, self.width - 2);
        self.line(&format!("  {line}"));
    }

    fn lists(&mut self, report: &Report) {
        let lists = [
            ("Top talkers", lists::endpoints(report, self.width)),
            ("Conversations", lists::conversations(report, self.width)),
            ("Flows", lists::flows(report, self.width)),
        ];
        for (title, lines) in lists {
            self.text.push('\n');
            self.heading(title);
            for line in lines {
                self.line(&line);
            }
        }
        self.processes(report);
    }

    fn note_list(&mut self, notes: &[String]) {
        if notes.is_empty() {
            return;
        }
        self.text.push('\n');
        self.heading("Notes");
        for note in notes {
            self.paragraph(note);
        }
    }

    /// The first line is a heading.
    fn table(&mut self, lines: Vec<String>) {
        for (place, line) in lines.iter().enumerate() {
            match place {
                // The heading stands out by two columns, its titles stay above theirs.
                0 => {
                    let line = line.trim_start();
                    let (title, rest) = line.split_once(' ').unwrap_or((line, ""));
                    self.heading(&format!("{title}   {rest}"));
                }
                _ => self.line(line),
            }
        }
    }

    fn item(&mut self, name: &str, text: &str) {
        self.hanging(name, text, "");
    }

    fn alarm_item(&mut self, name: &str, text: &str) {
        self.hanging(name, text, RED);
    }

    fn hanging(&mut self, name: &str, text: &str, style: &str) {
        const INDENT: usize = 13;
        for (place, part) in wrap(&escape(text), self.width - INDENT).iter().enumerate() {
            let name = if place == 0 { name } else { "" };
            let part = part.replace(NO_BREAK, " ");
            self.styled(&format!("  {name:<9}  {part}"), style);
        }
    }

    fn paragraph(&mut self, text: &str) {
        for (place, part) in wrap(&escape(text), self.width - 4).iter().enumerate() {
            let indent = if place == 0 { "  " } else { "    " };
            self.line(&format!("{indent}{}", part.replace(NO_BREAK, " ")));
        }
    }

    fn heading(&mut self, text: &str) {
        for part in wrap(text, self.width) {
            self.styled(&part, BOLD);
        }
    }

    fn alarm(&mut self, text: &str) {
        self.styled(text, RED);
    }

    fn line(&mut self, text: &str) {
        self.styled(text, "");
    }

    fn styled(&mut self, text: &str, style: &str) {
        // What was written before may have been written by anybody: nothing gets past here.
        let text = escape(text.trim_end());
        match self.colour && !style.is_empty() {
            true => self.text.push_str(&format!("{style}{text}{RESET}\n")),
            false => self.text.push_str(&format!("{text}\n")),
        }
    }
}

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const RESET: &str = "\x1b[0m";

/// Keeps a number and its unit on one line; printed as a blank.
const NO_BREAK: char = '\u{a0}';
