//! Any text ends in an expression or an error, soon, and on a small stack.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Shelf, check_place};
use crate::filter::ast::{Expr, MAX_DEPTH};
use crate::filter::library::Library;
use crate::filter::parser::{MAX_TEXT, parse};

const SMALL_STACK: usize = 2 << 20;

fn on_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(SMALL_STACK)
        .spawn(test);
    assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
}

#[test]
fn monsters_are_refused_quickly() {
    on_small_stack(|| {
        let monsters = [
            "(".repeat(100_000),
            "(".repeat(60_000),
            "not ".repeat(16_000),
            "!".repeat(60_000),
            "-".repeat(60_000),
            format!("{}1 = 1", "-".repeat(200)),
            format!("{}1 = 1", "1 % ".repeat(10_000)),
            format!("{}1 = 1", "1+".repeat(30_000)),
            "ip[".repeat(20_000),
            "port (".repeat(10_000),
            "tcp and udp or ".repeat(4_000),
            "{".repeat(60_000),
            "interface in {".repeat(4_000),
            "a:".repeat(30_000),
            "\0".repeat(60_000),
            "🦀 ".repeat(12_000),
            "port port80 ".repeat(5_000),
            "x".repeat(60_000),
            "9".repeat(60_000),
            "\\".repeat(60_000),
            "@a ".repeat(20_000),
        ];
        for monster in monsters {
            let start = Instant::now();
            let error = parse(&monster, &Shelf).map(|expr| depth(&expr));
            if let Err(error) = &error {
                check_place(error);
                assert!(error.to_string().len() < 2_000);
            }
            // Milliseconds in a release; the bound is for a busy machine in a debug build.
            assert!(
                start.elapsed() < Duration::from_secs(2),
                "{:.20}: {:?}",
                monster,
                start.elapsed()
            );
            assert!(error.is_err() || monster.starts_with('x'), "{monster:.20}");
        }
    });
}

#[test]
fn what_is_let_through_is_safe_to_walk() {
    on_small_stack(|| {
        for (text, deepest) in [
            (
                format!("tcp{}", " and udp or tcp".repeat(MAX_DEPTH / 2 - 1)),
                MAX_DEPTH - 1,
            ),
            (format!("{}tcp{}", "(".repeat(64), ")".repeat(64)), 1),
            (format!("{}tcp", "not ".repeat(64)), 65),
            (format!("{}1{} = 1", "(".repeat(60), ")".repeat(60)), 2),
            (format!("tcp{}", " or tcp".repeat(9_000)), 2),
        ] {
            let expr = parse(&text, &Shelf);
            assert!(expr.is_ok(), "{:?}", expr.err().map(|error| error.message));
            let Ok(expr) = expr else { continue };
            assert_eq!(depth(&expr), deepest, "{text:.30}");
            assert_eq!(expr.clone(), expr);
            assert!(!format!("{expr:?}").is_empty());
        }
    });
}

/// Levels, without those of arithmetic but the first.
fn depth(expr: &Expr) -> usize {
    match expr {
        Expr::Not(inner, _) | Expr::Named { expr: inner, .. } => 1 + depth(inner),
        Expr::And(parts) | Expr::Or(parts) => 1 + parts.iter().map(depth).max().unwrap_or(0),
        Expr::Relation(_) => 2,
        Expr::Everything | Expr::Primitive(_) | Expr::Measure { .. } => 1,
    }
}

#[test]
fn long_texts_are_refused_by_their_length() {
    let error = parse(&"tcp or ".repeat(MAX_TEXT / 7 + 1), &Shelf).map_err(|error| error.message);
    assert_eq!(
        error,
        Err("the filter has 65541 bytes, at most 65536 are read".into())
    );
}

/// Every filter calls the next one twice.
struct Doubling(Vec<(String, String)>);

impl Library for Doubling {
    fn named(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.as_str())
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn list(&self, path: &str) -> Result<String, String> {
        Err(path.into())
    }
}

#[test]
fn named_filters_can_not_grow_without_end() {
    let filters = (0..40).map(|n| (format!("f{n}"), format!("@f{} or @f{}", n + 1, n + 1)));
    let library = Doubling(filters.chain([("f40".into(), "tcp".into())]).collect());
    let error = parse("@f0", &library).map_err(|error| error.message);
    assert_eq!(
        error.err(),
        Some("the named filters together are too long".into())
    );

    let filters = (0..100).map(|n| (format!("f{n}"), format!("@f{}", n + 1)));
    let error = parse("@f0", &Doubling(filters.collect())).map_err(|error| error.message);
    assert_eq!(error.err(), Some("nested deeper than 64 levels".into()));
}

proptest! {
    #[test]
    fn any_text_is_safe(text in any::<String>()) {
        if let Err(error) = parse(&text, &Shelf) {
            check_place(&error);
        }
    }

    #[test]
    fn any_bytes_are_safe(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = parse(&String::from_utf8_lossy(&bytes), &Shelf) {
            check_place(&error);
        }
    }

    #[test]
    fn any_words_are_safe(words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..20), glue in any::<bool>()) {
        let text = words.join(if glue { "" } else { " " });
        if let Err(error) = parse(&text, &Shelf) {
            check_place(&error);
        }
    }
}

const WORDS: [&str; 66] = [
    "tcp",
    "udp",
    "ip",
    "ether",
    "host",
    "net",
    "port",
    "portrange",
    "proto",
    "src",
    "dst",
    "and",
    "or",
    "not",
    "in",
    "file",
    "mask",
    "vlan",
    "mpls",
    "interface",
    "on",
    "broadcast",
    "greater",
    "less",
    "len",
    "bytes",
    "duration",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "|",
    "^",
    "!",
    "<",
    ">",
    "=",
    "!=",
    "<<",
    "80",
    "0x5",
    "09",
    "10.0.0.1",
    "10",
    "fe80::1",
    "aa:bb:cc:dd:ee:ff",
    "1-5",
    "10M",
    "@web",
    "\\tcp",
    "'",
    "\"",
    "é",
    "\0",
    "dns",
    "tcp.port",
];
