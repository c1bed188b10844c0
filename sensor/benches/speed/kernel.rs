//! Nanoseconds per packet of the counting programs, beside an empty program, the parser alone, one cache line for each flow,
//! and the kernel's hash maps that do the same work.
//!
//! Every figure comes from BPF_PROG_TEST_RUN on this thread's CPU time. A driver makes each packet another flow and
//! calls the program under measurement; what it costs with an empty program is taken off.

mod subjects;

use subjects::{Case, Costs, Family, Hook, Spread, Subjects};

use crate::Effort;
use crate::figures::{Cell, Limit, Part, Samples, Table};
use crate::measure::stay_on;

const EMPTY: usize = 0;
const PARSE: usize = 1;
const SENSOR: usize = 2;
const NAMELESS: usize = 3;
const LINE: usize = 4;
const PERCPU: usize = 5;
const LRU: usize = 6;
const HASH: usize = 7;
const PKTSTAT: usize = 8;

struct Measured {
    case: Case,
    costs: Costs,
}

impl Measured {
    /// Of the cost above the parser alone, the product's share of the peer's, for the same work: without names.
    fn share(&self, peer: usize) -> Samples {
        self.over_parse(NAMELESS).over(&self.over_parse(peer))
    }

    fn over_parse(&self, subject: usize) -> Samples {
        self.costs.times[subject].minus(&self.costs.times[PARSE])
    }
}

pub(crate) fn measure(effort: Effort) -> Part {
    let path = std::env::var("XTASK_BENCH_OBJECT").expect("run it by cargo xtask bench");
    let object = std::fs::read(path).unwrap();
    stay_on(0);
    let (rounds, repeat) = effort.pick((15, 150_000), (5, 60_000));
    let mut measured = Vec::new();
    for case in cases(effort) {
        eprintln!("kernel: {}", case.name());
        let costs = Subjects::load(&case, &object).costs(rounds, repeat);
        measured.push(Measured { case, costs });
    }
    let mut part = Part::default();
    for (id, over_id, hook, family) in [
        ("kernel-xdp4", "kernel-xdp4-over", Hook::Xdp, Family::Ipv4),
        ("kernel-xdp6", "kernel-xdp6-over", Hook::Xdp, Family::Ipv6),
        ("kernel-tcx4", "kernel-tcx4-over", Hook::Tcx, Family::Ipv4),
        ("kernel-tcx6", "kernel-tcx6-over", Hook::Tcx, Family::Ipv6),
    ] {
        let these: Vec<_> = measured
            .iter()
            .filter(|one| one.case.hook == hook && one.case.family == family)
            .collect();
        if these.is_empty() {
            continue;
        }
        let title = format!("{} {}", hook.name(), family.name());
        part.tables.push(costs(id, &title, &these));
        part.tables.push(shares(over_id, &title, &these));
    }
    part.tables.push(instructions(&measured));
    demands(&mut part, &measured);
    part
}

/// What is told of each case, with the name of its column.
const COMPARED: [(usize, &str); 8] = [
    (PARSE, "parse only"),
    (SENSOR, "sensor"),
    (NAMELESS, "sensor without names"),
    (LINE, "one line"),
    (PERCPU, "PERCPU_HASH"),
    (LRU, "LRU_PERCPU_HASH"),
    (HASH, "HASH, atomics"),
    (PKTSTAT, "pktstat-bpf's design"),
];

/// With columns before and behind them.
fn around_compared(before: &[&'static str], behind: &[&'static str]) -> Vec<&'static str> {
    let compared = COMPARED.map(|(_, name)| name);
    [before, &compared, behind].concat()
}

/// With so few flows that each finds its record at once.
fn instructions(measured: &[Measured]) -> Table {
    let mut table = Table::new(
        "kernel-instructions",
        "instructions per packet above the driver with an empty program",
        &around_compared(&["hook", "flows"], &[]),
    );
    for one in measured.iter().filter(|one| one.case.bits <= 10) {
        let hook = format!("{} {}", one.case.hook.name(), one.case.family.name());
        let mut cells: Vec<Cell> = vec![hook.into(), one.case.flows().into()];
        let counts = &one.costs.instructions;
        cells.extend(COMPARED.map(|(subject, _)| counts[subject].minus(&counts[EMPTY]).into()));
        table.row(cells);
    }
    table
}

/// One flow, and powers of two up to a million, each as often as another and by Zipf's law.
fn cases(effort: Effort) -> Vec<Case> {
    let mut cases = Vec::new();
    for (hook, family) in [
        (Hook::Xdp, Family::Ipv4),
        (Hook::Xdp, Family::Ipv6),
        (Hook::Tcx, Family::Ipv4),
        (Hook::Tcx, Family::Ipv6),
    ] {
        for (bits, spread) in [
            (0, Spread::Uniform),
            (10, Spread::Uniform),
            (10, Spread::Zipf),
            (16, Spread::Uniform),
            (16, Spread::Zipf),
            (20, Spread::Uniform),
            (20, Spread::Zipf),
        ] {
            let main = (hook, family) == (Hook::Xdp, Family::Ipv4);
            if effort == Effort::Quick && !main && (bits != 16 || spread == Spread::Zipf) {
                continue;
            }
            cases.push(Case {
                hook,
                family,
                bits,
                spread,
            });
        }
    }
    cases
}

fn costs(id: &'static str, title: &str, measured: &[&Measured]) -> Table {
    let mut table = Table::new(
        id,
        format!("{title}: ns per packet above the driver with an empty program"),
        &around_compared(&["flows"], &["driver and empty"]),
    );
    for one in measured {
        let mut cells: Vec<Cell> = vec![one.case.flows().into()];
        cells.extend(COMPARED.map(|(subject, _)| {
            one.costs.times[subject]
                .minus(&one.costs.times[EMPTY])
                .into()
        }));
        cells.push(one.costs.times[EMPTY].clone().into());
        table.row(cells);
    }
    table
}

fn shares(id: &'static str, title: &str, measured: &[&Measured]) -> Table {
    let mut table = Table::new(
        id,
        format!(
            "{title}: ns over parse only, and of that, without names, the share of each peer's"
        ),
        &[
            "flows",
            "sensor",
            "sensor without names",
            "one line",
            "of PERCPU_HASH",
            "of LRU_PERCPU_HASH",
            "of HASH, atomics",
            "of pktstat-bpf's design",
            "one line, of PERCPU_HASH",
        ],
    );
    for one in measured {
        let mut cells: Vec<Cell> = vec![
            one.case.flows().into(),
            one.over_parse(SENSOR).into(),
            one.over_parse(NAMELESS).into(),
            one.over_parse(LINE).into(),
        ];
        cells.extend([PERCPU, LRU, HASH, PKTSTAT].map(|peer| one.share(peer).into()));
        cells.push(one.over_parse(LINE).over(&one.over_parse(PERCPU)).into());
        table.row(cells);
    }
    table
}

/// The worst of all hooks, families and spreads counts.
fn demands(part: &mut Part, measured: &[Measured]) {
    let peers = [
        "PERCPU_HASH",
        "LRU_PERCPU_HASH",
        "HASH",
        "pktstat-bpf's design",
    ];
    for (bits, peer, bound) in [
        (0, PERCPU, 0.5),
        (0, LRU, 0.5),
        (10, PERCPU, 0.5),
        (10, LRU, 0.5),
        (16, PERCPU, 0.25),
        (16, LRU, 0.25),
        (16, PKTSTAT, 0.25),
        (20, HASH, 0.5),
    ] {
        let shares = measured
            .iter()
            .filter(|one| one.case.bits == bits)
            .map(|one| one.share(peer).median());
        let worst = shares.fold(f64::NEG_INFINITY, f64::max);
        let (flows, peer) = (subjects::count(bits), peers[peer - PERCPU]);
        part.demand(
            format!("kernel: cost over parse only at {flows}, as a share of {peer}"),
            Limit::AtMost(bound),
            worst,
        );
    }
}
