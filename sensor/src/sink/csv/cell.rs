//! Text as a cell of a spreadsheet.

use std::borrow::Cow;

use crate::escape;

/// What a spreadsheet takes for the beginning of a formula, also in full width.
const FORMULA: [char; 10] = [
    '=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];

/// Text from outside: nothing that a terminal obeys, and nothing that a spreadsheet takes for a formula. That begins with
/// `'`, as OWASP has it; also behind a `;`, where a spreadsheet in some languages begins a cell of its own.
pub(in crate::sink) fn cell(text: &str) -> Cow<'_, str> {
    if text.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 1);
    for (n, part) in text.split(';').enumerate() {
        if n > 0 {
            safe.push(';');
        }
        if part.trim_start_matches([' ', '"']).starts_with(FORMULA) {
            safe.push('\'');
        }
        safe.push_str(&escape::text(part));
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text() {
        for (text, expected) in [
            ("=cmd()", "'=cmd()"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            ("\tx", "'\\u{9}x"),
            ("\rx", "'\\u{d}x"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            (" =1", "' =1"),
            ("a;=1;b", "a;'=1;b"),
            ("a;\"=1", "a;'\"=1"),
            ("a=b", "a=b"),
            ("a;b", "a;b"),
            ("", ""),
            ("a\nb", "a\\u{a}b"),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
