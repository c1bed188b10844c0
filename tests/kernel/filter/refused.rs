//! What the kernel's programs can't decide is said before anything is counted, with the backend that can.

use crate::harness::{Pair, Sensor, need_kernel, refused};
use crate::traffic;

/// Bytes where a VLAN tag stands, unless the hardware has taken it off.
const BEHIND_THE_ADDRESSES: &str = "ether[14:2] = 5 or ether[12:2] = 0x0800";

#[test]
fn a_pinned_backend_that_can_not_decide_the_filter_is_an_error() {
    need_kernel!();
    let pair = Pair::new(1500);
    for backend in ["tc", "xdp"] {
        let (code, said) = refused(
            &pair.b,
            &["-i", "b0", "--backend", backend, "-f", "ether[14:2] = 5"],
        );
        assert_eq!(code, Some(6), "{said}");
        for part in ["ether[14:2] = 5", "VLAN tag", "--backend af-packet"] {
            assert!(said.contains(part), "{backend}: {part}: {said}");
        }
    }
}

#[test]
fn a_filter_that_is_too_long_for_the_kernel_is_refused_before_it_is_loaded() {
    need_kernel!();
    let pair = Pair::new(1500);
    let tests: Vec<String> = (1..1_300).map(|n| format!("tcp[2:2] != {n}")).collect();
    let long = tests.join(" and ");
    let (code, said) = refused(&pair.b, &["-i", "b0", "--backend", "tc", "-f", &long]);
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("its length"), "{said}");
    let sensor = Sensor::start(&pair.b, &["-v", "-i", "b0", "-f", &long]);
    for part in ["b0: ingress by af-packet", "its length"] {
        assert!(sensor.greeting.contains(part), "{}", sensor.greeting);
    }
    sensor.stop().checked();
}

#[test]
fn the_ladder_goes_to_the_backend_that_can() {
    need_kernel!();
    let pair = Pair::new(1500);
    let mut sensor = Sensor::start(&pair.b, &["-v", "-i", "b0", "-f", BEHIND_THE_ADDRESSES]);
    assert!(
        sensor.greeting.contains("b0: ingress by af-packet"),
        "{}",
        sensor.greeting
    );
    assert!(
        sensor.greeting.contains("VLAN tag"),
        "why: {}",
        sensor.greeting
    );
    traffic::send(&pair.a, "a0", &traffic::frames(10), 10);
    sensor.counted(100);
    let report = sensor.stop().checked();
    assert_eq!(report["source"]["backend"], "af-packet");
    assert_eq!(report["totals"]["ingress"]["packets"], 100);
    assert_eq!(report["filter"], BEHIND_THE_ADDRESSES);
}

#[test]
fn an_interface_that_is_not_counted_can_not_be_asked_for() {
    need_kernel!();
    let pair = Pair::new(1500);
    let (code, said) = refused(&pair.b, &["-i", "b0", "-f", "interface eth9"]);
    assert_eq!(code, Some(6), "{said}");
    assert!(
        said.contains("interface eth9") && said.contains("-i eth9"),
        "{said}"
    );
}
