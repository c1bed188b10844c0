//! The programs against the userspace parser, packet by packet, by BPF_PROG_TEST_RUN: same key, same bytes, same outcome.

use aya::programs::{ProgramError, TestRun, TestRunOptions};
use sensor::clock::Now;
use sensor::counters::{Counts, Delta, DeltaConfig, Seen, When};
use sensor::source::kernel::Kernel;
use sensor::source::kernel::object::{Cpus, TableSize, Task};
use sensor_common::flow::Direction;
use sensor_common::parse;
use sensor_common::view::SliceView;

use crate::harness::need_kernel;
use crate::packets;

/// The interface that test runs pretend to be on.
pub(crate) const LOOPBACK: u32 = 1;
const PACKETS: usize = 10_000;
/// Packets between two comparisons: few enough to find the one that differs.
const BATCH: usize = 50;

pub(crate) const SEEDS: sensor_common::flow::HashSeeds = [
    0x9e37_79b9_7f4a_7c15,
    0xbf58_476d_1ce4_e5b9,
    0x94d0_49bb_1331_11eb,
    0xd6e8_feb8_6659_fd93,
    0xff51_afd7_ed55_8ccd,
    0xc4ce_b9fe_1a85_ec53,
    0x2545_f491_4f6c_dd1d,
    0x5851_f42d_4c95_7f2d,
    0x1405_7b7e_f767_814f,
    0x8529_7a4d_3f84_d5b5,
];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Program {
    Xdp,
    XdpFrags,
    TcIngress,
    TcEgress,
}

#[test]
fn xdp_counts_what_the_parser_says() {
    differential(Program::Xdp, false);
}

#[test]
fn multi_buffer_xdp_counts_what_the_parser_says() {
    differential(Program::XdpFrags, false);
}

#[test]
fn tc_ingress_counts_what_the_parser_says() {
    differential(Program::TcIngress, false);
}

#[test]
fn tc_egress_counts_what_the_parser_says() {
    differential(Program::TcEgress, false);
}

#[test]
fn tc_on_a_device_without_link_layer_counts_what_the_parser_says() {
    differential(Program::TcIngress, true);
}

/// A context that says "these are seven segments" counts as seven packets with seven times the headers.
#[test]
fn segments_count_as_on_the_wire() {
    need_kernel!();
    let mut kernel = kernel(
        TableSize {
            cpus: cpus(),
            slots: 1,
            set_bits: 6,
            log: 64,
        },
        false,
    );
    let frame = packets::tcp4(1, 1000, 443, 1200);
    let mut context = [0u8; 192];
    context[164..168].copy_from_slice(&7u32.to_ne_bytes()); // __sk_buff.gso_segs
    let options = || TestRunOptions {
        data_in: Some(&frame),
        ctx_in: Some(&context),
        ..TestRunOptions::default()
    };
    kernel
        .object
        .tc(false)
        .unwrap()
        .test_run(options())
        .unwrap();
    let mut delta = Delta::new(config(100));
    kernel.poll(Now::read(), &mut delta).unwrap();
    let flow = delta.flows().iter().next().unwrap();
    assert_eq!(
        (flow.packets, flow.bytes),
        (7, (frame.len() + 6 * 54) as u64)
    );
}

/// What a virtual machine hands over says how long its segments are, not how many.
#[test]
fn segments_that_nobody_counted_are_counted_here() {
    need_kernel!();
    let frame = packets::tcp4(1, 1000, 443, 1200);
    let mut context = [0u8; 192];
    context[176..180].copy_from_slice(&500u32.to_ne_bytes()); // __sk_buff.gso_size
    for egress in [false, true] {
        let size = TableSize {
            cpus: cpus(),
            slots: 1,
            set_bits: 6,
            log: 64,
        };
        let mut kernel = kernel(size, false);
        let options = TestRunOptions {
            data_in: Some(&frame),
            ctx_in: Some(&context),
            ..TestRunOptions::default()
        };
        kernel.object.tc(egress).unwrap().test_run(options).unwrap();
        let mut delta = Delta::new(config(100));
        kernel.poll(Now::read(), &mut delta).unwrap();
        let flow = delta.flows().iter().next().unwrap();
        let expected = (3, (frame.len() + 2 * 54) as u64);
        assert_eq!((flow.packets, flow.bytes), expected, "egress: {egress}");
    }
}

/// More flows than the table and its log have room for: totals stay exact, and what has no flow is counted by protocol.
#[test]
fn a_full_table_says_by_how_much() {
    need_kernel!();
    let size = TableSize {
        cpus: cpus(),
        slots: 1,
        set_bits: 6,
        log: 64,
    };
    let mut kernel = kernel(size, false);
    let mut bytes = 0;
    let sent = 6000u64;
    for number in 0..sent as u16 {
        let frame = match number % 3 {
            0 => packets::udp4((number >> 8) as u8, number, 53, 10),
            _ => packets::tcp4((number >> 8) as u8, number, 443, 10),
        };
        bytes += frame.len() as u64;
        run(&mut kernel, Program::Xdp, &frame).unwrap();
    }
    let mut delta = Delta::new(config(100_000));
    kernel.poll(Now::read(), &mut delta).unwrap();
    let (accounting, _) = delta.accounting();
    assert!(accounting.identity_holds, "{accounting:?}");
    assert_eq!(
        accounting.seen,
        Counts {
            packets: sent,
            bytes
        }
    );
    assert!(
        accounting.overflow.packets > 0,
        "6,000 flows in {} records",
        size.records() / u64::from(size.cpus) / 2
    );
    let overflow: Vec<_> = delta
        .overflow_by_class()
        .into_iter()
        .map(|(class, counts)| (class.transport(), counts))
        .collect();
    assert_eq!(overflow.len(), 2, "by protocol: {overflow:?}");
    assert!(
        accounting.in_flows.packets >= 64 * 8,
        "resident flows keep counting"
    );
}

/// Records that a full set spills to the log are merged again: nothing is lost while the log has room.
#[test]
fn spilled_records_are_not_lost() {
    need_kernel!();
    seven_hundred_flows_count(TableSize {
        cpus: cpus(),
        slots: 1,
        set_bits: 6,
        log: 4096,
    });
}

/// Programs know the address of a table that is one value; what is larger than values can be is looked up.
#[test]
fn sets_beyond_the_largest_value_are_looked_up() {
    need_kernel!();
    const LARGEST_VALUE: u64 = 1 << 29;
    let mut size = TableSize {
        cpus: cpus(),
        slots: 1,
        set_bits: 6,
        log: 64,
    };
    while size.records() * 64 <= LARGEST_VALUE {
        size.set_bits += 1;
    }
    seven_hundred_flows_count(size);
}

fn seven_hundred_flows_count(size: TableSize) {
    let mut kernel = kernel(size, false);
    for round in 0..3usize {
        for number in 0..700u16 {
            let frame = packets::udp4(1, number, 53, round);
            run(&mut kernel, Program::Xdp, &frame).unwrap();
        }
    }
    let mut delta = Delta::new(config(100_000));
    kernel.poll(Now::read(), &mut delta).unwrap();
    assert_eq!(delta.flows().len(), 700);
    assert!(
        delta
            .flows()
            .iter()
            .all(|flow| flow.packets == 3 && flow.bytes == 3 * 42 + 3)
    );
    assert_eq!(delta.accounting().0.overflow, Counts::ZERO);
}

fn differential(program: Program, l3: bool) {
    need_kernel!();
    let mut kernel = kernel(
        TableSize {
            cpus: cpus(),
            slots: 1,
            set_bits: 10,
            log: 4096,
        },
        l3,
    );
    let mut random = Random(0x5eed_0000 + program as u64);
    let seeds: Vec<Vec<u8>> = packets::mixed(1514);
    let (mut ours, mut theirs) = (Delta::new(config(100_000)), Delta::new(config(100_000)));
    let mut batch = Vec::new();
    let mut compared = 0;
    for number in 0..PACKETS {
        let frame = random.mutated(&seeds[number % seeds.len()]);
        match run(&mut kernel, program, &frame) {
            Ok(()) => {}
            Err(error) => {
                // The test run itself refuses packets without room for the headers that it expects.
                let tc = matches!(program, Program::TcIngress | Program::TcEgress);
                let least = if tc { 14 + 40 } else { 15 };
                assert!(frame.len() < least, "{} bytes: {error:?}", frame.len());
                continue;
            }
        }
        theirs.packet(&seen(program, &frame, l3));
        batch.push(frame);
        compared += 1;
        if batch.len() == BATCH || number + 1 == PACKETS {
            compare(&mut kernel, &mut ours, &mut theirs, &batch);
            batch.clear();
        }
    }
    assert!(
        compared > PACKETS * 3 / 4,
        "only {compared} packets could be compared"
    );
}

fn compare(kernel: &mut Kernel, ours: &mut Delta, theirs: &mut Delta, batch: &[Vec<u8>]) {
    kernel.poll(Now::read(), ours).unwrap();
    let (ours, theirs) = (ours.take(), theirs.take());
    let rows = |delta: &Delta| {
        let mut rows: Vec<_> = delta
            .flows()
            .iter()
            .map(|flow| (flow.key, flow.packets, flow.bytes, flow.tcp_flags))
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(ours.accounting(), theirs.accounting(), "one of {batch:x?}");
    assert_eq!(rows(&ours), rows(&theirs), "one of {batch:x?}");
    assert!(ours.accounting().0.identity_holds);
}

/// What userspace makes of the same bytes. On a device without link layer the test run cuts the Ethernet header off.
fn seen(program: Program, frame: &[u8], l3: bool) -> Seen {
    let packet = parse::on_interface(&SliceView(frame), l3);
    let direction = if program == Program::TcEgress {
        Direction::Egress
    } else {
        Direction::Ingress
    };
    Seen {
        packet,
        when: When::At(0),
        slot: 0,
        direction,
        counts: Counts {
            packets: 1,
            bytes: frame.len() as u64,
        },
        captured_bytes: frame.len() as u64,
    }
}

pub(crate) fn run(kernel: &mut Kernel, program: Program, frame: &[u8]) -> Result<(), ProgramError> {
    let options = TestRunOptions {
        data_in: Some(frame),
        ..TestRunOptions::default()
    };
    let object = &mut kernel.object;
    let result = match program {
        Program::Xdp => object.xdp(false).unwrap().test_run(options),
        Program::XdpFrags => object.xdp(true).unwrap().test_run(options),
        Program::TcIngress => object.tc(false).unwrap().test_run(options),
        Program::TcEgress => object.tc(true).unwrap().test_run(options),
    };
    result.map(drop)
}

pub(crate) fn kernel(size: TableSize, l3: bool) -> Kernel {
    let mut kernel = Kernel::load(
        size,
        Task {
            seeds: &SEEDS,
            filter: None,
            samples: true,
        },
        Now::read(),
    )
    .unwrap();
    kernel.object.assign(LOOPBACK, 0, l3).unwrap();
    kernel
}

pub(crate) fn cpus() -> u32 {
    Cpus::read().unwrap().possible
}

pub(crate) fn config(max_flows: usize) -> DeltaConfig {
    DeltaConfig {
        interval: 1_000_000_000,
        max_flows,
        seeds: SEEDS,
        trail: false,
        names: 0,
    }
}

/// xorshift64: the same packets in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Cut, or with a few bytes changed near the front where the headers are; every fourth as it is.
    fn mutated(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut frame = seed.to_vec();
        match self.next() % 4 {
            0 => {}
            1 => {
                let len = 14 + self.next() as usize % frame.len();
                frame.truncate(len);
            }
            _ => {
                for _ in 0..1 + self.next() % 4 {
                    let at = 12 + self.next() as usize % 60;
                    let value = self.next() as u8;
                    if let Some(byte) = frame.get_mut(at) {
                        *byte = value;
                    }
                }
            }
        }
        frame
    }
}
