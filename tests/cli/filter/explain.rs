//! `sensor filter`: how it is understood, what is decided where, how many packets match.

use serde_json::{Value, json};

use super::{pcap, pcapng};
use crate::harness::{Ran, file_in, sensor};

fn explain(arguments: &[&str]) -> Ran {
    let all = ["filter"].iter().chain(arguments);
    sensor(all).run().ended(0)
}

fn as_json(arguments: &[&str]) -> Value {
    explain(&[arguments, &["--json"]].concat()).json()
}

#[test]
fn every_part_says_where_it_is_decided() {
    let ran = explain(&[
        "tcp",
        "port",
        "443",
        "and",
        "len",
        ">",
        "100",
        "and",
        "bytes > 10M",
    ]);
    let expected = "\
filter      tcp port 443 and len > 100 and bytes > 10M
understood  tcp and port 443 and len > 100 and bytes > 10M

decided on each packet: tcp and port 443 and len > 100
  live, xdp and tc   in the kernel, before anything is counted
  live, af-packet    on each packet, from the headers that are copied
  files              on each packet
  reports read back  no, because of 'len > 100': reports have no packets to ask

decided on each flow: bytes > 10M
  everywhere         when the report is made, from all that was counted of the flow
";
    assert_eq!(ran.text(), expected);
    assert_eq!(ran.stderr, "");
}

#[test]
fn what_the_kernel_cannot_decide_is_named_with_what_can() {
    let text = explain(&["tcp or ether[12:2] = 0x8100"]);
    let kernel = text.text().lines().find(|line| line.contains("xdp and tc"));
    let kernel = kernel.unwrap();
    for part in [
        "no, because of 'ether[12:2] = ",
        "VLAN tag",
        "--backend auto takes af-packet",
    ] {
        assert!(kernel.contains(part), "{kernel}");
    }
    let parts = as_json(&["tcp or ether[12:2] = 0x8100"]);
    assert_eq!(parts["packets"]["kernel"]["decided"], false);
    assert_eq!(parts["packets"]["af_packet"]["decided"], true);
    assert_eq!(parts["packets"]["files"]["decided"], true);
    assert_eq!(parts["packets"]["reports"]["decided"], false);
    assert_eq!(parts["flows"], Value::Null);
}

#[test]
fn what_is_too_long_or_too_deep_for_the_kernel_is_known_without_it() {
    let nested = (0..12).fold("len".to_owned(), |inner, n| format!("(ip[{n}] - {inner})"));
    let tests: Vec<String> = (1..1_300).map(|n| format!("tcp[2:2] != {n}")).collect();
    for (expression, why) in [
        (format!("{nested} = 3"), "nested too deep"),
        (tests.join(" and "), "its length"),
    ] {
        let parts = as_json(&[&expression]);
        let kernel = &parts["packets"]["kernel"];
        assert_eq!(kernel["decided"], false);
        assert!(kernel["how"].as_str().unwrap().contains(why), "{kernel}");
        assert_eq!(parts["packets"]["af_packet"]["decided"], true);
    }
}

#[test]
fn lists_say_how_long_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let nets: String = (0..10_000)
        .map(|n| format!("10.{}.{}.0/25\n", n / 250, n % 250))
        .collect();
    file_in(folder.path(), "nets", nets.as_bytes());
    file_in(folder.path(), "ports", b"80\n443\n");
    let expression = "src net in file nets or dst net in file nets or port in file ports";
    let ran = sensor(["filter", expression])
        .folder(folder.path())
        .run()
        .ended(0);
    for line in [
        "list        net in file nets: 10,000 prefixes once merged\n",
        "list        port in file ports: 2 ranges of ports once merged\n",
    ] {
        assert_eq!(ran.text().matches(line).count(), 1, "{}", ran.text());
    }
}

#[test]
fn the_packets_of_files_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    file_in(folder.path(), "a.pcap", &pcap());
    file_in(folder.path(), "b.pcapng", &pcapng());
    let run = |arguments: &[&str], code| {
        let all = ["filter"].iter().chain(arguments);
        sensor(all).folder(folder.path()).run().ended(code)
    };
    let one = run(&["-r", "a.pcap", "udp"], 0);
    let line = "\na.pcap: 3 of 10 packets match, 186 B of 1.82 kB\n";
    assert!(one.text().ends_with(line), "{}", one.text());
    let two = run(&["udp", "-r", "a.pcap", "-r", "b.pcapng"], 0);
    let line = "b.pcapng: 3 of 10 packets match, 186 B of 1.82 kB\nin all: 6 of 20 packets match, 372 B of 3.64 kB\n";
    assert!(two.text().ends_with(line), "{}", two.text());
    // A flow is one of all files.
    let flows = run(
        &["packets > 5", "-r", "a.pcap", "-r", "b.pcapng", "--json"],
        0,
    )
    .json();
    assert_eq!(flows["matched"]["packets"], 16);
    assert_eq!(flows["seen"], json!({"packets": 20, "bytes": 3644}));
    let matched = |index: usize| flows["files"][index]["matched"]["packets"].clone();
    assert_eq!([matched(0), matched(1)], [0, 0]);
    // What was read before the damage counts.
    file_in(folder.path(), "cut.pcap", &pcap()[..700]);
    let cut = run(&["tcp", "-r", "cut.pcap"], 5).says(&["cut.pcap: damaged at byte"]);
    assert!(
        cut.text().contains("cut.pcap: 3 of 3 packets match"),
        "{}",
        cut.text()
    );
    let none = run(&["tcp", "-r", "none.pcap"], 5).says(&["none.pcap: cannot be opened"]);
    assert!(!none.text().contains("packets match"), "{}", none.text());
}

#[test]
fn standard_input_is_a_file_too() {
    let ran = sensor(["filter", "-r", "-", "arp"])
        .stdin(&pcap())
        .run()
        .ended(0);
    assert!(
        ran.text().contains("-: 1 of 10 packets match, 42 B of"),
        "{}",
        ran.text()
    );
}

#[test]
fn an_empty_filter_lets_everything_through() {
    assert_eq!(explain(&[""]).text(), "no filter: every packet matches\n");
    let parts = as_json(&[""]);
    assert_eq!([&parts["packets"], &parts["flows"]], [&Value::Null; 2]);
    let ran = sensor(["filter"]).run().ended(2);
    assert_eq!(
        ran.line(),
        "which filter? as in: sensor filter 'tcp port 443'"
    );
}
