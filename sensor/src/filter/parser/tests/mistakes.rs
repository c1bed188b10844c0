//! Plausible mistakes and the whole text of what is said to them, for reading aloud.
//!
//! `mistakes.txt` has one mistake a paragraph: `$ what was typed` (`\n`, `\t`, `\0` escaped), then the error. With
//! `UPDATE_MISTAKES=1` the test writes what it sees instead.

use std::fmt::Write as _;

use super::{Shelf, check_place};
use crate::filter::lower;
use crate::filter::parser::parse;

const TABLE: &str = include_str!("mistakes.txt");

#[test]
fn every_mistake_gets_a_kind_answer() {
    let mut seen = String::new();
    let mut count = 0;
    for paragraph in TABLE
        .split("\n\n")
        .filter(|paragraph| paragraph.starts_with("$ "))
    {
        let typed = paragraph
            .lines()
            .next()
            .unwrap_or("")
            .trim_start_matches("$ ");
        let text = typed
            .replace("\\n", "\n")
            .replace("\\t", "\t")
            .replace("\\0", "\0");
        let answer = match parse(&text, &Shelf) {
            Err(error) => {
                check_place(&error);
                check_advice(typed, error.help.as_deref().unwrap_or(""));
                error.to_string()
            }
            Ok(_) => "accepted".into(),
        };
        let _ = write!(seen, "$ {typed}\n{answer}\n\n");
        count += 1;
    }
    if std::env::var_os("UPDATE_MISTAKES").is_some() {
        std::fs::write(
            concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/src/filter/parser/tests/mistakes.txt"
            ),
            &seen,
        )
        .unwrap();
        return;
    }
    assert!(count >= 50);
    assert_eq!(
        seen.matches("\nhelp: ").count(),
        count,
        "every answer says what to do"
    );
    for (seen, expected) in seen.split("\n\n").zip(TABLE.split("\n\n")) {
        assert_eq!(seen, expected);
    }
    assert_eq!(seen, TABLE);
}

/// Whoever does as the help says must not be told that this is wrong, too.
fn check_advice(typed: &str, help: &str) {
    assert!(
        !help.starts_with("'host', 'net'"),
        "{typed}: nothing better than general advice"
    );
    let Some(written) = help.strip_prefix("write '") else {
        return;
    };
    let (written, _) = written.split_once('\'').unwrap();
    if !written.contains(" in file ") {
        let understood = parse(written, &Shelf).and_then(|expr| lower(&expr, written, &Shelf));
        assert!(understood.is_ok(), "{typed}: {help}");
    }
}
