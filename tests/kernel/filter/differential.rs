//! The instructions that are made of a filter against its evaluation in userspace, by BPF_PROG_TEST_RUN: each packet
//! matches in both or in neither.

use std::time::{Duration, Instant};

use sensor::clock::Now;
use sensor::counters::{Counts, Delta, Seen, When};
use sensor::filter::{Filter, Matcher};
use sensor::source::kernel::Kernel;
use sensor::source::kernel::filter::KernelFilter;
use sensor::source::kernel::object::{Cpus, TableSize, Task};
use sensor_common::facts::Facts;
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse;
use sensor_common::view::SliceView;

use super::expressions::{EXPRESSIONS, Expect, Lists};
use super::frames;
use crate::harness::need_kernel;
use crate::test_run::{LOOPBACK, Program as Hook, Random, SEEDS, config, run};

/// One that is not the first.
const SLOT: u8 = 1;
const PACKETS: usize = 500;
const MAX_FLOWS: usize = 100_000;

/// A hook, and whether its packets start with the IP header.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Road {
    hook: Hook,
    l3: bool,
}

/// The last one's program is that of an earlier one, and already loaded.
const ROADS: [Road; 5] = [
    Road {
        hook: Hook::Xdp,
        l3: false,
    },
    Road {
        hook: Hook::TcIngress,
        l3: false,
    },
    Road {
        hook: Hook::XdpFrags,
        l3: false,
    },
    Road {
        hook: Hook::TcEgress,
        l3: false,
    },
    Road {
        hook: Hook::TcIngress,
        l3: true,
    },
];

/// Every expression by one XDP program, every other one by one of TC, too: programs of a kind have the same instructions
/// for the filter, and loading takes far longer than running.
#[test]
fn xdp_and_tc_ingress_match_what_userspace_matches() {
    differential(EXPRESSIONS, &|number, road| match road.hook {
        Hook::Xdp => number % 2 == 0,
        Hook::TcIngress => number % 4 == 0,
        _ => false,
    });
}

#[test]
fn multi_buffer_xdp_and_tc_egress_match_what_userspace_matches() {
    differential(EXPRESSIONS, &|number, road| match road.hook {
        Hook::XdpFrags => number % 2 == 1,
        Hook::TcEgress => number % 4 == 1,
        _ => false,
    });
}

/// So long that the verifier could not go through them once for each way through the headers.
#[test]
fn long_filters_match_what_userspace_matches() {
    let part = |n: usize| match n % 3 {
        0 => format!(
            "vlan {} and tcp dst port {} and ip[{}] = {}",
            n,
            n * 3,
            n % 20,
            n % 250
        ),
        1 => format!("src host 10.{}.{n}.1 and dst port {}", n % 250, n * 7),
        _ => format!(
            "udp[{}:2] + ip[{}:4] * 3 > {} and len > {n}",
            n % 20,
            n % 16,
            n * 100_000
        ),
    };
    let parts: Vec<String> = (0..250).map(part).collect();
    let long = format!("({})", parts.join(") or ("));
    let lists = "src net in file block-list and dst net in file other-list \
                 or dst net in file block-list and src net in file other-list";
    let expressions = [(long.as_str(), Expect::Some), (lists, Expect::Some)];
    differential(&expressions, &|_, road| road.hook != Hook::TcEgress);
}

#[test]
#[ignore = "takes two minutes: every expression by every program"]
fn all_programs_match_what_userspace_matches() {
    differential(EXPRESSIONS, &|_, _| true);
}

#[expect(clippy::print_stdout, reason = "a figure for who runs it by hand")]
fn differential(expressions: &[(&str, Expect)], wanted: &dyn Fn(usize, Road) -> bool) {
    need_kernel!();
    let mut wrong = Vec::new();
    let mut slowest = (Duration::ZERO, "");
    let corpora = ROADS.map(|road| {
        let mut random = Random(0x5eed_f117 + road.hook as u64);
        match road.l3 {
            true => frames::without_link_layer(&mut random, PACKETS),
            false => frames::with_ethernet(&mut random, PACKETS),
        }
    });
    for (number, (expression, expect)) in expressions.iter().enumerate() {
        let matcher = matcher(expression);
        let mut kernel = None;
        for (road, packets) in ROADS.iter().zip(&corpora) {
            if !wanted(number, *road) {
                continue;
            }
            let kernel = kernel.get_or_insert_with(|| load(&matcher));
            match one(kernel, &matcher, *road, packets, *expect) {
                Ok(took) => slowest = slowest.max((took, expression)),
                Err(why) => wrong.push(format!("{road:?}: {expression:?}: {why}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (took, expression) = slowest;
    let expression = expression.get(..60).unwrap_or(expression);
    println!("the program that took the kernel longest, {took:.0?}, is that of {expression:?}");
}

/// How long the kernel took for the program, where all is as it should be.
fn one(
    kernel: &mut Kernel,
    matcher: &Matcher,
    road: Road,
    packets: &[Vec<u8>],
    expect: Expect,
) -> Result<Duration, String> {
    kernel.object.release(LOOPBACK, SLOT).unwrap();
    kernel.object.assign(LOOPBACK, SLOT, road.l3).unwrap();
    let start = Instant::now();
    let loaded = match road.hook {
        Hook::Xdp | Hook::XdpFrags => kernel.object.xdp(road.hook == Hook::XdpFrags).map(drop),
        Hook::TcIngress | Hook::TcEgress => kernel.object.tc(road.hook == Hook::TcEgress).map(drop),
    };
    loaded.map_err(|error| last_lines(&error.to_string()))?;
    let took = start.elapsed();
    let Ok((matched, filtered)) = compare(kernel, matcher, road, packets) else {
        let packet = culprit(kernel, matcher, road, packets);
        return Err(format!("not as in userspace: {packet:02x?}"));
    };
    assert!(matched + filtered > PACKETS as u64 * 3 / 4);
    let expected = match expect {
        Expect::All => filtered == 0,
        Expect::None => matched == 0,
        Expect::Way => (road.hook == Hook::TcEgress) == (matched == 0) && matched * filtered == 0,
        Expect::WithLink if road.l3 => matched == 0,
        // Of so few kinds of packets, some expressions match none or all.
        Expect::Some if road.l3 => true,
        Expect::Some | Expect::WithLink => matched > 0 && filtered > 0,
    };
    if expected {
        Ok(took)
    } else {
        Err(format!(
            "tests nothing: matches {matched} packets and not {filtered}"
        ))
    }
}

fn matcher(expression: &str) -> Matcher {
    let filter = Filter::compile(expression, &Lists);
    let filter = filter.unwrap_or_else(|error| panic!("{expression:?}: {error}"));
    let slots = |name: &str| if name == "lo" { vec![SLOT] } else { Vec::new() };
    filter.matcher(&slots).unwrap()
}

fn load(matcher: &Matcher) -> Kernel {
    let size = TableSize {
        cpus: Cpus::read().unwrap().possible,
        slots: u32::from(SLOT) + 1,
        set_bits: 10,
        log: 1024,
    };
    let filter = KernelFilter::new(matcher.program().clone(), 7);
    Kernel::load(
        size,
        Task {
            seeds: &SEEDS,
            filter: Some(&filter),
            samples: true,
        },
        Now::read(),
    )
    .unwrap()
}

/// Of the verifier's log, which may be a long one.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(6)..].join(" ")
}

/// One of the packets that match on one side only.
fn culprit<'a>(
    kernel: &mut Kernel,
    matcher: &Matcher,
    road: Road,
    mut packets: &'a [Vec<u8>],
) -> &'a [Vec<u8>] {
    while packets.len() > 1 {
        let (first, second) = packets.split_at(packets.len() / 2);
        packets = match compare(kernel, matcher, road, first) {
            Ok(_) => second,
            Err(()) => first,
        };
    }
    packets
}

/// Packets that matched and that did not, where both ways of counting agree on everything.
fn compare(
    kernel: &mut Kernel,
    matcher: &Matcher,
    road: Road,
    packets: &[Vec<u8>],
) -> Result<(u64, u64), ()> {
    let (mut ours, mut theirs) = (Delta::new(config(MAX_FLOWS)), Delta::new(config(MAX_FLOWS)));
    for packet in packets {
        match run(kernel, road.hook, packet) {
            Ok(()) => count(&mut theirs, matcher, road, packet),
            // The test run itself refuses packets without room for the headers that it expects.
            Err(error) => assert!(packet.len() < 14 + 40, "{} bytes: {error:?}", packet.len()),
        }
    }
    theirs.flush();
    kernel.poll(Now::read(), &mut ours).unwrap();
    let (accounting, _) = ours.accounting();
    if ours.accounting() == theirs.accounting() && rows(&ours) == rows(&theirs) {
        let filtered = accounting.filtered.packets;
        return Ok((accounting.seen.packets - filtered, filtered));
    }
    Err(())
}

fn count(delta: &mut Delta, matcher: &Matcher, road: Road, bytes: &[u8]) {
    let direction = match road.hook {
        Hook::TcEgress => Direction::Egress,
        _ => Direction::Ingress,
    };
    let mut facts = Facts::NONE;
    facts.new_link(!road.l3);
    let packet = parse::on_interface_observed(&SliceView(bytes), road.l3, &mut facts);
    let mut origin = FlowKey([0; 5]);
    origin.set_origin(SLOT, direction);
    facts.parsed(&packet, origin.0[4], bytes.len() as u32);
    let counts = Counts {
        packets: 1,
        bytes: bytes.len() as u64,
    };
    if !matcher.matches(&facts, bytes) {
        return delta.filtered(SLOT, direction, counts);
    }
    delta.packet(&Seen {
        packet,
        when: When::At(0),
        slot: SLOT,
        direction,
        counts,
        captured_bytes: counts.bytes,
    });
}

fn rows(delta: &Delta) -> Vec<(FlowKey, u64, u64, u8)> {
    let row = |flow: sensor::counters::Flow| (flow.key, flow.packets, flow.bytes, flow.tcp_flags);
    let mut rows: Vec<_> = delta.flows().iter().map(row).collect();
    rows.sort();
    rows
}
