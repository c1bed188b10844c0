//! `cargo xtask test`: everything that proves the tree, in one command, with one line at the end.
//!
//! A failed step does not stop the next: a misplaced space must not hide a failing test.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::build_ebpf::{self, Comparison};
use crate::test_output::{Reader, Totals};
use crate::{cmd, gallery, kernels, setup, tidy};

/// Runs all steps, on other kernels too where `kernels` says so and in CI; `args` go to `cargo test`.
pub(crate) fn main(kernels: bool, args: &[String]) -> Result<ExitCode> {
    let begin = Instant::now();
    let mut steps = Steps::default();
    steps.run("set-up", setup::main);
    steps.run("eBPF object", compare_object);
    steps.run("format", || {
        cmd::run(cmd::cargo().args(["fmt", "--all", "--check"]))
    });
    steps.run("clippy", clippy);
    steps.run("tidy", tidy::main);
    let mut totals = Totals::default();
    steps.run("tests", || {
        let (counted, outcome) = run_tests(args)?;
        totals = counted;
        outcome
    });
    if kernels || cmd::is_ci() {
        steps.run("kernels", || {
            let (counted, outcome) = kernels::step()?;
            totals += counted;
            outcome
        });
    }
    steps.run("gallery", gallery::compare);
    println!("\nall steps: {:.0} s", begin.elapsed().as_secs_f64());
    Ok(steps.close(totals))
}

/// Which steps failed.
#[derive(Default)]
struct Steps {
    failed: Vec<&'static str>,
}

impl Steps {
    fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) {
        println!("\n==> {name}");
        let begin = Instant::now();
        let outcome = step();
        let seconds = begin.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => println!("<== {name}: ok, {seconds:.1} s"),
            Err(error) => {
                println!("<== {name}: FAILED, {seconds:.1} s: {error:#}");
                self.failed.push(name);
            }
        }
    }

    /// Prints the last lines. A failed step other than a failed test counts as one failure, so that the numbers
    /// and the exit code never disagree.
    fn close(&self, mut totals: Totals) -> ExitCode {
        let failed_tests = totals.failed;
        totals.failed += self
            .failed
            .iter()
            .filter(|step| **step != "tests" || failed_tests == 0)
            .count();
        if !self.failed.is_empty() {
            println!("failed: {}", self.failed.join(", "));
        }
        println!("{totals}");
        if totals.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Where the tools cannot be had, the committed object is what is tested, and that is said; in CI it is a failure.
fn compare_object() -> Result<()> {
    match build_ebpf::compare()? {
        Comparison::Same => Ok(()),
        Comparison::NotRebuilt(why) if cmd::is_ci() => bail!("eBPF object NOT rebuilt: {why}"),
        Comparison::NotRebuilt(why) => {
            println!("eBPF object NOT rebuilt: {why}");
            Ok(())
        }
    }
}

fn clippy() -> Result<()> {
    cmd::run(cmd::cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}

/// Runs `cargo test`, passing its output on as it comes.
fn run_tests(args: &[String]) -> Result<(Totals, Result<()>)> {
    let mut child = test_command(args)
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start cargo test")?;
    let stdout = child.stdout.take().context("cargo test has no stdout")?;
    let mut reader = Reader::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.context("could not read the output of cargo test")?;
        let line = String::from_utf8_lossy(&line);
        if reader.line(&line) {
            println!("{line}");
        }
    }
    let status = child.wait().context("could not wait for cargo test")?;
    for skip in &reader.skips {
        println!("skipped: {}: {}", skip.test, skip.reason);
    }
    let outcome = if status.success() {
        Ok(())
    } else {
        Err(anyhow::anyhow!("cargo test failed ({status})"))
    };
    Ok((reader.totals(), outcome))
}

/// `--show-output` prints what passed tests said, which is where a test says that it was skipped.
fn test_command(args: &[String]) -> Command {
    let split = args
        .iter()
        .position(|arg| arg == "--")
        .unwrap_or(args.len());
    let (for_cargo, rest) = args.split_at(split);
    let mut cargo = cmd::cargo();
    cargo.args(["test", "--no-fail-fast", "--locked"]);
    if !for_cargo
        .iter()
        .any(|arg| arg.starts_with("-p") || arg.starts_with("--package"))
    {
        cargo.arg("--workspace");
    }
    cargo
        .args(for_cargo)
        .args(["--", "--show-output"])
        .args(rest.iter().skip(1));
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(args: &[&str]) -> Vec<String> {
        let args: Vec<_> = args.iter().map(|&arg| arg.to_owned()).collect();
        test_command(&args)
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn args_before_the_dashes_go_to_cargo_and_those_after_to_the_tests() {
        let all = [
            "test",
            "--no-fail-fast",
            "--locked",
            "--workspace",
            "--",
            "--show-output",
        ];
        assert_eq!(words(&[]), all);
        assert_eq!(
            words(&["parse", "--", "--test-threads=1"])[4..],
            ["parse", "--", "--show-output", "--test-threads=1"]
        );
    }

    #[test]
    fn a_chosen_package_replaces_the_workspace() {
        assert!(!words(&["-p", "sensor-common"]).contains(&"--workspace".to_owned()));
    }

    #[test]
    fn a_failed_step_makes_the_run_fail_even_if_all_tests_passed() {
        let steps = Steps {
            failed: vec!["clippy"],
        };
        let code = steps.close(Totals {
            passed: 3,
            ..Totals::default()
        });
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
    }

    #[test]
    fn no_failure_is_success() {
        let code = Steps::default().close(Totals {
            passed: 3,
            ..Totals::default()
        });
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
    }
}
