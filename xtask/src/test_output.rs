//! Reads what `cargo test -- --show-output` prints: the totals, and which tests skipped themselves.
//!
//! libtest has no "skipped": a test that finds no root or no tool prints `skipped: <reason>` and passes. Counting
//! such a test as passed would be a lie, so its captured output is read, and it is counted apart.

use std::fmt;
use std::ops::AddAssign;

/// A test that did not test anything, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Skip {
    pub(crate) test: String,
    pub(crate) reason: String,
}

/// Sums over all test binaries, from their `test result:` lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// Fed line by line, says of each line whether a person wants to see it.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    section: Section,
    results: Counts,
    /// The test whose captured output is being read.
    test: Option<String>,
    pub(crate) skips: Vec<Skip>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Section {
    #[default]
    Running,
    /// The captured output of passed tests, which `--show-output` prints; not shown again.
    Successes,
    Failures,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Reader {
    /// Takes one line of stdout; true where it should be printed.
    pub(crate) fn line(&mut self, line: &str) -> bool {
        if let Some(counts) = parse_result(line) {
            self.results.passed += counts.passed;
            self.results.failed += counts.failed;
            self.results.ignored += counts.ignored;
            self.enter(Section::Running);
            return true;
        }
        match line {
            "successes:" => self.enter(Section::Successes),
            "failures:" => self.enter(Section::Failures),
            _ => self.content(line),
        }
        self.section != Section::Successes
    }

    /// The sums so far. A test that skipped itself is not counted as passed.
    pub(crate) fn totals(&self) -> Totals {
        Totals {
            passed: self.results.passed.saturating_sub(self.skips.len()),
            failed: self.results.failed,
            skipped: self.results.ignored + self.skips.len(),
        }
    }

    fn enter(&mut self, section: Section) {
        self.section = section;
        self.test = None;
    }

    fn content(&mut self, line: &str) {
        if let Some(name) = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            self.test = Some(name.to_owned());
        } else if let Some(reason) = line.trim_start().strip_prefix("skipped:") {
            self.skip(reason.trim());
        }
    }

    /// One test is skipped once, however often it says so; a failed test is failed whatever else it says.
    fn skip(&mut self, reason: &str) {
        let test = match self.section {
            Section::Failures => return,
            Section::Successes => match &self.test {
                Some(test) if self.skips.last().is_none_or(|last| last.test != *test) => {
                    test.clone()
                }
                _ => return,
            },
            // Only with --nocapture, where the name of the test is not to be had.
            Section::Running => "a test".to_owned(),
        };
        self.skips.push(Skip {
            test,
            reason: reason.to_owned(),
        });
    }
}

/// `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s`
fn parse_result(line: &str) -> Option<Counts> {
    let (_, list) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = Counts::default();
    for item in list.split("; ") {
        let (number, word) = item.split_once(' ')?;
        match word {
            "passed" => counts.passed = number.parse().ok()?,
            "failed" => counts.failed = number.parse().ok()?,
            "ignored" => counts.ignored = number.parse().ok()?,
            _ => {}
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
running 4 tests
test a::works ... ok
test a::needs_root ... ok
test a::says_it_twice ... ok
test a::slow ... ignored, takes a minute

successes:

---- a::needs_root stdout ----
skipped: not root

---- a::says_it_twice stdout ----
looking
  skipped: no tshark
skipped: no tcpdump


successes:
    a::needs_root
    a::says_it_twice
    a::works

test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.10s


running 2 tests
test b ... FAILED
test c ... ok

successes:

---- c stdout ----
noise

failures:

---- b stdout ----
skipped: a part
thread 'b' panicked


failures:
    b

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    fn read(output: &str) -> (Reader, Vec<&str>) {
        let mut reader = Reader::default();
        let shown = output.lines().filter(|line| reader.line(line)).collect();
        (reader, shown)
    }

    #[test]
    fn totals_come_from_all_result_lines_less_the_skipped() {
        let (reader, _) = read(OUTPUT);
        assert_eq!(
            reader.totals(),
            Totals {
                passed: 2,
                failed: 1,
                skipped: 3
            }
        );
        assert_eq!(reader.totals().to_string(), "2 passed, 1 failed, 3 skipped");
    }

    #[test]
    fn a_skipped_test_is_named_once_with_its_first_reason() {
        let (reader, _) = read(OUTPUT);
        let skips: Vec<_> = reader
            .skips
            .iter()
            .map(|s| (s.test.as_str(), s.reason.as_str()))
            .collect();
        assert_eq!(
            skips,
            [
                ("a::needs_root", "not root"),
                ("a::says_it_twice", "no tshark")
            ]
        );
    }

    #[test]
    fn output_of_passed_tests_is_not_shown_and_that_of_failed_ones_is() {
        let (_, shown) = read(OUTPUT);
        assert!(!shown.contains(&"noise") && !shown.contains(&"looking"));
        assert!(shown.contains(&"thread 'b' panicked") && shown.contains(&"test a::works ... ok"));
        assert_eq!(
            shown
                .iter()
                .filter(|line| line.starts_with("test result:"))
                .count(),
            2
        );
    }

    #[test]
    fn with_nocapture_skips_are_still_counted() {
        let (reader, _) = read(
            "skipped: not root\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n",
        );
        assert_eq!(
            reader.totals(),
            Totals {
                passed: 0,
                failed: 0,
                skipped: 1
            }
        );
    }

    #[test]
    fn lines_that_only_look_like_results_count_nothing() {
        for line in [
            "test result: ",
            "test result: ok",
            "test result: ok. x passed; 0 failed",
            "test a ... ok",
            "",
        ] {
            assert_eq!(parse_result(line), None, "{line}");
        }
    }
}
