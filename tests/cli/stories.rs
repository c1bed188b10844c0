//! The troubleshooting stories of docs/workflows.md are true: every command in them is run on the captures that are kept
//! with the tests, and prints what stands there. `UPDATE=1` writes what it prints today.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::harness::BINARY;
use crate::support::document;
use crate::support::shell::{self, Block};

const PAGE: &str = "docs/workflows.md";
/// A line that stands for any number of lines.
const SHORTENED: &str = "...";
/// Host of all output in documents.
const HOST: &str = "web1";

#[test]
fn every_story_prints_what_it_says() {
    let page = document::read(PAGE);
    let stories = part(&page);
    let blocks = shell::blocks(stories);
    let run = blocks.iter().filter(|block| block.language == "console");
    assert!(run.clone().count() >= 10, "too few commands are run");
    let folder = folder();
    let mut new = stories.to_owned();
    let mut stale = Vec::new();
    for block in run {
        let Some(fresh) = again(block, folder.path()) else {
            continue;
        };
        if fresh != block.text {
            new = new.replace(&block.text, &fresh);
            stale.push(format!("--- line {}\n{fresh}", block.line));
        }
    }
    if stale.is_empty() {
        return;
    }
    assert!(
        std::env::var_os("UPDATE").is_some(),
        "{PAGE} is stale: run this test with UPDATE=1, and read what changed\n{}",
        stale.join("\n")
    );
    document::write(PAGE, &page.replace(stories, &new));
}

/// What can't be run here (live traffic) says so, and is tried by tests/cli/docs.rs as far as it can be typed.
#[test]
fn no_block_is_left_out() {
    let page = document::read(PAGE);
    let stories = part(&page);
    assert!(stories.matches("\n### ").count() >= 8, "too few stories");
    for block in shell::blocks(stories) {
        let runs = block.language == "console" && block.text.starts_with("$ ");
        let live = block.language == "sh live";
        assert!(
            runs || live,
            "{PAGE}: block at line {} of the stories is neither ```console with $ nor ```sh live:\n{}",
            block.line,
            block.text
        );
    }
}

fn part(page: &str) -> &str {
    let start = page.find("<!-- stories -->").unwrap();
    let end = page.find("<!-- /stories -->").unwrap();
    &page[start..end]
}

/// The captures, and `sensor` itself.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/stories");
    for entry in fs::read_dir(kept).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "zst") {
            let name = path.file_name().unwrap();
            symlink(fs::canonicalize(&path).unwrap(), folder.path().join(name)).unwrap();
        }
    }
    fs::create_dir(folder.path().join("bin")).unwrap();
    symlink(BINARY, folder.path().join("bin/sensor")).unwrap();
    folder
}

/// The block with what its commands print today, shortened as it was; `None` where a tool is missing.
fn again(block: &Block, folder: &Path) -> Option<String> {
    let mut fresh = String::new();
    for typed in shell::commands(&block.text) {
        for tool in ["jq", "awk"] {
            if typed.line.contains(&format!("| {tool}")) && !has(tool) {
                println!(
                    "skipped: stories: no {tool}, so `{}` is not run",
                    typed.line
                );
                return None;
            }
        }
        let printed = run(&typed.line, folder);
        fresh.push_str(&format!("$ {}\n", typed.line));
        fresh.push_str(&as_shown(&typed.output, &printed));
    }
    Some(fresh)
}

fn run(line: &str, folder: &Path) -> String {
    let paths = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {line}\n}} 2>&1")])
        .current_dir(folder)
        .env("PATH", format!("{}:{paths}", bin(folder).display()))
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("panicked at"), "{line}\n{text}"); // never blessed
    text.lines().map(|line| normal(line) + "\n").collect()
}

fn bin(folder: &Path) -> PathBuf {
    folder.join("bin")
}

fn has(tool: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {tool}")])
        .output();
    let found = found.unwrap().status.success();
    assert!(
        found || std::env::var_os("CI").is_none(),
        "CI is set and {tool} is missing"
    );
    found
}

/// `sensor 0.1.0 on web1, backend file`, wherever it was run.
fn normal(line: &str) -> String {
    // Of a diff: `  A          web1 (file): before.pcap.zst`.
    if let Some((side, rest)) = line.split_at_checked(13)
        && ["  A", "  B"].contains(&side.trim_end())
        && let Some((_, behind)) = rest.split_once(" (file): ")
    {
        return format!("{side}{HOST} (file): {behind}");
    }
    let Some((before, rest)) = line.split_once(" on ") else {
        return line.to_owned();
    };
    match rest.split_once(", backend ") {
        Some((_, behind)) if before.starts_with("sensor ") => {
            format!("{before} on {HOST}, backend {behind}")
        }
        _ => line.to_owned(),
    }
}

/// What is printed now with the lines left out that were left out before. Where it is not known any more which these are,
/// it is all of it.
fn as_shown(shown: &str, printed: &str) -> String {
    if fits(shown, printed) {
        return shown.to_owned();
    }
    if shown.is_empty() {
        return printed.to_owned();
    }
    let mut rest: Vec<&str> = printed.lines().collect();
    let mut fresh = String::new();
    for line in shown.lines().filter(|line| line.trim() != SHORTENED) {
        let Some(place) = rest.iter().position(|one| words(one) == words(line)) else {
            return printed.to_owned();
        };
        if place > 0 {
            fresh.push_str("  ...\n");
        }
        fresh.push_str(&format!("{}\n", rest[place]));
        rest.drain(..=place);
    }
    if !rest.is_empty() {
        fresh.push_str("  ...\n");
    }
    fresh
}

/// What stays of a line when its numbers change.
fn words(line: &str) -> Vec<&str> {
    let is_word = |word: &&str| word.chars().any(char::is_alphabetic);
    let units = ["B", "kB", "MB", "s", "ms", "µs", "kbit/s", "Mbit/s"];
    line.split_whitespace()
        .filter(is_word)
        .filter(|word| !units.contains(word))
        .collect()
}

/// Whether the lines are those that were printed, but for what was left out.
fn fits(shown: &str, printed: &str) -> bool {
    let shown: Vec<&str> = shown.lines().collect();
    let mut printed: Vec<&str> = printed.lines().collect();
    let mut pieces: Vec<&[&str]> = shown.split(|line| line.trim() == SHORTENED).collect();
    let last = pieces.pop().unwrap();
    if pieces.is_empty() {
        return last == printed;
    }
    for (place, piece) in pieces.into_iter().enumerate() {
        let found = match place {
            0 => printed.starts_with(piece).then_some(0),
            _ if piece.is_empty() => Some(0),
            _ => printed
                .windows(piece.len())
                .position(|window| window == piece),
        };
        let Some(found) = found else {
            return false;
        };
        printed.drain(..found + piece.len());
    }
    printed.ends_with(last)
}

#[test]
fn dots_stand_for_lines_and_nothing_else() {
    let printed = "a\nb\nc\nd\n";
    for good in [
        "a\nb\nc\nd\n",
        "a\n...\nd\n",
        "...\nc\n  ...\n",
        "a\n...\nb\nc\nd\n",
        "...\n",
    ] {
        assert!(fits(good, printed), "{good:?}");
    }
    for bad in [
        "a\nb\nc\n",
        "b\n...\nd\n",
        "a\n...\nc\n",
        "...\nc\nb\n...\n",
        "",
        "a\n...\nx\n...\n",
    ] {
        assert!(!fits(bad, printed), "{bad:?}");
    }
    assert_eq!(
        as_shown("a 1\n...\nd 4\n", "a 2\nb\nd 5\ne\n"),
        "a 2\n  ...\nd 5\n  ...\n"
    );
    assert_eq!(as_shown("x\n", printed), printed);
    assert_eq!(
        normal("  A          x.y (file): b"),
        "  A          web1 (file): b"
    );
    assert_eq!(
        normal("sensor 9 on x.y, backend file"),
        "sensor 9 on web1, backend file"
    );
}
