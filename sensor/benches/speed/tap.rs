//! A mirror port: how many short packets a second somebody lets pass who counts them, how many of them he has seen, and what
//! that takes of the CPUs.
//!
//! The sender is the kernel itself, which makes the same packets for all. On a veth pair the receiving end's kernel work is
//! done on the sender's CPU: a program that costs more lets less through, so rate and loss are read together.

mod machine;
mod sender;

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Effort;
use crate::child::{self, Watched};
use crate::figures::{Cell, Limit, Part, Samples, Table};
use crate::namespaces::Pair;

/// Who counts, and by what words of a command.
struct Who {
    name: &'static str,
    sensor: Option<&'static [&'static str]>,
}

const WHO: [Who; 6] = [
    Who {
        name: "nobody",
        sensor: None,
    },
    Who {
        name: "sensor run --tap --max-names 0",
        sensor: Some(&["--tap", "--max-names", "0"]),
    },
    Who {
        name: "sensor run --tap",
        sensor: Some(&["--tap"]),
    },
    Who {
        name: "sensor run --tap --backend af-xdp",
        sensor: Some(&["--tap", "--backend", "af-xdp"]),
    },
    Who {
        name: "sensor run --tap --backend af-packet",
        sensor: Some(&["--tap", "--backend", "af-packet"]),
    },
    Who {
        name: TCPDUMP,
        sensor: None,
    },
];
const TCPDUMP: &str = "tcpdump -w /dev/null";

/// What is left in rings when the sender stops is read meanwhile.
const SETTLE: Duration = Duration::from_millis(500);

/// What one of them did, round by round.
#[derive(Default)]
struct Did {
    /// Packets a second.
    rate: Samples,
    sent: Samples,
    /// Percent of those sent, by its own account.
    seen: Samples,
    lost: Samples,
    /// Nanoseconds of CPU for each packet that was sent: its own, and of all that ran.
    own: Samples,
    machine: Samples,
    /// Packets that were neither seen nor said to be lost, of all rounds.
    missing: u64,
}

pub(crate) fn measure(effort: Effort) -> Part {
    let mut part = Part::default();
    let (rounds, seconds) = effort.pick((7, 3), (3, 2));
    let pair = Pair::mirror();
    let there = |who: &&Who| who.name != TCPDUMP || child::exists("tcpdump");
    let who: Vec<&Who> = WHO.iter().filter(there).collect();
    if who.len() < WHO.len() {
        part.missing("tcpdump", "not installed: apt-get install tcpdump");
    }
    let mut did: Vec<Did> = who.iter().map(|_| Did::default()).collect();
    for round in 0..rounds {
        eprintln!("tap: round {} of {rounds}", round + 1);
        for (who, did) in who.iter().zip(&mut did) {
            one(who, &pair, Duration::from_secs(seconds), did);
        }
    }
    report(&mut part, &who, &did);
    part
}

fn one(who: &Who, pair: &Pair, duration: Duration, did: &mut Did) {
    let watched = command(who, pair).map(|(command, ready)| Watched::start(command, ready));
    let own = || watched.as_ref().map_or(0.0, Watched::cpu);
    let (cpu, machine) = (own(), machine::busy());
    let before = pair.b.packets("b0", true);
    let start = Instant::now();
    pair.a.inside(|| sender::send("a0", duration));
    let seconds = start.elapsed().as_secs_f64();
    std::thread::sleep(SETTLE);
    // Where the kernel puts the receiving off, a frame may find the way into the interface full: that was never sent.
    let sent = pair.b.packets("b0", true) - before;
    let each = 1e9 / sent as f64;
    did.rate.push(sent as f64 / seconds);
    did.sent.push(sent as f64);
    did.machine.push((machine::busy() - machine) * each);
    did.own.push((own() - cpu) * each);
    let Some(watched) = watched else { return };
    let (seen, lost) = account(who, watched);
    did.seen.push(seen as f64 / sent as f64 * 100.0);
    did.lost.push(lost as f64 / sent as f64 * 100.0);
    did.missing += sent.abs_diff(seen + lost);
}

/// With the words that it says when it counts.
fn command(who: &Who, pair: &Pair) -> Option<(Command, &'static str)> {
    if who.name == TCPDUMP {
        let mut command = pair.b.command("tcpdump");
        command.args(["-n", "-i", "b0", "-w", "/dev/null"]);
        return Some((command, "listening on"));
    }
    let words = who.sensor?;
    let mut command = pair.b.command(env!("CARGO_BIN_EXE_sensor"));
    command
        .args([
            "run",
            "-i",
            "b0",
            "--out",
            "reports",
            "--json",
            "whole.json",
        ])
        .args(words);
    Some((command, "stop with"))
}

/// Packets seen and lost, as it says itself.
fn account(who: &Who, watched: Watched) -> (u64, u64) {
    let folder = watched.interrupt(who.name);
    if who.sensor.is_none() {
        let said = std::fs::read_to_string(folder.path().join("stderr")).unwrap();
        let number = |words: &str| {
            let line = said.lines().find(|line| line.ends_with(words));
            let line = line.unwrap_or_else(|| panic!("no line with {words:?}: {said}"));
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        return (number("captured"), number("dropped by kernel"));
    }
    let bytes = std::fs::read(folder.path().join("whole.json")).unwrap();
    let report: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(report["accounting"]["identity_holds"], true);
    let lost = report["accounting"]["lost"].as_object().unwrap();
    let lost = lost.values().filter_map(Value::as_u64).sum();
    let seen = report["accounting"]["seen"]["packets"].as_u64().unwrap();
    (seen, lost)
}

fn report(part: &mut Part, who: &[&Who], did: &[Did]) {
    let mut table = Table::new(
        "tap",
        "packets of 60 bytes at a mirror port (veth), 1,024 flows at a time of 64 packets each",
        &[
            "who counts",
            "million packets/s sent",
            "million packets sent",
            "% seen",
            "% lost, as it says",
            "packets neither seen nor said to be lost",
            "its CPU, ns a packet",
            "all CPUs with the sender, ns a packet",
        ],
    );
    for (who, did) in who.iter().zip(did) {
        let counts = !did.seen.0.is_empty();
        let told = |samples: &Samples| match counts {
            true => Cell::from(samples.clone()),
            false => Cell::Nothing,
        };
        let missing = match counts {
            true => Cell::Number(did.missing as f64),
            false => Cell::Nothing,
        };
        table.row(vec![
            who.name.into(),
            did.rate.scaled(1e-6).into(),
            did.sent.scaled(1e-6).into(),
            told(&did.seen),
            told(&did.lost),
            missing,
            told(&did.own),
            did.machine.clone().into(),
        ]);
        if who.sensor.is_some() {
            let what = format!("packets neither seen nor said to be lost: {}", who.name);
            part.demand(what, Limit::AtMost(0.0), did.missing as f64);
        }
    }
    part.tables.push(table);
}
