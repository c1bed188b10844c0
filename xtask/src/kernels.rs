//! `cargo xtask kernels`: the kernel tests once more, on kernels that users run, each booted for real in an emulated
//! machine.
//!
//! What the verifier takes, which hooks there are and what a helper does differs from kernel to kernel, and no
//! description of it is complete. So Debian's kernels are fetched, and the very test program of `cargo test --test kernel`
//! runs on each, from a file system in memory that has little else. qemu emulates the processor: slower, but possible on
//! every machine.

mod cpio;
mod guest;
mod machine;
mod modules;
mod packages;
mod programs;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cmd;
use crate::test_output::{Reader, Totals};

pub(crate) use guest::{is_guest, main as guest};

/// A Debian suite and the kernel series that it has.
#[derive(Clone, Copy)]
struct Kernel {
    series: &'static str,
    suite: &'static str,
}

/// What Debian supports, oldest first, and the newest that it has: the next stable release.
const KERNELS: [Kernel; 4] = [
    Kernel {
        series: "5.10",
        suite: "bullseye",
    },
    Kernel {
        series: "6.1",
        suite: "bookworm",
    },
    Kernel {
        series: "6.12",
        suite: "trixie",
    },
    Kernel {
        series: "newest",
        suite: "testing",
    },
];

/// What differs by kernel: what the verifier takes, which hook each wish gets, and counting by every road. Few, for the
/// verifier alone takes seconds in an emulated machine; `-- NAME` runs others.
const TESTS: [&str; 7] = [
    "filter::refused::",
    "gso::tcp_",
    "ladder::the_report_names_hook_mode_and_reason",
    "ladder::two_sensors_on_one_interface",
    "layer3::",
    "replay::by_",
    "test_run::tc_egress_counts_what_the_parser_says",
];

/// One boot with its tests takes 3 minutes where nothing else runs; a kernel that hangs is told apart by it.
const LONGEST: Duration = Duration::from_secs(1200);

/// The task: boots the kernels of which `series` is asked for (all of them where none is), with the tests of `args`.
pub(crate) fn main(series: &[String], args: &[String]) -> Result<()> {
    let unknown = |wanted: &&String| KERNELS.iter().all(|kernel| kernel.series != **wanted);
    if let Some(unknown) = series.iter().find(unknown) {
        let known = KERNELS.map(|kernel| kernel.series).join(", ");
        bail!("there is no kernel '{unknown}': there are {known}");
    }
    let wanted = KERNELS
        .into_iter()
        .filter(|kernel| series.is_empty() || series.iter().any(|wanted| wanted == kernel.series));
    let (totals, outcome) = run(wanted, args, false)?;
    println!("{totals}");
    outcome
}

/// The step of a test run: every kernel. Where it can't be run that is said, and in CI it is a failure.
pub(crate) fn step() -> Result<(Totals, Result<()>)> {
    match missing() {
        Some(reason) if cmd::is_ci() => bail!("no other kernels: {reason}"),
        Some(reason) => {
            println!("skipped: no other kernels: {reason}");
            Ok((Totals::default(), Ok(())))
        }
        None => run(KERNELS.into_iter(), &[], !cmd::is_ci()),
    }
}

/// Why kernels can't be booted here.
fn missing() -> Option<String> {
    if std::env::consts::ARCH != "x86_64" {
        return Some("only x86-64 is set up".to_owned());
    }
    let program = [
        "qemu-system-x86_64",
        "apt-get",
        "dpkg-deb",
        "strip",
        "xz",
        "ip",
    ]
    .into_iter()
    .find(|name| cmd::find_program(name).is_none())?;
    Some(format!(
        "there is no {program}; `cargo xtask setup` installs what it can"
    ))
}

/// Boots one after the other: the machine's processors are what limits. The outcome names those that failed, also by not
/// being had, unless those may be `left_out`.
fn run(
    kernels: impl Iterator<Item = Kernel>,
    args: &[String],
    left_out: bool,
) -> Result<(Totals, Result<()>)> {
    if let Some(reason) = missing() {
        bail!("no other kernels: {reason}");
    }
    let folder = cmd::target_dir().join("kernels");
    let programs = programs::gather(&folder)?;
    let arguments: Vec<String> = if args.is_empty() {
        TESTS.map(str::to_owned).to_vec()
    } else {
        args.to_vec()
    };
    let mut totals = Totals::default();
    let mut failed = Vec::new();
    for kernel in kernels {
        let packed = match packages::obtain(kernel.suite, &folder.join(kernel.suite)) {
            Ok(packed) => packed,
            Err(error) => {
                println!("skipped: {}: it can't be had: {error:#}", kernel.series);
                if !left_out {
                    failed.push(kernel.series);
                }
                continue;
            }
        };
        match boot((kernel, &packed), &folder, &programs, &arguments) {
            Ok(counted) => totals += counted,
            Err(Failure { error, counted }) => {
                println!("{}: {error:#}", kernel.series);
                totals += counted;
                failed.push(kernel.series);
            }
        }
    }
    let outcome = if failed.is_empty() {
        Ok(())
    } else {
        Err(anyhow::anyhow!("failed on {}", failed.join(", ")))
    };
    Ok((totals, outcome))
}

/// A kernel on which something went wrong, with what was counted all the same.
struct Failure {
    error: anyhow::Error,
    counted: Totals,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure {
            error,
            counted: Totals::default(),
        }
    }
}

fn boot(
    (kernel, packed): (Kernel, &packages::Packed),
    folder: &Path,
    programs: &programs::Programs,
    arguments: &[String],
) -> Result<Totals, Failure> {
    let begin = Instant::now();
    let image = folder.join(kernel.suite).join("initramfs");
    make_image(&image, packed, programs, arguments)?;
    let mut reader = Reader::default();
    println!("\n{} ({})", packed.release, kernel.suite);
    let machine = machine::Machine {
        kernel: &packed.vmlinuz,
        initramfs: &image,
        console: &folder.join(kernel.suite).join("console.log"),
        longest: LONGEST,
    };
    let ended = machine.run(|line| {
        if reader.line(line) {
            println!("  {:4.0} s  {line}", begin.elapsed().as_secs_f64());
        }
    });
    for skip in &reader.skips {
        println!("skipped: {}: {}: {}", kernel.series, skip.test, skip.reason);
    }
    let counted = reader.totals();
    println!(
        "{}: {counted}, {:.1} s",
        packed.release,
        begin.elapsed().as_secs_f64()
    );
    match ended {
        Ok(0) if counted.passed > 0 => Ok(counted),
        Ok(0) => Err(anyhow::anyhow!("no test was run").into()),
        Ok(code) => Err(Failure {
            error: anyhow::anyhow!("the tests ended with exit code {code}"),
            counted,
        }),
        Err(error) => Err(Failure { error, counted }),
    }
}

/// The first file system of the machine: programs, the kernel's modules, and what to do.
fn make_image(
    path: &Path,
    packed: &packages::Packed,
    programs: &programs::Programs,
    arguments: &[String],
) -> Result<()> {
    let mut archive = cpio::Archive::default();
    for (place, file) in &programs.files {
        let bytes =
            std::fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
        archive.file(place, 0o755, &bytes);
    }
    let mut order = Vec::new();
    for (name, bytes) in modules::load_order(&packed.modules)? {
        let place = PathBuf::from(format!("/modules/{name}.ko"));
        archive.file(&place, 0o644, &bytes);
        order.push(place.to_string_lossy().into_owned());
    }
    let todo = guest::Todo {
        modules: order,
        program: programs.tests.to_string_lossy().into_owned(),
        arguments: arguments.to_vec(),
    };
    archive.file(Path::new(guest::TODO), 0o644, todo.write().as_bytes());
    std::fs::write(path, archive.finish())
        .with_context(|| format!("could not write {}", path.display()))
}
