//! Aligned columns without boxes. The first is as wide as there is room; a cell that is wider still stands alone on the
//! lines above its row's numbers, so that a long address is neither cut nor breaks the alignment.

use super::escape::width;

const INDENT: usize = 2;
const GAP: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

pub(super) struct Table {
    titles: Vec<(String, Align)>,
    rows: Vec<Row>,
}

struct Row {
    /// May be broken between any two of them.
    first: Vec<String>,
    rest: Vec<String>,
}

impl Table {
    /// Titles of the columns; the first is left-aligned whatever is said.
    pub(super) fn new(titles: &[(&str, Align)]) -> Self {
        Table {
            titles: titles
                .iter()
                .map(|(title, align)| ((*title).to_owned(), *align))
                .collect(),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, first: Vec<String>, rest: Vec<String>) {
        self.rows.push(Row { first, rest });
    }

    /// The title line first; no line is wider than `limit`, as long as the columns behind the first leave it room.
    pub(super) fn lines(&self, limit: usize) -> Vec<String> {
        let rest: Vec<usize> = (1..self.titles.len())
            .map(|column| self.rest_width(column))
            .collect();
        let taken: usize = INDENT + rest.iter().map(|width| width + GAP).sum::<usize>();
        let first = self.first_width(limit.saturating_sub(taken));
        let titles = self.titles[1..].iter().map(|(title, _)| title);
        let mut lines = vec![self.line(&self.titles[0].0, first, titles, &rest)];
        for row in &self.rows {
            let mut cell = broken(&row.first, first);
            let last = cell.pop().unwrap_or_default();
            lines.extend(cell.iter().map(|part| format!("{:INDENT$}{part}", "")));
            lines.push(self.line(&last, first, row.rest.iter(), &rest));
        }
        lines
    }

    fn rest_width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| width(&row.rest[column - 1]));
        cells.fold(width(&self.titles[column].0), usize::max)
    }

    /// As wide as the widest cell that has room on one line.
    fn first_width(&self, room: usize) -> usize {
        let cells = self.rows.iter().flat_map(|row| broken(&row.first, room));
        let widths = cells.map(|part| width(&part)).filter(|wide| *wide <= room);
        widths.fold(width(&self.titles[0].0), usize::max)
    }

    fn line<'a>(
        &self,
        first: &str,
        first_width: usize,
        rest: impl Iterator<Item = &'a String>,
        widths: &[usize],
    ) -> String {
        let mut line = " ".repeat(INDENT);
        pad(&mut line, first, first_width, Align::Left);
        for ((cell, wide), (_, align)) in rest.zip(widths).zip(&self.titles[1..]) {
            line.push_str(&" ".repeat(GAP));
            pad(&mut line, cell, *wide, *align);
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// The parts on one line if there is room, else on a line each, those after the first indented; an empty line follows
/// if the last one has no room beside the numbers.
fn broken(parts: &[String], room: usize) -> Vec<String> {
    let whole = parts.join(" ");
    if width(&whole) <= room {
        return vec![whole];
    }
    let mut lines: Vec<String> = parts
        .iter()
        .enumerate()
        .map(|(place, part)| {
            if place == 0 {
                part.clone()
            } else {
                format!("  {part}")
            }
        })
        .collect();
    if lines.last().is_some_and(|last| width(last) > room) {
        lines.push(String::new());
    }
    lines
}

fn pad(line: &mut String, cell: &str, wide: usize, align: Align) {
    let blanks = " ".repeat(wide.saturating_sub(width(cell)));
    match align {
        Align::Left => {
            line.push_str(cell);
            line.push_str(&blanks);
        }
        Align::Right => {
            line.push_str(&blanks);
            line.push_str(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_cell_stands_above_its_numbers() {
        let mut table = Table::new(&[("address", Align::Left), ("bytes", Align::Right)]);
        let parts = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect();
        table.row(parts(&["short", "> s"]), vec!["1 B".into()]);
        table.row(parts(&["long-long-long", "> short"]), vec!["22 B".into()]);
        table.row(parts(&["a", "> long-long-long-long"]), vec!["3 B".into()]);
        let expected = [
            "  address         bytes",
            "  short > s         1 B",
            "  long-long-long",
            "    > short        22 B",
            "  a",
            "    > long-long-long-long",
            "                    3 B",
        ];
        assert_eq!(table.lines(24), expected);
        let wide = table.lines(60);
        assert_eq!(wide.len(), 4);
        assert_eq!(wide[3], "  a > long-long-long-long    3 B");
    }
}
