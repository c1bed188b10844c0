use super::escape::width;
use super::*;
use crate::counters::{Delta, DeltaConfig, Flow};
use crate::report::samples::*;
use crate::report::{Context, FileInfo, InterfaceCounters, Name, Place, Written, build};

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

/// `selected` says for each flow whether it stays; packets without a flow do not.
fn filtered(samples: &[Sample], max_flows: usize, selected: fn(&Flow) -> bool) -> String {
    let mut delta = Delta::new(DeltaConfig {
        trail: true,
        names: 0,
        ..config(max_flows)
    });
    samples.iter().for_each(|sample| sample.count(&mut delta));
    delta.flush();
    let kept = delta.select(&mut |_, flow| flow.is_some_and(selected));
    let mut context = context();
    context.filter = Some("https and bytes > 10k".into());
    render(&build(&kept, &context), &plain(80))
}

#[test]
fn a_filter_says_what_it_left_out() {
    let samples = [
        tcp4(HOST, 40_000, [192, 0, 2, 1], 443).of(1000, 500_000),
        udp6(LONG6, 40_000, DNS6, 53).of(1, 200).at(SECOND),
        arp().of(1200, 72_000).at(2 * SECOND),
        malformed().at(3 * SECOND),
    ];
    let text = filtered(&samples, 10, |flow| flow.bytes > 10_000 && flow.key.is_ip());
    for lines in [
        "  filter     https and bytes > 10k\n             1,000 of 2,202 packets matched\n",
        "  time       2023-11-14 22:13:20.000 to 22:13:20.000 UTC, 0 s\n",
        "  all       1,000  500 kB          -\n",
        "\nAccounting holds\n  seen 2,202 packets = 1,000 in flows + 0 overflow + 0 not IP + 0 malformed +\n    \
         1,202 filtered\n  filtered out: 1,202 packets, 72.2 kB\n  lost ",
    ] {
        assert!(text.contains(lines), "{lines}{text}");
    }
    assert!(!text.contains("dns") && !text.contains("arp"), "{text}");
}

#[test]
fn nothing_matched_is_said_clearly() {
    let text = filtered(&[arp().of(1200, 72_000)], 10, |_| false);
    let expected = format!(
        "\
sensor {} on edge-7, backend xdp
  interface  eth0: ingress xdp native, egress tcx
  filter     https and bytes > 10k
             0 of 1,200 packets matched
  time       no packet matched

Totals    packets  bytes  mean rate
  all           0    0 B          -

Accounting holds
  seen 1,200 packets = 0 in flows + 0 overflow + 0 not IP + 0 malformed +
    1,200 filtered
  filtered out: 1,200 packets, 72.0 kB
  lost       nothing, says the kernel
",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(text, expected);
}

#[test]
fn what_the_filter_could_not_judge_is_noted() {
    let samples = [tcp4(HOST, 1, HOST, 2), tcp4(HOST, 3, HOST, 4).of(7, 700)];
    let text = filtered(&samples, 1, |_| false);
    assert!(text.contains("7 of 8 packets matched"), "{text}");
    assert!(text.contains("no room in the flow table: 7;"), "{text}");
}

#[test]
fn no_line_is_wider_than_the_terminal_and_nothing_escapes() {
    let report = named(build(
        &minute(30),
        &Context {
            top_n: 0,
            ..hostile()
        },
    ));
    for limit in 0..170 {
        let text = render(&report, &plain(limit));
        for line in text.lines() {
            assert!(width(line) <= limit.max(MIN_WIDTH), "{limit}: {line}");
            assert!(!line.ends_with(' '), "{line:?}");
        }
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}' || c == NO_BREAK;
        assert!(!text.contains(bad));
    }
}

/// Names as bad as they come, at every address.
fn named(mut report: Report) -> Report {
    let names = |n: usize| {
        let long = "sub-".repeat(60);
        let list = [
            (format!("host{n}.example.com"), "dns"),
            (format!("{long}{n}.例え.example.org"), "sni"),
            (
                "evil\u{202e}moc.\x1b[2J\r\n\u{9b}0m".to_owned(),
                "reverse-dns",
            ),
            ("\\xff\\xfe".to_owned(), "netbios"),
        ];
        let list = list.into_iter().cycle().skip(n % 4).take(n % 5);
        list.map(|(name, source)| Name {
            name,
            source: source.into(),
        })
        .collect()
    };
    for (n, one) in report.endpoints.iter_mut().enumerate() {
        one.names = names(n);
        one.geo = (n % 3 == 0).then(|| Place {
            country: Some("SE".into()),
            city: Some("Link\u{7}öping".into()),
            asn: Some(29_518),
            as_org: Some("An organisation with a name \u{1b}[31m".repeat(n % 4)),
            ..Place::default()
        });
    }
    for (n, one) in report.conversations.iter_mut().enumerate() {
        (one.a_names, one.b_names) = (names(n), names(n + 2));
    }
    for (n, one) in report.flows.iter_mut().enumerate() {
        one.names = names(n);
    }
    report
}

#[test]
fn names_stand_beside_their_addresses() {
    let samples = [
        tcp4(HOST, 40_000, [192, 0, 2, 1], 443).of(10, 1000),
        tcp4([192, 0, 2, 1], 443, HOST, 40_000).of(20, 30_000),
    ];
    let mut report = build(&delta_of(&samples, 100), &context());
    let name = |name: &str, source: &'static str| Name {
        name: name.into(),
        source: source.into(),
    };
    let server = name("api.example.com", "sni");
    report.endpoints[0].names = vec![name("laptop", "dhcp"), name("laptop.local", "mdns")];
    report.endpoints[1].names = vec![server.clone()];
    report.endpoints[1].geo = Some(Place {
        country: Some("SE".into()),
        asn: Some(29_518),
        ..Place::default()
    });
    report.conversations[0].b_names = vec![server.clone()];
    for flow in &mut report.flows {
        flow.names = vec![server.clone()];
        flow.classified_by = Some("payload".into());
    }
    let wide = render(&report, &plain(120));
    for line in [
        "  10.0.0.1   1.00 kB   30.0 kB  31.0 kB       30  laptop (dhcp) +1\n",
        "  192.0.2.1  30.0 kB   1.00 kB  31.0 kB       30  api.example.com (sni)  SE, AS29518\n",
        "  10.0.0.1 <> 192.0.2.1  1.00 kB  30.0 kB       30   0 s  -  <> api.example.com (sni)\n",
        "  192.0.2.1:443 > 10.0.0.1:40000  tcp/https  30.0 kB       20   0 s  SA     api.example.com (sni)\n",
    ] {
        assert!(wide.contains(line), "{line}{wide}");
    }
    let narrow = render(&report, &plain(60));
    assert!(
        narrow.contains("\n      api.example.com (sni)\n"),
        "{narrow}"
    );
}

#[test]
fn a_guess_looks_like_one() {
    let samples = [
        tcp4(HOST, 40_000, [192, 0, 2, 1], 443).of(10, 1000),
        tcp4(HOST, 40_000, [192, 0, 2, 1], 80).of(10, 1000),
    ];
    let mut report = build(&delta_of(&samples, 100), &context());
    let text = render(&report, &plain(80));
    for part in [
        "  http?  ",
        "  https?  ",
        "░░░",
        " tcp/http?  ",
        "  ? and ░: told by the port",
    ] {
        assert!(text.contains(part), "{part}{text}");
    }
    for row in &mut report.protocols.application {
        let counts = row.classified_by.remove("port").unwrap();
        row.classified_by.insert("payload".into(), counts);
    }
    for row in &mut report.flows {
        row.classified_by = Some("payload".into());
    }
    let text = render(&report, &plain(80));
    assert!(!text.contains(['?', '░']), "{text}");
    // Half of a row.
    let row = &mut report.protocols.application[0];
    let half = Counts {
        packets: 5,
        bytes: 500,
    };
    row.classified_by.insert("payload".into(), half);
    row.classified_by.insert("port".into(), half);
    let text = render(&report, &plain(80));
    assert!(text.contains("50.0 %  ██████░░░░░░\n"), "{text}");
    assert!(
        text.contains("  ? and ░") && !text.contains("http?"),
        "{text}"
    );
}

#[test]
fn addresses_are_never_cut() {
    let report = named(build(
        &minute(12),
        &Context {
            top_n: 0,
            ..context()
        },
    ));
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

#[test]
fn what_was_written_is_told_and_what_was_not() {
    let mut report = build(&delta_of(&[], 1), &context());
    let whole = Written {
        path: "out.pcapng".to_owned(),
        files: 1,
        packets: 1000,
        bytes: 123_000,
        ..Written::default()
    };
    let torn = Written {
        files: 3,
        files_replaced: 2,
        packets_unwritten: 7,
        error: Some("out.pcapng could not be written: disk full".to_owned()),
        ..whole.clone()
    };
    report.written = vec![whole, torn];
    let text = render(&report, &plain(80));
    let expected = [
        "  written    out.pcapng: 1,000 packets, 123 kB",
        "  written    out.pcapng: 1,000 packets, 123 kB, 3 files, of which 2 were",
        "             replaced, 7 packets NOT written, out.pcapng could not be written:",
        "             disk full",
    ];
    assert!(text.contains(&expected.join("\n")), "{text}");
}
