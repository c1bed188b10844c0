//! `sensor top` on a terminal: what is seen, what keys do, and what is left behind.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{BINARY, file_in, sensor};
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet_ip, tcp, udp};
use crate::support::tmux::{self, Terminal};

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_700_000_000 * SECOND;
const SIZE: (u16, u16) = (80, 24);

/// Prints the reason and returns from the test where there is no terminal to be had.
macro_rules! need_tmux {
    () => {
        if let Some(reason) = tmux::missing() {
            println!("skipped: {reason}");
            return;
        }
    };
}

/// Three packets in each of four seconds: a request, an answer, a question.
fn capture() -> Vec<u8> {
    let (host, server) = (at("10.0.0.1:40000"), at("192.0.2.80:80"));
    let mut records = Vec::new();
    for second in 0..4 {
        let time = START + second * SECOND;
        let packets = [
            tcp(host, server, "PA", 100),
            tcp(server, host, "PA", 1000),
            udp(host, at("192.0.2.53:53"), 40),
        ];
        records.extend(packets.map(|packet| Record::new(time, ethernet_ip(&packet))));
    }
    Pcap::default().write(&records)
}

/// `sensor top -r` with more arguments, and what stty said before it.
struct Top {
    terminal: Terminal,
    folder: TempDir,
}

impl Top {
    fn play(bytes: &[u8], arguments: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = file_in(folder.path(), "four.pcap", bytes);
        let line = format!(
            "set -m; cd {}; stty -a > before; {BINARY} top -r {} {arguments}",
            folder.path().display(),
            file.display()
        );
        let terminal = Terminal::start(Command::new("tmux"), SIZE, &line);
        Top { terminal, folder }
    }

    /// All of it has been played.
    fn ended(arguments: &str) -> Self {
        let top = Top::play(&capture(), &format!("--speed max {arguments}"));
        top.terminal.shows(&["the end of the file", "12 packets"]);
        top
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// It is over with this exit code, and the terminal is as it was before it; gives the screen.
    fn is_over(&self, code: i32) -> String {
        let screen = self.terminal.shows(&[&format!("ended {code}\n")]);
        assert_eq!(self.terminal.flags(), (false, true), "{screen}");
        assert_eq!(
            settings(&self.terminal),
            std::fs::read_to_string(self.path("before")).unwrap()
        );
        screen
    }
}

/// Of the terminal, as stty says them.
fn settings(terminal: &Terminal) -> String {
    let stty = Command::new("stty")
        .args(["-a", "-F", &terminal.device()])
        .output()
        .unwrap();
    String::from_utf8(stty.stdout).unwrap()
}

#[test]
fn keys_lead_through_the_view_and_out_of_it() {
    need_tmux!();
    let top = Top::ended("");
    let terminal = &top.terminal;
    terminal.shows(&[
        "1 overview",
        "top talkers 3",
        "application",
        "lost 0",
        "accounting holds",
    ]);
    assert_eq!(terminal.flags(), (true, false));
    terminal.press(&["Tab"]);
    terminal.shows(&["top talkers 3", "192.0.2.53"]);
    terminal.press(&["3"]);
    terminal.shows(&["10.0.0.1 <> 192.0.2.80", "b > a"]);
    terminal.press(&["5", "l"]);
    terminal.shows(&["transport 2", "udp"]);
    terminal.press(&["4"]);
    terminal.shows(&["source > destination 3", "▼10 s"]);
    terminal.press(&[">"]);
    terminal.shows(&["▼total"]);
    terminal.press(&["S"]);
    terminal.shows(&["▲total"]);
    terminal.press(&["u"]);
    terminal.shows(&["byte/s"]);
    terminal.press(&["?"]);
    terminal.shows(&["keys", "the next interval"]);
    terminal.press(&["Escape"]);
    terminal.shows(&["source > destination 3"]);
    terminal.press(&["q"]);
    let screen = top.is_over(0);
    assert!(
        screen.contains("played 12 packets, 5.16 kB of four.pcap: all of it"),
        "{screen}"
    );
}

#[test]
fn whoever_looks_at_a_file_has_given_up_the_rest_unless_told_not_to() {
    need_tmux!();
    let seccomp = |arguments: &str| {
        let top = Top::ended(arguments);
        let status = tmux::status(top.terminal.child("sensor"));
        // Lists that a filter names are still read from where one was, and from nowhere else.
        top.terminal.press(&["/"]);
        top.terminal.write("net in file /etc/hostname");
        let screen = top
            .terminal
            .until("why not", |screen| screen.contains("help:"));
        let mode = status
            .lines()
            .find_map(|line| line.strip_prefix("Seccomp:\t"));
        (
            mode.unwrap().to_owned(),
            screen.contains("Permission denied"),
        )
    };
    let (mode, refused) = seccomp("");
    if mode == "0" || !refused {
        return println!("skipped: this kernel has no seccomp, or no landlock");
    }
    assert_eq!(mode, "2");
    assert_eq!(seccomp("--no-sandbox"), ("0".to_owned(), false));
}

#[test]
fn a_filter_is_judged_while_it_is_typed() {
    need_tmux!();
    let top = Top::ended("");
    let terminal = &top.terminal;
    terminal.press(&["4", "/"]);
    terminal.write("tcp prot 80");
    terminal.shows(&["filter: tcp prot 80", "^~~~", "did you mean 'port'"]);
    terminal.press(&["Enter"]);
    terminal.press(&["C-u"]);
    terminal.write("len > 100");
    terminal.shows(&["single packets only", "command line"]);
    terminal.press(&["C-u"]);
    terminal.write("tcp port 80");
    terminal.until("no mistake", |screen| !screen.contains("help:"));
    terminal.press(&["Enter"]);
    terminal.shows(&[
        "filter: tcp port 80: 2 of 3 flows",
        "source > destination 2",
    ]);
    terminal.press(&["Enter"]);
    terminal.shows(&[
        "there",
        "back",
        "tcp/http: told by the port alone",
        "psh ack",
    ]);
    terminal.press(&["Escape"]);
    // Two of them that come together are another key.
    terminal.until("the flows again", |screen| {
        screen.contains("source > destination 2") && !screen.contains("told by the port")
    });
    terminal.press(&["Escape"]);
    terminal.shows(&["source > destination 3"]);
    terminal.press(&["C-c"]);
    top.is_over(0);
}

#[test]
fn every_size_is_lived_with() {
    need_tmux!();
    let top = Top::ended("");
    for (size, part) in [
        ((120, 40), "top talkers 3"),
        ((40, 12), "adds up"),
        ((30, 8), "30x8 < 40x10"),
        ((80, 24), "accounting holds"),
    ] {
        top.terminal.resize(size);
        top.terminal.shows(&[part]);
    }
    top.terminal.press(&["q"]);
    top.is_over(0);
}

#[test]
fn a_file_is_paused_stepped_through_and_played_faster() {
    need_tmux!();
    let top = Top::play(&capture(), "--speed 0.0625");
    let terminal = &top.terminal;
    terminal.shows(&["0 packets", "0.0625x"]);
    terminal.press(&["Space"]);
    terminal.shows(&["paused: space goes on"]);
    for packets in ["3 packets", "6 packets"] {
        terminal.press(&["."]);
        terminal.shows(&[packets]);
    }
    terminal.press(&["+", "+", "+", "+", "Space"]);
    terminal.shows(&["1x"]);
    terminal.shows(&["12 packets", "22:13:24 UTC  ended"]);
    terminal.press(&["q"]);
    top.is_over(0);
}

#[test]
fn signals_end_it_and_the_terminal_is_as_it_was() {
    need_tmux!();
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP] {
        let top = Top::ended("");
        let pid = top.terminal.child("sensor");
        // SAFETY: it is the process that this test has started.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
        let screen = top.is_over(0);
        assert!(
            screen.contains("played 12 packets"),
            "signal {signal}: {screen}"
        );
    }
}

#[test]
fn it_goes_aside_and_comes_back() {
    need_tmux!();
    let top = Top::ended("; echo put aside; read line; fg");
    let terminal = &top.terminal;
    terminal.press(&["C-z"]);
    let screen = terminal.shows(&["put aside"]);
    assert_eq!(terminal.flags(), (false, true), "{screen}");
    terminal.press(&["Enter"]);
    terminal.shows(&["1 overview", "12 packets"]);
    assert_eq!(terminal.flags(), (true, false));
    terminal.press(&["q"]);
    top.is_over(0);
}

const PANICS: &str = "SCREEN_OF_THIS_TEST_PANICS";

#[test]
fn a_panic_gives_the_terminal_back_and_is_seen() {
    if std::env::var_os(PANICS).is_some() {
        let mut screen = sensor::commands::top::Screen::take().unwrap();
        screen
            .draw(|frame| frame.render_widget("drawn", frame.area()))
            .unwrap();
        panic!("on purpose");
    }
    need_tmux!();
    let folder = tempfile::tempdir().unwrap();
    let test = std::env::current_exe().unwrap();
    let name = "top::a_panic_gives_the_terminal_back_and_is_seen";
    let line = format!(
        "cd {}; stty -a > before; RUST_BACKTRACE=0 {PANICS}=1 {} --exact {name} --nocapture",
        folder.path().display(),
        test.display()
    );
    let terminal = Terminal::start(Command::new("tmux"), SIZE, &line);
    let top = Top { terminal, folder };
    let screen = top.is_over(101);
    assert!(screen.contains("on purpose"), "{screen}");
}

#[test]
fn a_damaged_file_is_shown_as_far_as_it_goes() {
    need_tmux!();
    let mut bytes = capture();
    bytes.truncate(bytes.len() - 5);
    let top = Top::play(&bytes, "--speed max");
    top.terminal.shows(&["11 packets", "four.pcap:", "ended"]);
    top.terminal.press(&["q"]);
    top.is_over(5);
}

#[test]
fn what_can_not_be_shown_is_refused_before_the_screen_is_taken() {
    need_tmux!();
    let top = Top::play(b"no capture at all", "");
    top.is_over(5);
    let top = Top::play(&capture(), "tcp prot 80");
    let screen = top.is_over(6);
    assert!(screen.contains("^~~~"), "{screen}");
    let top = Top::play(&capture(), "-i lo");
    top.is_over(2);
}

#[test]
fn without_a_terminal_another_command_is_named() {
    let ran = sensor(["top"]).run().ended(2);
    assert!(
        ran.line().ends_with("without one use: sensor run"),
        "{}",
        ran.line()
    );
    let ran = sensor(["top", "-r", "x.pcap"]).run().ended(2);
    assert!(
        ran.line().ends_with("use: sensor read FILE"),
        "{}",
        ran.line()
    );
    let ran = sensor(["top", "-r", "-"]).run().ended(2);
    assert!(
        ran.line().contains("write it to a file first"),
        "{}",
        ran.line()
    );
}
