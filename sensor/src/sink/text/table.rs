//! Aligned columns without boxes. The first is as wide as there is room; a cell that is wider still stands alone on the
//! lines above its row's numbers, so that a long address is neither cut nor breaks the alignment. Names stand behind the
//! numbers where there is room for them, else on a line below.

use super::escape::width;
use super::names::Part;

const INDENT: usize = 2;
const GAP: usize = 2;
/// Less room than this beside the numbers is none, for each name.
const ASIDE: usize = 20;
/// Further in than the second part of a first cell.
const BELOW: usize = INDENT + 4;

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
    aside: Aside,
}

/// What stands behind the numbers or below them: parts, each with what leads to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Aside(Vec<(&'static str, Part)>);

impl Aside {
    pub(super) fn part(&mut self, lead: &'static str, part: impl Into<Part>) {
        self.0.push((lead, part.into()));
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn width(&self) -> usize {
        let parts = self.0.iter().map(|(lead, part)| lead.len() + part.width());
        parts.sum::<usize>() + self.gaps()
    }

    fn gaps(&self) -> usize {
        GAP * self.0.len().saturating_sub(1)
    }

    /// The short parts whole, the long ones cut to what is left.
    fn within(&self, limit: usize) -> String {
        let mut by_width: Vec<usize> = (0..self.0.len()).collect();
        by_width.sort_by_key(|place| self.0[*place].1.width());
        let leads: usize = self.0.iter().map(|(lead, _)| lead.len()).sum();
        let mut left = limit.saturating_sub(self.gaps() + leads);
        let mut texts = vec![String::new(); self.0.len()];
        for (done, place) in by_width.into_iter().enumerate() {
            let (lead, part) = &self.0[place];
            let share = left / (self.0.len() - done);
            let text = part.within(share);
            left = left.saturating_sub(width(&text));
            texts[place] = format!("{lead}{text}");
        }
        texts.join(&" ".repeat(GAP))
    }
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
        self.row_with(first, rest, Aside::default());
    }

    pub(super) fn row_with(&mut self, first: Vec<String>, rest: Vec<String>, aside: Aside) {
        self.rows.push(Row { first, rest, aside });
    }

    /// The title line first; no line is wider than `limit`, as long as the columns behind the first leave it room.
    pub(super) fn lines(&self, limit: usize) -> Vec<String> {
        let rest: Vec<usize> = (1..self.titles.len())
            .map(|column| self.rest_width(column))
            .collect();
        let taken: usize = INDENT + rest.iter().map(|width| width + GAP).sum::<usize>();
        let first = self.first_width(limit.saturating_sub(taken));
        let titles = self.titles[1..].iter().map(|(title, _)| title);
        let room = self.aside_room(limit.saturating_sub(taken + first + GAP));
        let used = taken + first;
        let mut lines = vec![self.line(&self.titles[0].0, first, titles, &rest)];
        for row in &self.rows {
            let mut cell = broken(&row.first, first);
            let last = cell.pop().unwrap_or_default();
            lines.extend(cell.iter().map(|part| format!("{:INDENT$}{part}", "")));
            let mut line = self.line(&last, first, row.rest.iter(), &rest);
            match room {
                Some(room) if !row.aside.is_empty() => {
                    pad_to(&mut line, used + GAP);
                    line.push_str(&row.aside.within(room));
                    lines.push(line);
                }
                _ => {
                    lines.push(line);
                    lines.extend(below(&row.aside, limit));
                }
            }
        }
        lines
    }

    /// Columns for what stands behind the numbers; `None` where it has to stand below them.
    fn aside_room(&self, left: usize) -> Option<usize> {
        let asides = self.rows.iter().map(|row| &row.aside);
        let needed = asides.map(|aside| aside.width().min(ASIDE * aside.0.len()));
        (left >= needed.max().unwrap_or(0)).then_some(left)
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

fn below(aside: &Aside, limit: usize) -> Option<String> {
    let text = aside.within(limit.saturating_sub(BELOW));
    (!aside.is_empty()).then(|| format!("{:BELOW$}{text}", ""))
}

fn pad_to(line: &mut String, wide: usize) {
    let blanks = wide.saturating_sub(width(line));
    line.push_str(&" ".repeat(blanks));
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

    #[test]
    fn a_name_stands_behind_the_numbers_or_below() {
        let mut table = Table::new(&[("address", Align::Left), ("bytes", Align::Right)]);
        let mut aside = Aside::default();
        aside.part("", "a-very-long-name.of-a-host.example.com".to_owned());
        aside.part("<> ", "short".to_owned());
        table.row_with(vec!["10.0.0.1".into()], vec!["1 B".into()], aside);
        table.row(vec!["10.0.0.2".into()], vec!["22 B".into()]);
        let wide = [
            "  address   bytes",
            "  10.0.0.1    1 B  a-very-long-name.of-a-host.example.com  <> short",
            "  10.0.0.2   22 B",
        ];
        assert_eq!(table.lines(80), wide);
        assert_eq!(
            table.lines(60)[1],
            "  10.0.0.1    1 B  …ong-name.of-a-host.example.com  <> short"
        );
        let narrow = [
            "  address   bytes",
            "  10.0.0.1    1 B",
            "      …host.example.com  <> short",
            "  10.0.0.2   22 B",
        ];
        assert_eq!(table.lines(33), narrow);
    }
}
