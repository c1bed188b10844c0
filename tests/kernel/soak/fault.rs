//! The faults of a soak, by a seed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::load::Load;
use super::{Soak, add_pair};
use crate::harness::{Sensor, eventually, ip};

/// Whatever goes wrong lasts so long, in milliseconds.
const LONGEST: u64 = 1500;

type Fault = (&'static str, fn(&mut Soak));

const FAULTS: [Fault; 11] = [
    ("quiet", |_| {}),
    ("the agent is stopped and goes on", stop_and_go),
    ("a flood of new flows on both interfaces", flood),
    ("an interface goes down and up", down_and_up),
    ("an interface gets another name and its own again", renamed),
    ("an interface is deleted and made again", deleted),
    ("another sensor attaches by TC and is killed", |soak| {
        other(soak, "tc")
    }),
    ("another sensor attaches by XDP and is killed", |soak| {
        other(soak, "xdp")
    }),
    ("the disk is full", disk_full),
    ("the disk is read-only", read_only),
    ("settings are read again", reload),
];

pub(super) struct Faults {
    random: u64,
    /// Numbers of those that have yet to happen before one happens again.
    to_come: Vec<usize>,
    happened: BTreeMap<&'static str, u64>,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Self {
        Faults {
            random: seed,
            to_come: Vec::new(),
            happened: BTreeMap::new(),
        }
    }

    /// A number below `limit`, by splitmix64.
    fn below(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    /// Each as often as any other, in an order by chance.
    fn next(&mut self) -> Fault {
        if self.to_come.is_empty() {
            self.to_come = (0..FAULTS.len()).collect();
        }
        let place = self.below(self.to_come.len() as u64) as usize;
        FAULTS[self.to_come.swap_remove(place)]
    }

    pub(super) fn print(&self) {
        for (what, times) in &self.happened {
            println!("{times:5} times: {what}");
        }
    }
}

impl Soak {
    pub(super) fn one_fault(&mut self) -> &'static str {
        let (what, fault) = self.faults.next();
        *self.faults.happened.entry(what).or_default() += 1;
        fault(self);
        self.some_time();
        what
    }

    fn some_time(&mut self) {
        std::thread::sleep(Duration::from_millis(self.faults.below(LONGEST)));
    }

    fn reports(&self) -> PathBuf {
        self.folder.path().join("reports")
    }

    /// The name and number of one of the two interfaces.
    fn one_interface(&mut self) -> (&'static str, usize) {
        match self.faults.below(2) {
            0 => ("a0", 0),
            _ => ("c0", 1),
        }
    }
}

fn stop_and_go(soak: &mut Soak) {
    soak.sensor.signal(libc::SIGSTOP);
    soak.some_time();
    soak.sensor.signal(libc::SIGCONT);
}

fn flood(soak: &mut Soak) {
    soak.loads.iter().for_each(Load::flood);
}

fn down_and_up(soak: &mut Soak) {
    let (name, number) = soak.one_interface();
    // What an interface that is going down still takes, nobody could tell.
    soak.loads[number].pause();
    ip(&["-n", &soak.pair.a.name, "link", "set", name, "down"]);
    ip(&["-n", &soak.pair.a.name, "link", "set", name, "up"]);
    soak.loads[number].resume();
}

fn renamed(soak: &mut Soak) {
    let (name, number) = soak.one_interface();
    soak.loads[number].pause();
    for (from, to) in [(name, "z9"), ("z9", name)] {
        let namespace = &soak.pair.a.name;
        ip(&["-n", namespace, "link", "set", from, "down"]);
        ip(&["-n", namespace, "link", "set", from, "name", to]);
        ip(&["-n", namespace, "link", "set", to, "up"]);
        if to == "z9" {
            soak.loads[number].resume();
        }
        soak.sensor
            .wait_for_line(&format!("{from} is now called {to}"));
        if to == "z9" {
            soak.loads[number].pause();
        }
    }
    soak.loads[number].resume();
}

/// Its packets stay counted; the new one has packets once it is counted.
fn deleted(soak: &mut Soak) {
    let load = soak.loads.pop().unwrap();
    load.pause();
    ip(&["-n", &soak.pair.a.name, "link", "del", "c0"]);
    soak.sensor.wait_for_line("c0 is gone");
    add_pair(&soak.pair);
    soak.sensor
        .wait_for_line("c0 is there again; counting by tcx");
    soak.loads.push(load.on(&soak.pair.a, "c0"));
}

fn other(soak: &mut Soak, backend: &str) {
    let other = Sensor::start(&soak.pair.a, &["-i", "a0", "--backend", backend]);
    soak.some_time();
    other.signal(libc::SIGKILL);
    other.killed();
}

fn disk_full(soak: &mut Soak) {
    let filler = soak.reports().join("filler");
    let full = Command::new("dd")
        .args(["if=/dev/zero", "bs=4k"])
        .arg(format!("of={}", filler.display()))
        .output()
        .unwrap();
    assert!(!full.status.success(), "the disk is not full");
    soak.some_time();
    fs::remove_file(filler).unwrap();
}

fn read_only(soak: &mut Soak) {
    let reports = soak.reports();
    // Not while a report is being written.
    eventually("a read-only folder", || {
        mount(&["-o", "remount,ro"], &reports)
    });
    soak.some_time();
    assert!(mount(&["-o", "remount,rw"], &reports));
}

fn reload(soak: &mut Soak) {
    soak.sensor.signal(libc::SIGHUP);
    soak.sensor.wait_for_line("SIGHUP: ");
}

/// A small file system for the reports, unmounted when dropped.
pub(super) struct Mount(PathBuf);

impl Mount {
    pub(super) fn new(at: &Path) -> Self {
        assert!(mount(&["-t", "tmpfs", "-o", "size=8m", "tmpfs"], at));
        Mount(at.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    let output = Command::new("mount").args(arguments).arg(at).output();
    output.unwrap().status.success()
}
