//! Hand-made decision lists, run by the kernel.

use std::sync::Arc;

use aya::programs::{TestRun, TestRunOptions};
use sensor_common::flow::{Direction, HashSeeds};

use super::KernelFilter;
use crate::clock::Now;
use crate::counters::{Delta, DeltaConfig};
use crate::filter::program::{Check, MATCH, Node, Program, REJECT, Tag, TagList};
use crate::filter::tree::{
    Base, Compare, Formula, Operator, PortList, PortRange, Prefix, PrefixList, Term, Tree,
};
use crate::privilege;
use crate::source::kernel::Kernel;
use crate::source::kernel::object::{Cpus, TableSize, Task};

const SEEDS: HashSeeds = [3; 10];
const LOOPBACK: u32 = 1;

/// TCP from 10.1.2.3:40000 to 10.9.9.9:443, SYN, with the VLAN ids of `tags`.
fn frame(tags: &[u16]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for tag in tags {
        frame.extend([0x81, 0]);
        frame.extend(tag.to_be_bytes());
    }
    frame.extend([8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0]);
    frame.extend([10, 1, 2, 3, 10, 9, 9, 9]);
    frame.extend([
        0x9c, 0x40, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0,
    ]);
    frame.resize(64, 0);
    frame
}

/// All checks, one after the other.
fn program(
    checks: Vec<Check>,
    prefix_lists: Vec<Arc<PrefixList>>,
    port_lists: Vec<Arc<PortList>>,
) -> Program {
    let nodes = checks.into_iter().enumerate().map(|(index, check)| Node {
        check,
        yes: index as u32 + 1,
        no: REJECT,
    });
    let mut nodes: Vec<Node> = nodes.collect();
    nodes.last_mut().unwrap().yes = MATCH;
    Program {
        start: 0,
        nodes,
        prefix_lists,
        port_lists,
        tag_lists: Vec::new(),
    }
}

/// Matched and left out by XDP, multi-buffer XDP and TC, for one packet.
fn run(program: Program, frame: &[u8]) -> Option<Vec<(u64, u64)>> {
    if let Some(missing) = privilege::missing(privilege::EBPF) {
        println!("skipped: {missing}");
        return None;
    }
    let filter = KernelFilter::new(program, 7);
    let size = TableSize::for_flows(1024, Cpus::read().unwrap(), 1);
    let mut counted = Vec::new();
    for hook in 0..3 {
        let mut kernel = Kernel::load(
            size,
            Task {
                seeds: &SEEDS,
                filter: Some(&filter),
                samples: true,
            },
            Now::read(),
        )
        .unwrap();
        kernel.object.assign(LOOPBACK, 0, false).unwrap();
        let options = TestRunOptions {
            data_in: Some(frame),
            ..TestRunOptions::default()
        };
        match hook {
            0 => kernel.object.xdp(false).unwrap().test_run(options),
            1 => kernel.object.xdp(true).unwrap().test_run(options),
            _ => kernel.object.tc(false).unwrap().test_run(options),
        }
        .unwrap();
        let mut delta = Delta::new(DeltaConfig {
            interval: 1_000_000_000,
            max_flows: 16,
            seeds: SEEDS,
            trail: false,
            names: 0,
        });
        kernel.poll(Now::read(), &mut delta).unwrap();
        let matched = delta.by_direction()[Direction::Ingress as usize];
        let (accounting, _) = delta.accounting();
        counted.push((matched.packets, accounting.filtered.packets));
    }
    Some(counted)
}

fn check(checks: &[Check], frame: &[u8], expected: bool) {
    let Some(counted) = run(program(checks.to_vec(), Vec::new(), Vec::new()), frame) else {
        return;
    };
    let one = if expected { (1, 0) } else { (0, 1) };
    assert_eq!(counted, vec![one; 3], "{checks:?}");
}

fn bytes(base: Base, offset: u32, size: u8) -> Term {
    Term::Bytes {
        base,
        offset: Box::new(Term::Number(offset)),
        size,
    }
}

#[test]
fn words_and_ports() {
    let tcp = Check::Word {
        word: 4,
        mask: 0xff << 32,
        value: 6 << 32,
    };
    let udp = Check::Word {
        word: 4,
        mask: 0xff << 32,
        value: 17 << 32,
    };
    let port = |dst, first, last| Check::Port {
        dst,
        range: PortRange { first, last },
    };
    check(&[tcp.clone(), port(true, 443, 443)], &frame(&[]), true);
    check(&[udp], &frame(&[]), false);
    check(&[port(false, 443, 443)], &frame(&[]), false);
    check(&[tcp, port(false, 39_999, 40_000)], &frame(&[10]), true);
}

#[test]
fn tags_lengths_and_bytes() {
    check(&[Check::Vlan(Some(20))], &frame(&[10, 20]), true);
    check(&[Check::Vlan(Some(30))], &frame(&[10, 20]), false);
    check(&[Check::Vlan(None)], &frame(&[]), false);
    check(&[Check::Length(Compare::Equal, 64)], &frame(&[]), true);
    check(&[Check::Length(Compare::Less, 64)], &frame(&[]), false);
    let formula = |left, compare, right| {
        Check::Formula(
            Formula {
                left,
                compare,
                right,
            }
            .into(),
        )
    };
    let flags = bytes(Base::Transport(6), 13, 1);
    let syn = Term::Operation(Operator::And, Box::new(flags), Box::new(Term::Number(2)));
    check(
        &[formula(syn, Compare::NotEqual, Term::Number(0))],
        &frame(&[5]),
        true,
    );
    let total = bytes(Base::Ipv4, 2, 2);
    check(
        &[formula(total.clone(), Compare::Equal, Term::Number(40))],
        &frame(&[5]),
        true,
    );
    check(
        &[formula(total, Compare::Less, Term::Length)],
        &frame(&[]),
        true,
    );
    let mac = |dst, last| Check::Mac {
        dst,
        addr: [2, 0, 0, 0, 0, last],
        mask: [0xff; 6],
    };
    check(&[mac(true, 1), mac(false, 2)], &frame(&[]), true);
    check(&[mac(true, 2)], &frame(&[]), false);
}

#[test]
fn a_long_list_of_checks_passes_the_verifier() {
    let port = |number| Check::Port {
        dst: true,
        range: PortRange {
            first: number,
            last: u16::MAX - number,
        },
    };
    let started = std::time::Instant::now();
    check(&(0..400).map(port).collect::<Vec<_>>(), &frame(&[]), true);
    println!("{:?}", started.elapsed());
    let mut formulas: Vec<Check> = (0..60)
        .map(|index| {
            let any = bytes(Base::Ipv4, index % 16, 1);
            Check::Formula(
                Formula {
                    left: any,
                    compare: Compare::LessOrEqual,
                    right: Term::Number(255),
                }
                .into(),
            )
        })
        .collect();
    formulas.push(Check::Vlan(None));
    check(&formulas, &frame(&[4]), true);
    println!("{:?}", started.elapsed());
}

#[test]
fn the_longest_that_is_not_refused_passes_the_verifier() {
    let few_bits = |n: u32| Check::Length(Compare::NotEqual, 1000 + n);
    // Two branches each.
    let port = |number: u32| Check::Port {
        dst: true,
        range: PortRange {
            first: (number % 443) as u16,
            last: u16::MAX - (number / 443) as u16,
        },
    };
    // As many as jumps reach across, and as branches may be left for later.
    let ports: Vec<Check> = (0..3_650).map(port).collect();
    let all: Vec<Check> = (0..7_490).map(few_bits).collect();
    let tags = (0..200).map(|_| Check::TagIn {
        tag: Tag::Vlan,
        list: 0,
    });
    let formula = |n: u32| {
        Check::Formula(
            Formula {
                left: bytes(Base::Transport(6), n % 20, 2),
                compare: Compare::NotEqual,
                right: Term::Number(70_000 + n),
            }
            .into(),
        )
    };
    let mac = |n: u32| Check::Mac {
        dst: n.is_multiple_of(2),
        addr: [0; 6],
        mask: [0; 6],
    };
    for checks in [
        ports,
        all,
        tags.collect(),
        (0..1_200).map(formula).collect(),
        (0..1_700).map(mac).collect(),
    ] {
        let count = checks.len();
        let mut program = program(checks, Vec::new(), Vec::new());
        program.tag_lists = vec![TagList(vec![3..=3, 20..=20])];
        let started = std::time::Instant::now();
        assert_eq!(super::refuses(&Tree::True, &program), None);
        let Some(counted) = run(program, &frame(&[10, 20])) else {
            return;
        };
        assert_eq!(counted, vec![(1, 0); 3], "{count}");
        println!("{count}: {:?}", started.elapsed());
    }
}

#[test]
fn long_lists_are_looked_up_in_tables() {
    let prefix = |addr: [u8; 4], len| Prefix {
        addr: std::net::Ipv4Addr::from(addr).into(),
        len,
    };
    let nets = |last| -> Vec<Prefix> {
        let mut nets: Vec<Prefix> = (0..=255).map(|n| prefix([11, 2, n, 0], 25)).collect();
        nets.push(last);
        nets
    };
    let ports = |odd: u16| -> Vec<PortRange> {
        (0..200)
            .map(|n| PortRange {
                first: 2 * n + odd,
                last: 2 * n + odd,
            })
            .chain([PortRange {
                first: 442 + odd,
                last: 442 + odd,
            }])
            .collect()
    };
    for (last, odd, expected) in [
        (prefix([10, 1, 2, 0], 24), 1, true),
        (prefix([10, 1, 2, 3], 32), 1, true),
        (prefix([10, 1, 3, 0], 24), 1, false),
        (prefix([10, 1, 2, 0], 24), 0, false),
    ] {
        let prefixes = PrefixList {
            file: None,
            prefixes: nets(last),
        };
        let ports = PortList {
            file: None,
            ranges: ports(odd),
        };
        let checks = vec![
            Check::AddressIn {
                dst: false,
                list: 0,
            },
            Check::PortIn { dst: true, list: 0 },
        ];
        let program = program(checks, vec![prefixes.into()], vec![ports.into()]);
        let Some(counted) = run(program, &frame(&[])) else {
            return;
        };
        let one = if expected { (1, 0) } else { (0, 1) };
        assert_eq!(counted, vec![one; 3], "{last:?} {odd}");
    }
}
