//! What is wrong with an expression, and where.

use std::fmt;
use std::ops::Range;

use super::ast::Span;
use crate::escape;

/// An error of the language. [`fmt::Display`] shows three parts: the message, the line of the text with `^~~~` under the
/// place, and the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The text that the place is in: the expression, or the named filter or file that it came from.
    pub text: String,
    /// Where the text came from, if not from the command line: `@web`, `filters.txt`.
    pub origin: Option<String>,
    pub span: Span,
    /// What is wrong: `expected a port after 'port', found 'and'`.
    pub message: String,
    /// What to do: `did you mean 'port'?`.
    pub help: Option<String>,
}

impl std::error::Error for FilterError {}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place();
        let excerpt = Excerpt::of(&self.text, &self.span);
        let indent = place.chars().map(escape::width).sum::<usize>() + excerpt.column;
        writeln!(f, "{}", escape::text(&self.message))?;
        writeln!(f, "{place}{}", excerpt.line)?;
        write!(
            f,
            "{}^{}",
            " ".repeat(indent),
            "~".repeat(excerpt.marked - 1)
        )?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {}", escape::text(help)),
            None => Ok(()),
        }
    }
}

impl FilterError {
    /// What stands before the line of text: nothing, `@web: `, `line 2: `.
    fn place(&self) -> String {
        let several = self.text.trim_end().contains('\n');
        let start = self.text.floor_char_boundary(self.span.start);
        let line = self.text[..start].matches('\n').count() + 1;
        match (&self.origin, several) {
            (None, false) => "  ".into(),
            (None, true) => format!("  line {line}: "),
            (Some(origin), false) => format!("  {}: ", escape::text(origin)),
            (Some(origin), true) => format!("  {}, line {line}: ", escape::text(origin)),
        }
    }
}

/// Characters of a message or a help: what was typed may be long.
pub(super) const LONGEST_TEXT: usize = 200;

/// Characters of a word in a message.
pub(super) const LONGEST_WORD: usize = 40;

/// The start of what was typed.
pub(super) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into(),
    }
}

/// Columns of text that are shown at most.
const COLUMNS: usize = 100;
const CUT: &str = "...";

/// One line of the text as a terminal shows it.
struct Excerpt {
    line: String,
    /// Where the marked part starts.
    column: usize,
    /// Columns that are marked, at least one.
    marked: usize,
}

impl Excerpt {
    fn of(text: &str, span: &Range<usize>) -> Self {
        let start = text.floor_char_boundary(span.start);
        let end = text.floor_char_boundary(span.end).max(start);
        let first = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let last = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let before: Vec<Cell> = text[first..start].chars().map(Cell::of).collect();
        let marked: Vec<Cell> = text[start..end.min(last)].chars().map(Cell::of).collect();
        let after: Vec<Cell> = text[end.clamp(start, last)..last]
            .chars()
            .map(Cell::of)
            .collect();

        let mut room = COLUMNS.saturating_sub(cells_width(&marked).min(COLUMNS / 2));
        let left_room = if cells_width(&after) < room / 2 {
            room - cells_width(&after)
        } else {
            room / 2
        };
        let left = before.len() - fitting(before.iter().rev(), left_room);
        room -= cells_width(&before[left..]);
        let middle = fitting(marked.iter(), COLUMNS / 2);
        let right = if middle < marked.len() {
            0
        } else {
            fitting(after.iter(), room)
        };

        let mut line = String::new();
        if left > 0 {
            line.push_str(CUT);
        }
        line.extend(before[left..].iter().map(|cell| cell.shown.as_str()));
        let column = line.chars().map(escape::width).sum();
        line.extend(marked[..middle].iter().map(|cell| cell.shown.as_str()));
        line.extend(after[..right].iter().map(|cell| cell.shown.as_str()));
        if middle < marked.len() || right < after.len() {
            line.push_str(CUT);
        }
        Self {
            line: line.trim_end().into(),
            column,
            marked: cells_width(&marked[..middle]).max(1),
        }
    }
}

/// One character of the text.
struct Cell {
    shown: String,
    width: usize,
}

impl Cell {
    fn of(c: char) -> Self {
        // A tab's width depends on where the terminal puts it.
        let shown = match c {
            '\t' => " ".into(),
            c => escape::text(c.encode_utf8(&mut [0; 4])),
        };
        let width = shown.chars().map(escape::width).sum();
        Self { shown, width }
    }
}

fn cells_width(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| cell.width).sum()
}

/// How many of the first cells have room.
fn fitting<'a>(cells: impl Iterator<Item = &'a Cell>, room: usize) -> usize {
    let mut used = 0;
    cells
        .take_while(|cell| {
            used += cell.width;
            used <= room
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str, span: Range<usize>) -> FilterError {
        FilterError {
            text: text.into(),
            origin: None,
            span,
            message: "wrong".into(),
            help: None,
        }
    }

    #[test]
    fn the_mark_stands_under_the_word() {
        assert_eq!(
            error("tcp prot 80", 4..8).to_string(),
            "wrong\n  tcp prot 80\n      ^~~~"
        );
        assert_eq!(
            error("tcp and", 7..7).to_string(),
            "wrong\n  tcp and\n         ^"
        );
    }

    #[test]
    fn lines_and_origins_are_named() {
        let mut error = error("tcp or\nprot 80\nor udp", 7..11);
        assert_eq!(
            error.to_string(),
            "wrong\n  line 2: prot 80\n          ^~~~"
        );
        error.origin = Some("web.txt".into());
        error.help = Some("so".into());
        assert_eq!(
            error.to_string(),
            "wrong\n  web.txt, line 2: prot 80\n                   ^~~~\nhelp: so"
        );
    }

    #[test]
    fn tabs_wide_and_control_characters_keep_the_mark_in_place() {
        assert_eq!(
            error("\ttcp x", 5..6).to_string(),
            "wrong\n   tcp x\n       ^"
        );
        assert_eq!(
            error("日本 x", 7..8).to_string(),
            "wrong\n  日本 x\n       ^"
        );
        assert_eq!(
            error("\0 x", 2..3).to_string(),
            "wrong\n  \\u{0} x\n        ^"
        );
        assert_eq!(
            error("a\u{301} x", 4..5).to_string(),
            "wrong\n  a\u{301} x\n    ^"
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!("{}here{}", "a ".repeat(500), " b".repeat(500));
        let shown = error(&text, 1000..1004).to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert!(
            lines[1].len() <= 2 + COLUMNS + 2 * CUT.len(),
            "{}",
            lines[1].len()
        );
        assert_eq!(lines[1].find("here"), lines[2].find('^'));
        assert!(lines[1].starts_with("  ...") && lines[1].ends_with("..."));
        let all = error(&text, 0..text.len()).to_string();
        assert!(
            all.lines()
                .all(|line| line.len() < 2 + COLUMNS + 2 * CUT.len())
        );
    }

    #[test]
    fn places_outside_the_text_do_not_panic() {
        let backwards = Range { start: 3, end: 1 };
        for span in [5..9, 1..2, backwards, usize::MAX..usize::MAX] {
            assert!(error("é", span).to_string().contains('^'));
        }
        assert_eq!(error("", 0..0).to_string(), "wrong\n  \n  ^");
    }
}
