//! Figures that stay near committed ones: counts of instructions, which no load on the machine changes.
//!
//! `cargo xtask guard --bless` writes tests/baseline.json anew.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};

type Figures = BTreeMap<String, u64>;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/baseline.json");
/// Set by `cargo xtask guard --bless`.
const BLESS: &str = "XTASK_BLESS";

/// What came of one figure; the text says what to do.
pub(crate) enum Held {
    Near(String),
    /// Nobody has blessed this compiler or kernel yet.
    Unknown(String),
    Far(String),
}

/// Holds a figure within some percent of the committed one, or commits it when that is asked for.
pub(crate) fn hold(name: &str, measured: u64, percent: u64) -> Held {
    let mut file = File::options().read(true).write(true).open(PATH).unwrap();
    file.lock().unwrap(); // tests run side by side
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    let mut figures: Figures = serde_json::from_str(&text).unwrap();
    if std::env::var_os(BLESS).is_some() {
        figures.insert(name.to_owned(), measured);
        let text = serde_json::to_string_pretty(&figures).unwrap() + "\n";
        file.set_len(0).unwrap();
        file.rewind().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        return Held::Near(format!("{name}: {measured}, blessed"));
    }
    compare(name, measured, figures.get(name).copied(), percent)
}

fn compare(name: &str, measured: u64, committed: Option<u64>, percent: u64) -> Held {
    const HOW: &str =
        "if that is meant to be, `cargo xtask guard --bless` and commit tests/baseline.json";
    let Some(committed) = committed else {
        return Held::Unknown(format!(
            "no baseline for {name}, which is {measured}: {HOW}"
        ));
    };
    let change = (measured as f64 / committed.max(1) as f64 - 1.0) * 100.0;
    let said = format!("{name}: {measured}, {change:+.1} % of {committed}");
    if measured.abs_diff(committed) * 100 <= committed * percent {
        Held::Near(said)
    } else {
        Held::Far(format!("{said}, and {percent} % are allowed: {HOW}"))
    }
}

/// Panics where one is too far off, or is unknown though CI is to know it.
pub(crate) fn check(figures: Vec<Held>) {
    let ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    let mut wrong = Vec::new();
    for held in figures {
        match held {
            Held::Near(said) => println!("{said}"),
            Held::Unknown(said) if ci => wrong.push(said),
            Held::Unknown(said) => println!("skipped: {said}"),
            Held::Far(said) => wrong.push(said),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
