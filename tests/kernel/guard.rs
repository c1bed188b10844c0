//! What the verifier has to walk through, which is what changes first when a program grows.

use aya::programs::{ProgramInfo, SchedClassifier, Xdp};
use sensor::source::kernel::object::TableSize;

use crate::harness::need_kernel;
use crate::support::baseline;
use crate::test_run::{self, cpus};

/// Beyond a million instructions a program is refused; a kernel older or newer than this one may need more of them.
const MOST: u32 = 1_000_000 / 2;

#[test]
fn the_programs_take_the_verifier_as_long_as_they_are_known_to() {
    need_kernel!();
    let size = TableSize {
        cpus: cpus(),
        slots: 1,
        set_bits: 6,
        log: 64,
    };
    let mut kernel = test_run::kernel(size, true);
    let xdp = |program: &mut Xdp| program.info().unwrap();
    let tc = |program: &mut SchedClassifier| program.info().unwrap();
    let object = &mut kernel.object;
    let programs = [
        ("sensor_xdp", xdp(object.xdp(false).unwrap())),
        ("sensor_xdp_frags", xdp(object.xdp(true).unwrap())),
        ("sensor_tc_ingress", tc(object.tc(false).unwrap())),
        ("sensor_tc_egress", tc(object.tc(true).unwrap())),
    ];
    let held = programs.iter().filter_map(|(name, info)| {
        let count = verified(name, info)?;
        let name = format!(
            "{name}, names on, Linux {}: verified instructions",
            release()
        );
        Some(baseline::hold(&name, u64::from(count), 5))
    });
    baseline::check(held.collect());
}

/// `None` from kernels before 5.16, which don't tell.
fn verified(name: &str, info: &ProgramInfo) -> Option<u32> {
    let count = info.verified_instruction_count();
    match count {
        Some(count) => assert!(count < MOST, "{name}: {count} instructions to verify"),
        None => println!("skipped: {name}: this kernel does not count what it verifies"),
    }
    count
}

/// `6.18`.
fn release() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    text.trim().split('.').take(2).collect::<Vec<_>>().join(".")
}
