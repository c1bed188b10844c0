//! Which hook each interface gets, that the report says why, and what a refusal tells the user to do.

use serde_json::Value;

use crate::harness::{Namespace, Pair, Sensor, ip, kernel_before, need_kernel, refused};
use crate::traffic;

#[test]
fn the_report_names_hook_mode_and_reason() {
    need_kernel!();
    let pair = Pair::new(1500);
    for (arguments, ingress, mode, why, egress) in [
        (&[][..], "tcx", Value::Null, "segmentation offload", "tcx"),
        (
            &["--backend", "tc"][..],
            "tcx",
            Value::Null,
            "TC was asked for",
            "tcx",
        ),
        (
            &["--backend", "xdp"][..],
            "xdp",
            "native".into(),
            "every packet",
            "tcx",
        ),
        (
            &["--xdp-mode", "native"][..],
            "xdp",
            "native".into(),
            "every packet",
            "tcx",
        ),
        (
            &["--xdp-mode", "generic"][..],
            "xdp",
            "generic".into(),
            "several packets",
            "tcx",
        ),
        (
            &["--backend", "af-packet"][..],
            "af-packet",
            Value::Null,
            "AF_PACKET was asked for",
            "af-packet",
        ),
    ] {
        let sensor = Sensor::start(&pair.a, &[&["-i", "a0"], arguments].concat());
        assert_eq!(lines(&sensor.greeting), 2, "{}", sensor.greeting);
        let report = sensor.stop().checked();
        let one = &report["source"]["interfaces"][0];
        // Below 6.6 TC programs are attached to clsact.
        let same = |hook: &Value, name: &str| hook == name || (name == "tcx" && hook == "clsact");
        assert!(same(&one["ingress"]["hook"], ingress), "{one:#}");
        assert!(same(&one["egress"]["hook"], egress), "{one:#}");
        assert_eq!(one["ingress"]["mode"], mode, "{arguments:?}");
        let said = one["ingress"]["why"].as_str().unwrap();
        assert!(said.contains(why), "{said}");
        let backend = match ingress {
            "tcx" => "tc",
            other => other,
        };
        assert_eq!(report["source"]["backend"], backend);
    }
}

#[test]
fn each_refusal_is_one_line_for_those_who_ask() {
    need_kernel!();
    let namespace = Namespace::new();
    let quiet = Sensor::start(&namespace, &["-i", "lo"]);
    assert_eq!(lines(&quiet.greeting), 2, "{}", quiet.greeting);
    quiet.stop().checked();
    let verbose = Sensor::start(&namespace, &["-v", "-i", "lo"]);
    let refusal = "lo: no XDP: the driver of lo has no native XDP\n";
    assert!(verbose.greeting.contains(refusal), "{}", verbose.greeting);
    // The refusal, and what was given up.
    assert_eq!(lines(&verbose.greeting), 4, "{}", verbose.greeting);
    verbose.stop().checked();
}

#[test]
fn no_native_xdp_is_said_with_what_to_type_instead() {
    need_kernel!();
    let namespace = Namespace::new();
    ip(&[
        "-n",
        &namespace.name,
        "link",
        "add",
        "br0",
        "type",
        "bridge",
    ]);
    for interface in ["lo", "br0"] {
        for pinned in [["--backend", "xdp"], ["--xdp-mode", "native"]] {
            let (code, said) = refused(&namespace, &[&["-i", interface], &pinned[..]].concat());
            assert_eq!(code, Some(4), "{said}");
            let reason = format!(
                "sensor: {interface} can't be counted: no XDP: the driver of {interface} has no native XDP; \
                 try --backend tc"
            );
            assert!(said.contains(&reason), "{said}");
            assert_eq!(lines(&said), 1, "{said}");
        }
        // And that works.
        Sensor::start(&namespace, &["-i", interface, "--backend", "tc"])
            .stop()
            .checked();
    }
}

#[test]
fn modes_that_the_backend_has_not_are_refused() {
    need_kernel!();
    let namespace = Namespace::new();
    for backend in ["tc", "af-packet"] {
        let arguments = ["-i", "lo", "--backend", backend, "--xdp-mode", "generic"];
        let (code, said) = refused(&namespace, &arguments);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("--xdp-mode"), "{said}");
    }
}

#[test]
fn an_interface_that_is_not_there_is_named_with_those_that_are() {
    need_kernel!();
    let pair = Pair::new(1500);
    let (code, said) = refused(&pair.a, &["-i", "eth7"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("eth7") && said.contains("lo, a0"), "{said}");
}

#[test]
fn an_xdp_hook_that_is_taken_is_left_alone() {
    need_kernel!();
    let pair = Pair::new(1500);
    let first = Sensor::start(&pair.a, &["-i", "a0", "--backend", "xdp"]);
    let holder = pair
        .a
        .inside(|| sensor::link::by_name("a0").unwrap().unwrap().xdp);
    let id = holder.unwrap().prog_id;
    // In the same mode the kernel says EBUSY, in another one EEXIST.
    for mode in ["native", "generic"] {
        let arguments = ["-i", "a0", "--backend", "xdp", "--xdp-mode", mode];
        let (code, said) = refused(&pair.a, &arguments);
        assert_eq!(code, Some(4), "{said}");
        let reason = format!("the XDP hook of a0 is taken by program id {id}; try --backend tc");
        assert!(said.contains(&reason), "{said}");
    }
    let second = Sensor::start(&pair.a, &["-i", "a0"]);
    traffic::send(&pair.b, "b0", &traffic::frames(10), 10);
    traffic::send(&pair.a, "a0", &traffic::frames(10), 20);
    let holder = pair
        .a
        .inside(|| sensor::link::by_name("a0").unwrap().unwrap().xdp);
    assert_eq!(holder.unwrap().prog_id, id);
    for (mut sensor, hook) in [(second, "tcx"), (first, "xdp")] {
        sensor.counted(300);
        let report = sensor.stop().checked();
        let one = &report["source"]["interfaces"][0];
        assert_eq!(one["ingress"]["hook"], hook);
        assert_eq!(report["totals"]["ingress"]["packets"], 100, "{hook}");
        assert_eq!(report["totals"]["egress"]["packets"], 200, "{hook}");
    }
}

#[test]
fn two_sensors_on_one_interface_both_count_everything() {
    need_kernel!();
    for (one, other) in [("tc", "tc"), ("tc", "af-packet"), ("xdp", "af-packet")] {
        let pair = Pair::new(1500);
        if (one, other) == ("tc", "tc") && kernel_before(6, 6) {
            a_second_one_is_refused(&pair);
            continue;
        }
        let sensors =
            [one, other].map(|backend| Sensor::start(&pair.a, &["-i", "a0", "--backend", backend]));
        traffic::send(&pair.b, "b0", &traffic::frames(10), 10);
        traffic::send(&pair.a, "a0", &traffic::frames(10), 20);
        for mut sensor in sensors {
            sensor.counted(300);
            let report = sensor.stop().checked();
            assert_eq!(report["totals"]["ingress"]["packets"], 100);
            assert_eq!(report["totals"]["egress"]["packets"], 200);
        }
    }
}

/// The first one goes on counting.
fn a_second_one_is_refused(pair: &Pair) {
    let mut first = Sensor::start(&pair.a, &["-i", "a0", "--backend", "tc"]);
    let (code, said) = refused(&pair.a, &["-i", "a0", "--backend", "tc"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(
        said.contains("another sensor counts it by clsact"),
        "{said}"
    );
    traffic::send(&pair.b, "b0", &traffic::frames(10), 10);
    first.counted(100);
    first.stop().checked();
}

fn lines(text: &str) -> usize {
    text.lines().count()
}
