//! A terminal that can be typed into and looked at: tmux, with a server of its own.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Ends with all that runs in it.
pub(crate) struct Terminal {
    socket: String,
}

/// Why there is no terminal to be had, if there is none.
pub(crate) fn missing() -> Option<String> {
    let version = Command::new("tmux").arg("-V").output();
    let there = version.is_ok_and(|output| output.status.success());
    (!there).then(|| "no tmux to look at a terminal with".to_owned())
}

impl Terminal {
    /// Runs a line of sh in a terminal of this size; `tmux` is the program, perhaps in another namespace.
    pub(crate) fn start(mut tmux: Command, size: (u16, u16), line: &str) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let terminal = Terminal {
            socket: format!("sensor-{}-{number}", std::process::id()),
        };
        let (columns, rows) = (size.0.to_string(), size.1.to_string());
        // The shell stays when the line is done, so that what it left can be looked at.
        let line = format!("{line}; echo ended $?; exec cat");
        let started = tmux
            .args(["-L", &terminal.socket, "-f", "/dev/null"])
            .args(["new-session", "-d", "-x", &columns, "-y", &rows])
            .args(["sh", "-c", &line])
            .env("LC_ALL", "C.UTF-8")
            .env_remove("NO_COLOR")
            .env_remove("TMUX")
            .status()
            .unwrap();
        assert!(started.success());
        terminal.tmux(&["set-option", "-g", "status", "off"]);
        terminal.resize(size);
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .args(["-L", &self.socket])
            .args(arguments)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {arguments:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn resize(&self, (columns, rows): (u16, u16)) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.tmux(&["resize-window", "-x", &columns, "-y", &rows]);
    }

    /// Names of keys, as tmux has them: `Enter`, `C-c`, `q`.
    pub(crate) fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Letter by letter.
    pub(crate) fn write(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until it shows all of these; gives the screen.
    pub(crate) fn shows(&self, parts: &[&str]) -> String {
        self.until(&format!("{parts:?}"), |screen| {
            parts.iter().all(|part| screen.contains(part))
        })
    }

    pub(crate) fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "the terminal never showed {what}:\n{screen}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether the terminal shows its other screen, and whether its cursor is seen.
    pub(crate) fn flags(&self) -> (bool, bool) {
        let flags = self.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]);
        let flags: Vec<bool> = flags.split_whitespace().map(|flag| flag == "1").collect();
        (flags[0], flags[1])
    }

    /// The terminal's file.
    pub(crate) fn device(&self) -> String {
        let device = self.tmux(&["display-message", "-p", "#{pane_tty}"]);
        device.trim().to_owned()
    }

    /// The process that the shell runs.
    pub(crate) fn child(&self, name: &str) -> i32 {
        let shell = self.tmux(&["display-message", "-p", "#{pane_pid}"]);
        let children = format!("/proc/{0}/task/{0}/children", shell.trim());
        let children = std::fs::read_to_string(children).unwrap();
        let called = |pid: &&str| {
            let comm = Path::new("/proc").join(pid).join("comm");
            std::fs::read_to_string(comm).is_ok_and(|comm| comm.trim() == name)
        };
        let found = children.split_whitespace().find(called);
        found.expect("it does not run").parse().unwrap()
    }
}

/// What the kernel says of a process.
pub(crate) fn status(process: i32) -> String {
    std::fs::read_to_string(format!("/proc/{process}/status")).unwrap()
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ended = Command::new("tmux")
            .args(["-L", &self.socket, "kill-server"])
            .output();
    }
}
