//! Reading the tables a thousand times while packets are counted: none lost, none counted twice.

use std::sync::atomic::{AtomicBool, Ordering};

use aya::programs::{SchedClassifier, TestRun, TestRunOptions};
use sensor::clock::Now;
use sensor::counters::Delta;
use sensor::source::kernel::object::TableSize;

use crate::harness::need_kernel;
use crate::test_run::{self, cpus};
use crate::traffic;

const POLLS: usize = 1000;
const FLOWS: u16 = 200;

#[test]
fn a_thousand_polls_under_load_neither_lose_nor_repeat_a_packet() {
    need_kernel!();
    let size = TableSize {
        cpus: cpus(),
        slots: 1,
        // As small as can be: sets are full, and records go through the log too.
        set_bits: 6,
        log: 4096,
    };
    let mut kernel = test_run::kernel(size, false);
    let info = kernel.object.tc(false).unwrap().info().unwrap();
    let program = SchedClassifier::from_program_info(info, "sensor_tc_ingress".into()).unwrap();
    let frames = traffic::frames(FLOWS);
    let mut delta = Delta::new(test_run::config(1000));
    let over = AtomicBool::new(false);
    let rounds = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut rounds = 0;
            while !over.load(Ordering::Relaxed) {
                frames.iter().for_each(|frame| run(&program, frame));
                rounds += 1;
            }
            rounds
        });
        for _ in 0..POLLS {
            kernel.poll(Now::read(), &mut delta).unwrap();
        }
        over.store(true, Ordering::Relaxed);
        sender.join().unwrap()
    });
    kernel.poll(Now::read(), &mut delta).unwrap();
    assert!(rounds > 0);
    let (accounting, _) = delta.accounting();
    assert!(accounting.identity_holds, "{accounting:?}");
    assert_eq!(accounting.seen.packets, rounds * u64::from(FLOWS));
    let flows: Vec<_> = delta.flows().iter().collect();
    assert_eq!(flows.len(), usize::from(FLOWS));
    for flow in flows {
        assert_eq!((flow.packets, flow.bytes), (rounds, rounds * traffic::LEN));
    }
}

/// One packet a call: a row of them is broken off by any signal, and nobody says after how many.
fn run(program: &SchedClassifier, frame: &[u8]) {
    let options = TestRunOptions {
        data_in: Some(frame),
        repeat: 1,
        ..TestRunOptions::default()
    };
    program.test_run(options).unwrap();
}
