//! The project's own commands, so that a fresh clone needs cargo and nothing else to remember.
//!
//! One file per task; `cmd` holds what they share. A new task is a variant of [`Task`], a line in
//! [`dispatch`] and a file.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a build tool talks to the person or the CI log in front of it"
)]

mod bench;
mod build_ebpf;
mod cmd;
mod crates;
mod dist;
mod elf;
mod fuzz;
mod gallery;
mod guard;
mod kernels;
mod paths;
mod run;
mod rustc_wrapper;
mod setup;
mod soak;
mod test;
mod test_output;
mod tidy;
mod toolchain;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Commands for building, running and testing sensor
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build sensor and run `sensor run` on this machine's traffic (through sudo where not root)
    Run {
        /// Arguments for `sensor run`, after `--`; they replace the defaults
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Everything that proves the tree: set-up, eBPF object, fmt, clippy, tidy, all tests
    Test {
        /// Boot the kernels that users run as well, and run the kernel tests on each
        #[arg(long)]
        kernels: bool,
        /// Arguments for `cargo test`, after `--`; what follows a second `--` goes to the tests
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Build the eBPF object from source and compare it with the committed one
    BuildEbpf {
        /// Replace the committed object instead of comparing with it
        #[arg(long)]
        bless: bool,
    },
    /// Measure: the kernel's counting, polls, the whole system, files and memory, beside floors and peers
    Bench(bench::Args),
    /// Hold what a packet costs in instructions, and the eBPF programs' size, against tests/baseline.json
    Guard {
        /// Write the figures of now as the baseline
        #[arg(long)]
        bless: bool,
    },
    /// Look for bytes that break what a part promises of any bytes, with libFuzzer
    Fuzz {
        /// A folder of tests/fuzz/corpus: packet, capture, filter, config, explain, report, history, names-book, names-dhcp,
        /// names-dns, names-expect, names-http, names-quic, names-signature, names-tls; without one, all of them in turn
        target: Option<String>,
        /// How long to look, at each
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Draw the pictures of README and docs anew, from traffic that it makes itself
    Gallery {
        /// Only say whether the committed ones are what is drawn now
        #[arg(long)]
        check: bool,
    },
    /// Boot the kernels that users run under qemu, and run the tests of counting on each
    Kernels {
        /// Which: 5.10, 6.1, 6.12, newest; all of them where none is named
        series: Vec<String>,
        /// Names of kernel tests and options of the test program, after `--`; they replace the defaults
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Make packages of sensor: a .deb, and a .tar.gz for other systems
    Dist(dist::Args),
    /// Install the Debian packages that a full test run needs, or say which are missing
    Setup,
    /// Mixed load in namespaces with faults at random (needs root): all reports together must be what was sent
    Soak {
        /// How long
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Of an earlier soak, for the same faults again
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Check the rules of the source tree that a compiler does not know
    Tidy,
}

fn main() -> ExitCode {
    if rustc_wrapper::is_wanted() {
        return rustc_wrapper::main();
    }
    if kernels::is_guest() {
        return kernels::guest();
    }
    die_quietly_on_closed_pipe();
    match dispatch(Cli::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `cargo xtask test | head` is no reason for a panic with a backtrace.
fn die_quietly_on_closed_pipe() {
    // SAFETY: SIG_DFL is a valid disposition for SIGPIPE, and no other thread runs yet.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

fn dispatch(task: Task) -> Result<ExitCode> {
    match task {
        Task::Run { args } => return run::main(&args),
        Task::Test { kernels, args } => return test::main(kernels, &args),
        Task::BuildEbpf { bless } => build_ebpf::main(bless)?,
        Task::Bench(args) => bench::main(&args)?,
        Task::Guard { bless } => guard::main(bless)?,
        Task::Fuzz { target, seconds } => fuzz::main(target.as_deref(), seconds)?,
        Task::Gallery { check: true } => gallery::compare()?,
        Task::Gallery { check: false } => gallery::main()?,
        Task::Kernels { series, args } => kernels::main(&series, &args)?,
        Task::Dist(args) => dist::main(&args)?,
        Task::Setup => setup::main()?,
        Task::Soak { seconds, seed } => soak::main(seconds, seed)?,
        Task::Tidy => tidy::main()?,
    }
    Ok(ExitCode::SUCCESS)
}
