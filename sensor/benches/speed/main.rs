//! What `cargo xtask bench` measures: one part of it a call, its figures as JSON into the file that
//! `XTASK_BENCH_OUT` names.
//!
//! Whatever is compared is measured in turn within each round; a ratio is taken within its round. Medians over the
//! rounds, with the least and the greatest beside them.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a program for people who measure"
)]

mod capture;
mod child;
mod figures;
mod files;
mod flood;
mod kernel;
#[path = "../measure.rs"]
mod measure;
mod memory;
mod namespaces;
mod poll;
mod product;
mod system;
mod tap;

use figures::Part;

/// How much is measured.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Effort {
    Full,
    /// Fewer rounds, fewer packets, fewer cases: a few minutes in all.
    Quick,
}

impl Effort {
    /// One of two values.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Effort::Full => full,
            Effort::Quick => quick,
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let effort = match arguments.iter().any(|argument| argument == "--quick") {
        true => Effort::Quick,
        false => Effort::Full,
    };
    if arguments.get(1).is_some_and(|argument| argument == "walk") {
        return files::walk::main(&arguments[2..]);
    }
    let part: Part = match arguments.get(1).map(String::as_str) {
        Some("kernel") => kernel::measure(effort),
        Some("poll") => poll::measure(effort),
        Some("system") => system::measure(effort),
        Some("tap") => tap::measure(effort),
        Some("files") => files::measure(effort),
        Some("memory") => memory::measure(effort),
        other => panic!("{other:?} is no part: run it by cargo xtask bench"),
    };
    let path = std::env::var_os("XTASK_BENCH_OUT").expect("run it by cargo xtask bench");
    std::fs::write(path, serde_json::to_vec_pretty(&part.json()).unwrap()).unwrap();
}
