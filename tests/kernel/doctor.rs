//! What `sensor doctor` sees of interfaces and of what this process may do.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Pair, Sensor, need_kernel};
use crate::privilege::{EBPF, NO_SETPRIV, Nobody};
use crate::support::schema;

/// Exit code, and what it found.
fn doctor(mut command: Command) -> (Option<i32>, Value) {
    let output = command
        .args(["doctor", "-i", "b0", "--json", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let found = serde_json::from_slice(&output.stdout);
    let found: Value = found.unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!(schema::problems_of_doctor(&found), [""; 0]);
    (output.status.code(), found)
}

fn gate<'a>(found: &'a Value, name: &str) -> &'a Value {
    let machine = found["gates"].as_array().unwrap();
    let interface = found["interfaces"][0]["gates"].as_array().unwrap();
    let mut all = machine.iter().chain(interface);
    let gate = all.find(|gate| gate["name"] == name);
    gate.unwrap_or_else(|| panic!("no gate {name}: {found:#}"))
}

#[test]
fn whose_programs_are_there_is_told() {
    need_kernel!();
    let pair = Pair::new(1500);
    let root = || pair.b.command(env!("CARGO_BIN_EXE_sensor"));
    let (code, found) = doctor(root());
    assert_eq!(code, Some(0), "{found:#}");
    for open in ["programs", "exact-tables", "native-xdp", "xdp-hook-free"] {
        assert_eq!(gate(&found, open)["state"], "open", "{found:#}");
    }
    let sensor = Sensor::start(&pair.b, &["-i", "b0", "--backend", "xdp"]);
    let (code, found) = doctor(root());
    assert_eq!(code, Some(0), "{found:#}");
    let taken = gate(&found, "xdp-hook-free");
    assert_eq!(taken["state"], "closed");
    let evidence = taken["evidence"].as_str().unwrap();
    assert!(evidence.contains("(sensor_xdp"), "{evidence}");
    let holder = format!("sensor (pid {})", sensor.pid());
    assert!(evidence.contains(&holder), "{evidence}");
    let others = gate(&found, "other-tcx")["evidence"].as_str().unwrap();
    assert!(others.starts_with("egress sensor_tc_egres"), "{others}");
    // Looking has changed nothing.
    sensor.stop().checked();
}

/// What it says would be done is what `run` does.
#[test]
fn the_hooks_it_foretells_are_those_that_are_taken() {
    need_kernel!();
    let pair = Pair::new(1500);
    let (_, found) = doctor(pair.b.command(env!("CARGO_BIN_EXE_sensor")));
    let sensor = Sensor::start(&pair.b, &["-i", "b0"]);
    let report = sensor.stop().checked();
    for way in ["ingress", "egress"] {
        let foretold = &found["interfaces"][0][way];
        let taken = &report["source"]["interfaces"][0][way];
        assert_eq!(foretold["hook"], taken["hook"], "{way}");
        assert_eq!(foretold["why"], taken["why"], "{way}");
    }
}

#[test]
fn what_may_be_done_decides() {
    need_kernel!();
    let Some(nobody) = Nobody::new() else {
        return println!("{NO_SETPRIV}");
    };
    let pair = Pair::new(1500);
    for (capabilities, exit, backends) in [
        ("", 3, &[][..]),
        ("net_raw", 0, &["af-packet"]),
        ("bpf,net_admin", 3, &[]),
        (EBPF, 0, &["xdp", "tc"]),
    ] {
        let (code, found) = doctor(nobody.command(&pair.b, capabilities));
        assert_eq!(code, Some(exit), "{capabilities}: {found:#}");
        let possible = found["verdict"]["backends"].as_array().unwrap();
        assert_eq!(possible, backends, "{capabilities}: {found:#}");
        let lacks = gate(&found, "ebpf-capabilities");
        let open = capabilities == EBPF;
        assert_eq!(lacks["state"] == "open", open, "{lacks}");
        if !open {
            let remedy = lacks["remedy"].as_str().unwrap();
            assert!(remedy.starts_with("sudo setcap cap_bpf,"), "{remedy}");
        }
    }
}
