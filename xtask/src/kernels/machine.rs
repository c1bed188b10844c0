//! An emulated machine: what it says, line by line, and how it ended.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::guest::ENDED;

/// One boot.
pub(super) struct Machine<'a> {
    pub(super) kernel: &'a Path,
    pub(super) initramfs: &'a Path,
    /// Where the kernel's own messages go.
    pub(super) console: &'a Path,
    pub(super) longest: Duration,
}

/// Killed where something goes wrong.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Machine<'_> {
    /// Boots, gives each line that the tests print to `line`, and returns their exit code.
    pub(super) fn run(&self, mut line: impl FnMut(&str)) -> Result<i32> {
        let mut child = self.command().spawn().context("could not start qemu")?;
        let stdout = child.stdout.take().context("qemu has no stdout")?;
        let mut running = Running(child);
        let lines = lines(stdout);
        let end = Instant::now() + self.longest;
        let mut code = None;
        loop {
            match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(said) => match said.strip_prefix(ENDED) {
                    Some(number) => code = number.trim().parse().ok(),
                    None => line(&said),
                },
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    bail!("not done after {:?}; {}", self.longest, self.last_words())
                }
            }
        }
        running.0.wait().context("could not wait for qemu")?;
        code.with_context(|| {
            format!(
                "the machine ended before the tests did; {}",
                self.last_words()
            )
        })
    }

    /// Two serial lines: the first for the kernel, the second for the tests.
    fn command(&self) -> Command {
        let mut qemu = Command::new("qemu-system-x86_64");
        // Not `-cpu max`: its cmpxchg16b crashes 6.12 in qemu 7.2.
        qemu.args(["-accel", "tcg,thread=multi", "-cpu", "qemu64", "-smp", "2"]);
        qemu.args(["-m", "2048", "-display", "none", "-monitor", "none"]);
        qemu.args(["-nic", "none", "-no-reboot"]);
        qemu.arg("-kernel").arg(self.kernel);
        qemu.arg("-initrd").arg(self.initramfs);
        qemu.args(["-append", "console=ttyS0 panic=-1 loglevel=6"]);
        qemu.arg("-serial")
            .arg(format!("file:{}", self.console.display()));
        qemu.args(["-serial", "stdio"]);
        qemu.stdin(Stdio::null()).stdout(Stdio::piped());
        // SAFETY: prctl is a plain system call, allowed between fork and exec; its arguments are numbers.
        unsafe {
            qemu.pre_exec(|| {
                // Ends with this program however that ends: it would go on for ever.
                match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
                    0 => Ok(()),
                    _ => Err(io::Error::last_os_error()),
                }
            })
        };
        qemu
    }

    /// The end of what the kernel said.
    fn last_words(&self) -> String {
        let said = fs::read(self.console).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().collect();
        let last = &lines[lines.len().saturating_sub(20)..];
        format!(
            "its last words ({}):\n{}",
            self.console.display(),
            last.join("\n")
        )
    }
}

/// Lines without their ends, read by a thread, so that waiting for one can have an end too.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line);
            if sender.send(line.trim_end_matches('\r').to_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}
