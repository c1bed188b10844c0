//! The command line itself.

use crate::harness::{Ran, sensor};

fn refused(arguments: &[&str]) -> Ran {
    let ran = sensor(arguments).run().ended(2);
    assert!(ran.stdout.is_empty(), "{arguments:?} wrote {}", ran.text());
    ran
}

#[test]
fn no_arguments_get_help_with_examples() {
    refused(&[]).says(&[
        "Usage: sensor",
        "run",
        "read",
        "interfaces",
        "sensor read capture.pcap",
    ]);
    refused(&["read"]).says(&["<FILE>"]);
}

#[test]
fn help_and_version_go_to_standard_output() {
    for command in [&[][..], &["run"], &["read"], &["interfaces"]] {
        let ran = sensor(command.iter().chain(&["--help"])).run().ended(0);
        assert_eq!(ran.stderr, "");
        let example = format!("Examples:\n  sensor {}", command.first().unwrap_or(&"run"));
        assert!(ran.text().contains(&example), "{}", ran.text());
    }
    let version = sensor(["--version"]).run().ended(0);
    assert_eq!(
        version.text(),
        format!("sensor {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_misspelt_flag_or_command_is_met_with_the_right_one() {
    refused(&["read", "x.pcap", "--jsn", "-"]).says(&["'--jsn'", "'--json'"]);
    refused(&["red", "x.pcap"]).says(&["'red'", "'read'"]);
    refused(&["read", "x.pcap", "--frobnicate"]).says(&["'--frobnicate'"]);
}

#[test]
fn an_interval_says_its_range() {
    for bad in [
        "0",
        "0s",
        "-1",
        "-1s",
        "nan",
        "1e30",
        "10",
        "9ms",
        "25h",
        "",
        "999999999999999h",
    ] {
        let interval = format!("--interval={bad}");
        refused(&["read", "x.pcap", &interval])
            .says(&["--interval", "from 10ms to 24h, with a unit: 500ms"]);
        let bad = if bad == "25h" { "0" } else { bad };
        refused(&["run", &format!("--report-every={bad}")])
            .says(&["--report-every", "from 100ms to 366 days, with a unit"]);
        let bad = if bad == "9ms" { "0" } else { bad };
        refused(&["run", &format!("--duration={bad}")]).says(&[
            "--duration",
            "more than 0 and at most 366 days, with a unit",
        ]);
    }
}

#[test]
fn numbers_say_their_range() {
    refused(&["read", "x.pcap", "--max-flows", "0"]).says(&["--max-flows", "1..=268435456"]);
    refused(&["read", "x.pcap", "--max-flows", "4294967295"]).says(&["1..=268435456"]);
    refused(&["read", "x.pcap", "-n", "many"]).says(&["--top", "many"]);
    refused(&["run", "--count", "0"]).says(&["--count"]);
    refused(&["run", "--kernel-flows", "4294967296"]).says(&["--kernel-flows"]);
    refused(&["run", "--backend", "magic"]).says(&["auto", "xdp", "tc", "af-packet"]);
}

#[test]
fn top_takes_a_file_or_interfaces() {
    refused(&["top", "-i", "lo", "-r", "x.pcap"]).says(&["'--interface <IF>' cannot be used with"]);
}
