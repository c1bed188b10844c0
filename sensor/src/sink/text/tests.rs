use super::escape::width;
use super::*;
use crate::report::samples::*;
use crate::report::{Context, InterfaceCounters, build};

fn plain(width: usize) -> Options {
    Options {
        width,
        colour: false,
    }
}

/// Everything that comes from outside, at its worst.
fn hostile() -> Context {
    let mut context = context();
    context.hostname = "edge\u{202e}7".into();
    context.interfaces[0].name = "eth0\x1b[2J".into();
    context.filter = Some("host 10.0.0.1\nand tcp".into());
    context.files = vec![FileInfo {
        path: format!("日本語/{}.pcap\r", "very-long-".repeat(30)),
        format: "pcapng".into(),
        link_types: vec!["ethernet".into(), "raw-ip".into()],
        packets: 1234,
        complete: false,
        error: Some("packet 1235 is cut off at byte 99,120".into()),
    }];
    context.interface_counters = vec![InterfaceCounters {
        interface: "eth0\u{7}".into(),
        direction: "ingress".into(),
        packets: 10,
        counted_packets: 9,
        verdict: "one packet was dropped before the hook".into(),
        ..InterfaceCounters::default()
    }];
    context.notes = vec!["a note\u{8} with words, ".repeat(12)];
    context
}

#[test]
fn a_small_report_reads_like_this() {
    let samples = [
        tcp4(HOST, 40_000, [192, 0, 2, 1], 443).of(10, 1000),
        tcp4([192, 0, 2, 1], 443, HOST, 40_000)
            .of(20, 30_000)
            .at(2 * SECOND),
        udp6(LONG6, 40_000, DNS6, 53).of(2, 200).at(SECOND),
        arp().at(2 * SECOND),
    ];
    let mut delta = delta_of(&samples, 100);
    delta.lost("ring buffer", 3);
    let text = render(&build(&delta, &context()), &plain(60));
    let expected = include_str!("small.txt").replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert_eq!(text, expected);
}

#[test]
fn an_empty_report_has_no_tables_of_nothing() {
    let text = render(&build(&delta_of(&[], 1), &context()), &plain(80));
    let expected = format!(
        "\
sensor {} on edge-7, backend xdp
  interface  eth0: ingress xdp native, egress tcx
  time       no packet has one

Totals    packets  bytes  mean rate
  all           0    0 B          -

Accounting holds
  seen 0 packets = 0 in flows + 0 overflow + 0 not IP + 0 malformed
  lost       nothing, says the kernel
",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(text, expected);
}

#[test]
fn no_line_is_wider_than_the_terminal_and_nothing_escapes() {
    let report = build(
        &minute(30),
        &Context {
            top_n: 0,
            ..hostile()
        },
    );
    for limit in 0..140 {
        let text = render(&report, &plain(limit));
        for line in text.lines() {
            assert!(width(line) <= limit.max(MIN_WIDTH), "{limit}: {line}");
            assert!(!line.ends_with(' '), "{line:?}");
        }
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}' || c == NO_BREAK;
        assert!(!text.contains(bad));
    }
}

#[test]
fn addresses_are_never_cut() {
    let report = build(
        &minute(12),
        &Context {
            top_n: 0,
            ..context()
        },
    );
    for limit in [60, 80, 100, 200] {
        let text = render(&report, &plain(limit));
        assert!(text.contains("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"));
        assert!(text.contains("[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:40000"));
        for flow in &report.flows {
            assert!(text.contains(&flow.src_addr.to_string()));
        }
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let mut report = build(
        &minute(30),
        &Context {
            top_n: 2,
            ..context()
        },
    );
    let text = render(&report, &plain(100));
    let rows = units::count(report.flows_total - 2);
    let packets = units::packets(report.others.flows.packets);
    assert!(text.contains(&format!("  and {rows} more: {packets}, ")));
    report.accounting.identity_holds = false;
    assert!(render(&report, &plain(100)).contains("\nAccounting VIOLATED\n"));
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let report = report(5);
    let coloured = render(
        &report,
        &Options {
            width: 80,
            colour: true,
        },
    );
    let stripped = [BOLD, RED, RESET]
        .iter()
        .fold(coloured.clone(), |text, code| text.replace(code, ""));
    assert_eq!(stripped, render(&report, &plain(80)));
    assert!(coloured.contains(BOLD));
}
