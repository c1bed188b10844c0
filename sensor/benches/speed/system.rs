//! The whole system over a veth pair: what is left of a TCP transfer and of a flood of short packets while somebody
//! counts at the receiving end, what the counting takes of a CPU, and what it misses.

mod observer;

pub(crate) use observer::wait_for_line;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use observer::{Observer, Who};

use crate::figures::{Cell, Limit, Part, Samples, Table};
use crate::namespaces::Pair;
use crate::{Effort, child, flood};

/// What one observer did to one kind of traffic.
#[derive(Default)]
struct Seen {
    /// Bits or packets a second.
    rate: Samples,
    /// Percent of one CPU.
    cpu: Samples,
    /// Packets that were there and were not counted, of all rounds; `None` where the observer doesn't tell.
    missed: Option<u64>,
}

#[derive(Clone, Copy)]
enum Load {
    Transfer,
    Flood,
}

pub(crate) fn measure(effort: Effort) -> Part {
    let mut part = Part::default();
    let (rounds, seconds) = effort.pick((7, 3), (3, 2));
    let pair = Pair::new();
    let who = observer::those_there(&mut part);
    for (id, title, load) in [
        (
            "system-tcp",
            "iperf3 over veth, one TCP stream, counted at the receiver: Gbit/s",
            Load::Transfer,
        ),
        (
            "system-small",
            "packets of 60 bytes over veth, one sender: million packets a second",
            Load::Flood,
        ),
    ] {
        if matches!(load, Load::Transfer) && !child::exists("iperf3") {
            part.missing("iperf3", "not installed: apt-get install iperf3");
            continue;
        }
        let mut seen: Vec<Seen> = who.iter().map(|_| Seen::default()).collect();
        for round in 0..rounds {
            eprintln!("system: {id}, round {} of {rounds}", round + 1);
            for (who, seen) in who.iter().zip(&mut seen) {
                one(*who, &pair, load, Duration::from_secs(seconds), seen);
            }
        }
        report(&mut part, (id, title, load), &who, &seen);
    }
    part
}

fn one(who: Who, pair: &Pair, load: Load, duration: Duration, seen: &mut Seen) {
    let server = match load {
        Load::Transfer => Some(Server::start(pair)),
        Load::Flood => None,
    };
    let mut observer = Observer::start(who, pair);
    let before = pair.b.packets("b0", true);
    let segments = pair.a.segments_sent();
    let cpu = observer.cpu();
    let start = Instant::now();
    let rate = match load {
        Load::Transfer => transfer(pair, duration),
        Load::Flood => {
            let (packets, seconds) = flood::flood(pair, duration);
            packets as f64 / seconds
        }
    };
    seen.rate.push(rate);
    let percent = (observer.cpu() - cpu) / start.elapsed().as_secs_f64() * 100.0;
    seen.cpu.push(percent);
    drop(server); // its last packets come before the counting ends
    let (there, ip_only) = match load {
        Load::Transfer => (pair.a.segments_sent() - segments, true),
        Load::Flood => (pair.b.packets("b0", true) - before, false),
    };
    if let Some(missed) = observer.missed(there, ip_only) {
        *seen.missed.get_or_insert(0) += missed;
    }
}

fn report(part: &mut Part, what: (&'static str, &str, Load), who: &[Who], seen: &[Seen]) {
    let (id, title, load) = what;
    let mut table = Table::new(
        id,
        title,
        &[
            "who counts",
            "rate",
            "share of nobody's",
            "% of a CPU",
            "packets missed",
        ],
    );
    let unit = match load {
        Load::Transfer => 1e-9,
        Load::Flood => 1e-6,
    };
    for (who, one) in who.iter().zip(seen) {
        let share = one.rate.over(&seen[0].rate);
        let missed = one
            .missed
            .map_or(Cell::Nothing, |missed| Cell::Number(missed as f64));
        let cpu = match who {
            Who::Sensor | Who::Tcpdump => one.cpu.clone().into(),
            _ => Cell::Nothing,
        };
        table.row(vec![
            who.name().into(),
            one.rate.scaled(unit).into(),
            share.clone().into(),
            cpu,
            missed,
        ]);
        if matches!(who, Who::Sensor) {
            if let Load::Transfer = load {
                let what = "system: share of iperf3's throughput that is left with sensor counting";
                part.demand(what, Limit::AtLeast(0.95), share.median());
            }
            let what = format!("system: packets missed by sensor ({id})");
            part.demand(what, Limit::AtMost(0.0), one.missed.unwrap_or(0) as f64);
        }
    }
    part.tables.push(table);
}

/// Bits a second that arrived.
fn transfer(pair: &Pair, duration: Duration) -> f64 {
    let seconds = duration.as_secs().to_string();
    let output = pair
        .a
        .command("iperf3")
        .args(["-c", "10.9.0.2", "-J", "-t", &seconds])
        .output()
        .unwrap();
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    result["end"]["sum_received"]["bits_per_second"]
        .as_f64()
        .unwrap_or_else(|| panic!("iperf3: {result}"))
}

/// An iperf3 that serves one transfer.
struct Server(Child);

impl Server {
    fn start(pair: &Pair) -> Self {
        let mut command: Command = pair.b.command("iperf3");
        let child = command
            .args(["-s", "-1", "--forceflush"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.unwrap();
        wait_for_line(child.stdout.take().unwrap(), "listening");
        Server(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.wait();
    }
}
