//! The local processes of a report.

use super::Page;
use super::escape::escape;
use super::table::{Align, Table};
use crate::report::{Counts, ProcessRow, Processes, Report};
use crate::units;

use Align::{Left, Right};

impl Page {
    pub(super) fn processes(&mut self, report: &Report) {
        let Some(processes) = &report.processes else {
            return;
        };
        self.text.push('\n');
        self.heading("Processes");
        for line in lines(processes, self.width) {
            self.line(&line);
        }
    }
}

fn lines(processes: &Processes, width: usize) -> Vec<String> {
    let titles = [
        ("process", Left),
        ("sent", Right),
        ("received", Right),
        ("packets", Right),
        ("flows", Right),
    ];
    let mut table = Table::new(&titles);
    for one in &processes.list {
        let cells = vec![
            units::bytes(one.sent.bytes),
            units::bytes(one.received.bytes),
            units::count((one.sent + one.received).packets),
            units::count(one.flows),
        ];
        table.row(who(one), cells);
    }
    let mut lines = match processes.list.is_empty() {
        true => vec!["  none".to_owned()],
        false => table.lines(width),
    };
    let more = processes.total.saturating_sub(processes.list.len() as u64);
    let more = format!("and {} more", units::count(more));
    lines.extend(rest(&more, processes.others));
    lines.extend(rest("of no known process", processes.unknown));
    lines
}

/// `nginx (4711) in nginx.service`.
fn who(row: &ProcessRow) -> Vec<String> {
    let mut name = row.name.as_deref().map_or_else(|| "?".to_owned(), escape);
    if let Some(pid) = row.pid {
        name += &format!(" ({pid})");
    }
    let cgroup = row.cgroup.as_deref().filter(|cgroup| *cgroup != "/");
    let cgroup = cgroup.map(|cgroup| format!("in {}", escape(cgroup)));
    [Some(name), cgroup].into_iter().flatten().collect()
}

fn rest(what: &str, counts: Counts) -> Option<String> {
    (counts != Counts::ZERO).then(|| {
        let packets = units::packets(counts.packets);
        let bytes = units::bytes(counts.bytes);
        format!("  {what}: {packets}, {bytes}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_no_line_is_too_wide() {
        let counts = Counts {
            packets: 9,
            bytes: 4200,
        };
        let row = |name: &str, cgroup: &str| ProcessRow {
            name: Some(name.to_owned()),
            cgroup: Some(cgroup.to_owned()),
            pid: Some(7),
            sent: counts,
            received: counts,
            flows: 2,
        };
        let processes = Processes {
            list: vec![
                row("evil\x1b[2J\n", "a\u{202e}b"),
                row("nginx", "nginx.service"),
                row("x", &"very-long-".repeat(9)),
            ],
            total: 5,
            others: counts,
            unknown: counts,
        };
        let lines = lines(&processes, 100);
        let text = lines.join("\n");
        assert!(
            text.contains("evil\\u{1b}[2J\\u{a} (7) in a\\u{202e}b"),
            "{text}"
        );
        assert!(text.contains("nginx (7) in nginx.service"), "{text}");
        assert!(text.contains("and 2 more: 9 packets"), "{text}");
        assert!(text.contains("of no known process: 9 packets"), "{text}");
        assert!(!text.contains('\x1b'));
    }
}
