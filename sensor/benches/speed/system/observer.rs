//! Who counts at the receiving end: nobody, sensor, tcpdump, or the eBPF design of a peer.

use std::fs;
use std::io::{BufRead, BufReader, Read};

use aya::programs::{SchedClassifier, TcAttachType};
use aya::{Ebpf, EbpfLoader};

use crate::child::{self, Watched};
use crate::figures::Part;
use crate::measure::classifier;
use crate::namespaces::Pair;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Who {
    Nobody,
    Sensor,
    Tcpdump,
    /// The program that stands for pktstat-bpf, both ways by TCX, and nobody who reads its map.
    Pktstat,
}

impl Who {
    pub(super) fn name(self) -> &'static str {
        match self {
            Who::Nobody => "nobody",
            Who::Sensor => "sensor run (default)",
            Who::Tcpdump => "tcpdump -w /dev/null",
            Who::Pktstat => "pktstat-bpf's design by TCX, never read",
        }
    }
}

/// All of which the programs are installed.
pub(super) fn those_there(part: &mut Part) -> Vec<Who> {
    let mut who = vec![Who::Nobody, Who::Sensor];
    if child::exists("tcpdump") {
        who.push(Who::Tcpdump);
    } else {
        part.missing("tcpdump", "not installed: apt-get install tcpdump");
    }
    part.missing(
        "pktstat-bpf itself",
        "Go, in none of the registries at hand: a program of its map design stands for it",
    );
    who.push(Who::Pktstat);
    who
}

pub(super) struct Observer {
    who: Who,
    watched: Option<Watched>,
    /// Detached when dropped.
    _programs: Option<Ebpf>,
}

impl Observer {
    /// Counts when this returns.
    pub(super) fn start(who: Who, pair: &Pair) -> Self {
        let started = match who {
            Who::Nobody | Who::Pktstat => None,
            Who::Sensor => {
                let mut command = pair.b.command(env!("CARGO_BIN_EXE_sensor"));
                command.args(["run", "-i", "b0", "--out", "reports"]);
                command.args(["--json", "whole.json"]);
                Some((command, "stop with"))
            }
            Who::Tcpdump => {
                let mut command = pair.b.command("tcpdump");
                command.args(["-n", "-i", "b0", "-w", "/dev/null"]);
                Some((command, "listening on"))
            }
        };
        Observer {
            who,
            watched: started.map(|(command, ready)| Watched::start(command, ready)),
            _programs: (who == Who::Pktstat).then(|| pair.b.inside(attach)),
        }
    }

    /// Seconds of CPU that it has used in all.
    pub(super) fn cpu(&self) -> f64 {
        self.watched.as_ref().map_or(0.0, Watched::cpu)
    }

    /// How many of the packets that were there it did not count; `ip_only`: those that carry no IP were not there.
    pub(super) fn missed(&mut self, there: u64, ip_only: bool) -> Option<u64> {
        let folder = self.watched.take()?.interrupt(self.who.name());
        match self.who {
            Who::Sensor => {
                let bytes = fs::read(folder.path().join("whole.json")).unwrap();
                let report: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                assert_eq!(report["accounting"]["identity_holds"], true);
                let ingress = report["totals"]["ingress"]["packets"].as_u64().unwrap();
                let not_ip = report["accounting"]["not_ip"]["packets"].as_u64().unwrap();
                let counted = if ip_only { ingress - not_ip } else { ingress };
                Some(there.abs_diff(counted))
            }
            _ => {
                let said = fs::read_to_string(folder.path().join("stderr")).unwrap();
                let line = said
                    .lines()
                    .find(|line| line.ends_with("dropped by kernel"))?;
                line.split_whitespace().next()?.parse().ok()
            }
        }
    }
}

fn attach() -> Ebpf {
    let path = std::env::var("XTASK_BENCH_OBJECT").expect("run it by cargo xtask bench");
    let mut bench = EbpfLoader::new()
        .btf(None)
        .map_max_entries("PKTSTAT", 131_072)
        .load(&fs::read(path).unwrap())
        .unwrap();
    let program: &mut SchedClassifier = classifier(&mut bench, "bench_tc_pktstat");
    program.load().unwrap();
    for way in [TcAttachType::Ingress, TcAttachType::Egress] {
        program.attach("b0", way).unwrap();
    }
    bench
}

/// Reads until a line has `text`, and goes on reading on a thread of its own: the writer must never wait.
pub(crate) fn wait_for_line(from: impl Read + Send + 'static, text: &str) {
    let mut from = BufReader::new(from);
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert!(
            from.read_line(&mut line).unwrap() > 0,
            "no line with {text:?}"
        );
    }
    std::thread::spawn(move || std::io::copy(&mut from, &mut std::io::sink()));
}
