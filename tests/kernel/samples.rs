//! Payloads on their way from the programs to the agent: the first few of each flow, never more, and what finds no room is
//! counted.

use sensor::clock::Now;
use sensor::counters::Delta;
use sensor::source::kernel::Kernel;
use sensor::source::kernel::object::{Cpus, TableSize, Task};
use sensor_common::sample::{EACH_INTERVAL, FEW, MORE};

use crate::harness::need_kernel;
use crate::packets;
use crate::test_run::{LOOPBACK, Program, SEEDS, config, run};

const PROGRAMS: [Program; 4] = [
    Program::Xdp,
    Program::XdpFrags,
    Program::TcIngress,
    Program::TcEgress,
];

#[test]
fn each_flow_hands_over_its_first_payloads() {
    need_kernel!();
    for program in PROGRAMS {
        for (port, budget) in [(9999, FEW), (21, MORE), (5060, MORE)] {
            let mut kernel = kernel(true);
            for _ in 0..60 {
                send(&mut kernel, program, &packets::tcp4(1, 40_000, port, 700));
                send(&mut kernel, program, &packets::tcp4(1, 40_000, port, 0));
            }
            let (mut delta, name) = (delta(), format!("{program:?} to port {port}"));
            kernel.poll(Now::read(), &mut delta).unwrap();
            assert_eq!(samples(&delta), u64::from(budget), "{name}");
            // Nor in later intervals, of which the records are new.
            send(&mut kernel, program, &packets::tcp4(1, 40_000, port, 700));
            kernel.poll(Now::read(), &mut delta).unwrap();
            assert_eq!(samples(&delta), u64::from(budget), "{name}");
        }
    }
}

#[test]
fn names_are_told_anew_in_each_interval() {
    need_kernel!();
    stay_on_one_cpu();
    let mut kernel = kernel(true);
    let mut delta = delta();
    for interval in 1..=3 {
        for _ in 0..100 {
            send(
                &mut kernel,
                Program::TcEgress,
                &packets::udp4(1, 40_000, 53, 40),
            );
        }
        kernel.poll(Now::read(), &mut delta).unwrap();
        assert_eq!(samples(&delta), interval * u64::from(EACH_INTERVAL));
    }
}

#[test]
fn a_flood_without_payload_sends_nothing() {
    need_kernel!();
    for program in PROGRAMS {
        let mut kernel = kernel(true);
        for number in 0..3000u16 {
            let mut syn = packets::tcp4(1, number, 80, 0);
            syn[47] = 2;
            syn.resize(60, 0); // padding is no payload
            send(&mut kernel, program, &syn);
        }
        let mut delta = delta();
        kernel.poll(Now::read(), &mut delta).unwrap();
        assert_eq!(
            (samples(&delta), delta.samples_lost()),
            (0, 0),
            "{program:?}"
        );
        assert_eq!(delta.accounting().0.seen.packets, 3000);
    }
}

#[test]
fn without_names_nothing_is_handed_over() {
    need_kernel!();
    let mut kernel = kernel(false);
    for _ in 0..9 {
        send(
            &mut kernel,
            Program::XdpFrags,
            &packets::tcp4(1, 40_000, 80, 700),
        );
    }
    let mut delta = delta();
    kernel.poll(Now::read(), &mut delta).unwrap();
    assert_eq!((samples(&delta), delta.samples_lost()), (0, 0));
}

/// More than the ring has room for, before anybody looks: the counts are exact, and what is missing is said.
#[test]
fn a_full_ring_says_how_much_it_lost() {
    need_kernel!();
    let mut kernel = kernel(true);
    let sent = 40_000u16;
    for number in 0..sent {
        let frame = packets::udp4((number >> 12) as u8, 10_000 + number, 9999, 600);
        send(&mut kernel, Program::TcIngress, &frame);
    }
    let mut delta = delta();
    kernel.finish(Now::read(), &mut delta).unwrap();
    let (got, lost) = (samples(&delta), delta.samples_lost());
    println!("{got} payloads handed over, {lost} lost");
    assert!(got > 1000 && lost > 1000, "{got} {lost}");
    assert_eq!(got + lost, u64::from(sent));
    let (accounting, _) = delta.accounting();
    assert!(accounting.identity_holds);
    assert_eq!(accounting.seen.packets, u64::from(sent));
}

fn send(kernel: &mut Kernel, program: Program, frame: &[u8]) {
    run(kernel, program, frame).unwrap();
}

/// Each CPU has its own budget for a flow.
fn stay_on_one_cpu() {
    // SAFETY: a set of plain bits, filled and read within its size.
    unsafe {
        let cpu = libc::sched_getcpu().max(0) as usize;
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        assert_eq!(
            libc::sched_setaffinity(0, size_of_val(&set), &raw const set),
            0
        );
    }
}

fn samples(delta: &Delta) -> u64 {
    delta.book().unwrap().samples()
}

fn delta() -> Delta {
    let mut config = config(100_000);
    config.names = 1000;
    Delta::new(config)
}

fn kernel(samples: bool) -> Kernel {
    let size = TableSize {
        cpus: Cpus::read().unwrap().possible,
        slots: 1,
        set_bits: 13,
        log: 4096,
    };
    let task = Task {
        seeds: &SEEDS,
        filter: None,
        samples,
    };
    let mut kernel = Kernel::load(size, task, Now::read()).unwrap();
    kernel.object.assign(LOOPBACK, 0, false).unwrap();
    kernel
}
