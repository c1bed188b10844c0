//! What `sensor doctor` finds out without any privilege, or with those of whoever runs this.

use crate::harness::sensor;
use crate::support::schema;

#[test]
fn every_gate_has_its_evidence_and_the_exit_code_is_the_verdict() {
    let ran = sensor(["doctor", "-i", "lo", "--json", "-"]).run();
    let found: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(schema::problems_of_doctor(&found), [""; 0]);
    let verdict = &found["verdict"];
    let exit = match (
        verdict["can_count"].as_bool(),
        verdict["permission"].as_bool(),
    ) {
        (Some(true), _) => 0,
        (_, Some(true)) => 3,
        _ => 4,
    };
    let ran = ran.ended(exit);
    assert_eq!(
        format!("{}\n", verdict["why"].as_str().unwrap()),
        ran.stderr
    );
    let gates = found["gates"].as_array().unwrap();
    let names: Vec<_> = gates
        .iter()
        .map(|gate| gate["name"].as_str().unwrap())
        .collect();
    for name in [
        "kernel",
        "ebpf-capabilities",
        "af-packet",
        "programs",
        "jit",
        "sandbox",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    let interface = &found["interfaces"][0];
    assert_eq!(interface["name"], "lo");
    for gate in gates.iter().chain(interface["gates"].as_array().unwrap()) {
        assert_ne!(gate["evidence"], "", "{gate}");
    }
}

#[test]
fn text_says_the_same_without_colour_through_a_pipe() {
    let ran = sensor(["doctor", "-i", "lo"]).run();
    let text = ran.text();
    assert!(
        text.starts_with("sensor ") && !text.contains('\x1b'),
        "{text}"
    );
    for part in ["\nMachine\n", "\nInterface lo (", "native-xdp"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn an_interface_that_is_not_there_is_told_as_run_tells_it() {
    let ran = sensor(["doctor", "-i", "nosuch0"]).run().ended(4);
    assert!(
        ran.line()
            .starts_with("no interface is called nosuch0; there are: ")
    );
}
