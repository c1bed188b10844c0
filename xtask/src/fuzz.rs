//! `cargo xtask fuzz`: lets libFuzzer look for bytes that break what the targets of `tests/fuzz` promise, for some time.
//!
//! Works with the stable compiler: the counters of libFuzzer are a pass of LLVM that needs no sanitizer. The committed
//! corpus is where it starts from; what it learns stays in the target folder, what it finds belongs into the corpus (as a
//! line of a `.hex` file, with a comment that says what it is).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cmd;

const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Coverflow-checks";

/// Longer inputs than these find nothing that shorter ones don't, and take their time.
const LONGEST: usize = 4096;

/// One target, or all of them, one after the other; each for so many seconds.
pub(crate) fn main(target: Option<&str>, seconds: u64) -> Result<()> {
    let corpora = cmd::workspace_root().join("tests/fuzz/corpus");
    let all = targets(&corpora);
    match target {
        None => all.iter().try_for_each(|target| one(target, seconds)),
        Some(target) if all.iter().any(|known| known == target) => one(target, seconds),
        Some(target) => bail!(
            "there is no fuzz target '{target}': there are {}",
            all.join(", ")
        ),
    }
}

fn one(target: &str, seconds: u64) -> Result<()> {
    let corpus = cmd::workspace_root().join("tests/fuzz/corpus").join(target);
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
    let (words, longest) = sow(&corpus, &work)?;
    let mut command = cmd::command(program);
    // An empty dictionary is a mistake to libFuzzer.
    if !words.is_empty() {
        let dictionary = folder.join(format!("{target}.dict"));
        write(&dictionary, words.as_bytes())?;
        command.arg(format!("-dict={}", dictionary.display()));
    }
    println!("what is found goes to {}", found.display());
    cmd::run(
        command
            .arg(&work)
            .arg(format!("-artifact_prefix={}/", found.display()))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={}", longest.max(LONGEST)))
            .args(["-timeout=5", "-use_value_profile=1", "-print_final_stats=1"]),
    )
}

/// The names of the targets: each has a corpus.
fn targets(corpora: &Path) -> Vec<String> {
    let folders = fs::read_dir(corpora).into_iter().flatten();
    let mut names: Vec<String> = folders
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
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

/// libFuzzer wants a file for each input; the corpus has lists. Gives the words of the lists as a dictionary, and the length
/// of the longest input.
fn sow(corpus: &Path, work: &Path) -> Result<(String, usize)> {
    let mut words = BTreeSet::new();
    let mut longest = 0;
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("could not read {}", path.display()));
    for entry in
        fs::read_dir(corpus).with_context(|| format!("could not read {}", corpus.display()))?
    {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes = read(&path)?;
        let ending = path.extension().and_then(|ending| ending.to_str());
        if !matches!(ending, Some("txt" | "hex")) {
            longest = longest.max(bytes.len());
            write(&work.join(&*name), &bytes)?;
            continue;
        }
        for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            let input = match ending {
                Some("hex") => from_hex(line),
                _ => {
                    words.extend(line.split_whitespace().filter_map(entry_of));
                    Some(line.into())
                }
            };
            if let Some(input) = input {
                longest = longest.max(input.len());
                write(&work.join(format!("{name}-{number}")), &input)?;
            }
        }
    }
    Ok((words.into_iter().collect(), longest))
}

/// A line of a `.hex` list, which may also be a comment or empty.
fn from_hex(line: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = line.bytes().filter(|byte| *byte != b' ').collect();
    let pairs = digits.as_chunks::<2>().0;
    let bytes: Option<Vec<u8>> = pairs.iter().map(|pair| byte_of(*pair)).collect();
    bytes.filter(|bytes| !bytes.is_empty())
}

fn byte_of(pair: [u8; 2]) -> Option<u8> {
    u8::from_str_radix(str::from_utf8(&pair).ok()?, 16).ok()
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
        fs::write(corpus.join("made.hex"), "# abc\n00ff 0a\n\n").unwrap();
        let (words, longest) = sow(&corpus, &work).unwrap();
        assert_eq!(words, "\"80\"\n\"port\"\n\"tcp\"\n");
        assert_eq!(longest, b"tcp \"x\" port".len());
        assert_eq!(fs::read(work.join("raw")).unwrap(), [0xff, b'\n', 0]);
        assert_eq!(
            fs::read(work.join("some.txt-1")).unwrap(),
            b"tcp \"x\" port"
        );
        assert_eq!(fs::read(work.join("made.hex-1")).unwrap(), [0, 0xff, 10]);
        assert_eq!(fs::read_dir(&work).unwrap().count(), 4);
        fs::remove_dir_all(folder).unwrap();
    }
}
