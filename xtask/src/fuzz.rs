//! `cargo xtask fuzz`: lets libFuzzer look for bytes that break what the targets of `tests/fuzz` promise, for some time.
//!
//! Works with the stable compiler: the counters of libFuzzer are a pass of LLVM that needs no sanitizer. The committed
//! corpus is where it starts from; what it learns stays in the target folder, what it finds belongs into the corpus.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cmd;

const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Coverflow-checks";

pub(crate) fn main(target: &str, seconds: u64) -> Result<()> {
    let corpus = cmd::workspace_root().join("tests/fuzz/corpus").join(target);
    if !corpus.is_dir() {
        bail!("there is no fuzz target '{target}': they are the folders of tests/fuzz/corpus");
    }
    if !["c++", "g++", "clang++"]
        .iter()
        .any(|name| cmd::find_program(name).is_some())
    {
        bail!("libFuzzer is C++ and there is no compiler for it: apt-get install g++");
    }
    let folder = cmd::target_dir().join("fuzz");
    let program = build(target, &folder)?;
    let (work, found) = (
        folder.join("corpus").join(target),
        folder.join("found").join(target),
    );
    for folder in [&work, &found] {
        fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
    }
    let words = sow(&corpus, &work)?;
    let dictionary = folder.join(format!("{target}.dict"));
    write(&dictionary, words.as_bytes())?;
    println!("what is found goes to {}", found.display());
    cmd::run(
        cmd::command(program)
            .arg(&work)
            .arg(format!("-dict={}", dictionary.display()))
            .arg(format!("-artifact_prefix={}/", found.display()))
            .arg(format!("-max_total_time={seconds}"))
            .args([
                "-max_len=4096",
                "-timeout=5",
                "-use_value_profile=1",
                "-print_final_stats=1",
            ]),
    )
}

fn build(target: &str, folder: &Path) -> Result<PathBuf> {
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    // A target of its own: build scripts and macros stay without counters.
    cmd::run(
        cmd::cargo()
            .args(["build", "--release", "--locked", "--package", "sensor-fuzz"])
            .args([
                "--features",
                "libfuzzer",
                "--bin",
                target,
                "--target",
                &triple,
            ])
            .env("CARGO_TARGET_DIR", folder)
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("RUSTFLAGS", INSTRUMENTED),
    )?;
    Ok(folder.join(triple).join("release").join(target))
}

/// libFuzzer wants a file for each input; the corpus has lists. Gives the words of the lists as a dictionary.
fn sow(corpus: &Path, work: &Path) -> Result<String> {
    let mut words = BTreeSet::new();
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("could not read {}", path.display()));
    for entry in
        fs::read_dir(corpus).with_context(|| format!("could not read {}", corpus.display()))?
    {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes = read(&path)?;
        if path.extension().is_none_or(|ending| ending != "txt") {
            write(&work.join(&*name), &bytes)?;
            continue;
        }
        for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            write(&work.join(format!("{name}-{number}")), line.as_bytes())?;
            words.extend(line.split_whitespace().filter_map(entry_of));
        }
    }
    Ok(words.into_iter().collect())
}

/// A line of a dictionary, for words that need no escapes.
fn entry_of(word: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    let fits = (2..=24).contains(&word.len()) && word.bytes().all(plain);
    fits.then(|| format!("\"{word}\"\n"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("could not write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_files_and_words() {
        let folder = std::env::temp_dir().join(format!("xtask-fuzz-{}", std::process::id()));
        let (corpus, work) = (folder.join("corpus"), folder.join("work"));
        for folder in [&corpus, &work] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(corpus.join("some.txt"), "port 80\ntcp \"x\" port\n").unwrap();
        fs::write(corpus.join("raw"), [0xff, b'\n', 0]).unwrap();
        let words = sow(&corpus, &work).unwrap();
        assert_eq!(words, "\"80\"\n\"port\"\n\"tcp\"\n");
        assert_eq!(fs::read(work.join("raw")).unwrap(), [0xff, b'\n', 0]);
        assert_eq!(
            fs::read(work.join("some.txt-1")).unwrap(),
            b"tcp \"x\" port"
        );
        fs::remove_dir_all(folder).unwrap();
    }
}
