//! Labels and names of live traffic: over several periods, from egress, and where there is nothing to find them in.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use crate::conversations::{Say, Wire, answer, client_hello, dns, request, server_hello};
use crate::harness::{Ended, Pair, Sensor, eventually, ip, need_kernel};
use crate::{packets, reports, traffic};

const PORT: u16 = 9444;
const NAME: &str = "late.example.org";

/// The connection in one period, its ClientHello in the next, data in the third.
#[test]
fn a_label_that_comes_late_holds_for_the_whole_flow() {
    need_kernel!();
    for backend in ["xdp", "af-packet"] {
        let arguments = ["--backend", backend, "--interval", "100ms"];
        let ended = in_three_periods(
            &[&arguments[..], &["--report-every", "1s"]].concat(),
            |_| {},
        );
        reports_are_right(&ended, 3);
        let labels = labels(&ended);
        assert_eq!(labels[0], "tcp", "{backend}");
        assert!(
            labels[1..].iter().all(|label| label == "https"),
            "{backend}: {labels:?}"
        );
    }
}

/// What was learnt before SIGHUP is known behind it.
#[test]
fn names_outlive_a_reload() {
    need_kernel!();
    let ended = in_three_periods(&["--interval", "100ms", "--report-every", "1h"], |sensor| {
        sensor.signal(libc::SIGHUP);
        sensor.wait_for_line("settings read again");
    });
    reports_are_right(&ended, 3);
    assert_eq!(labels(&ended), ["tcp", "https", "https"]);
}

/// Plays a connection in three parts, each of which stands in another report than the one before.
fn in_three_periods(arguments: &[&str], between: impl Fn(&mut Sensor)) -> Ended {
    let pair = Pair::new(1500);
    ip(&["-n", &pair.b.name, "addr", "flush", "dev", "b0"]);
    let mut sensor = Sensor::start(&pair.b, &[&["-i", "b0"], arguments].concat());
    let mut wire = Wire::default();
    let hello = client_hello(NAME, "h2", 0);
    let data = || vec![0x17, 3, 3, 0, 40];
    let says = [Say::Client(hello), Say::Server(server_hello())];
    let more = (0..8).map(|_| Say::Client(data()));
    wire.tcp(
        "10.9.0.1:41000",
        &format!("192.0.2.1:{PORT}"),
        says.into_iter().chain(more),
    );
    let mut sent = 0;
    for part in [0..3, 3..5, 5..13] {
        if sent > 0 {
            let written = sensor.written().len();
            between(&mut sensor);
            eventually("the end of the period", || sensor.written().len() > written);
        }
        pair.a.send("a0", &wire.0[part.clone()]);
        sent += part.len() as u64;
        sensor.counted(sent);
    }
    sensor.stop()
}

/// `parts`: how many periods at least the flow has packets in.
fn reports_are_right(ended: &Ended, parts: usize) {
    reports_of_whole(&ended.report);
    let with_flow = ended.periods.iter().filter(|period| flow(period).is_some());
    assert!(with_flow.count() >= parts);
    for report in ended.periods.iter().chain([&ended.report]) {
        assert_eq!(report["accounting"]["identity_holds"], true);
        buckets_are_the_protocols(report);
        let Some(flow) = flow(report) else { continue };
        let named = flow["names"][0]["name"] == NAME;
        assert_eq!(named, flow["protocol"] == "https", "{flow:#}");
        assert_eq!(named, flow["tls"]["alpn"][0] == "h2", "{flow:#}");
    }
}

fn reports_of_whole(whole: &Value) {
    assert_eq!(whole["totals"]["packets"], 13);
    let flow = flow(whole).unwrap();
    assert_eq!(
        (&flow["protocol"], &flow["classified_by"]),
        (&"https".into(), &"handshake".into())
    );
    let application = whole["protocols"]["application"].as_array().unwrap();
    assert_eq!(application.len(), 1, "{application:#?}");
    assert_eq!(application[0]["packets"], 13);
}

/// What the buckets say of each application is what the whole report says.
fn buckets_are_the_protocols(report: &Value) {
    let application = report["protocols"]["application"].as_array().unwrap();
    for row in application {
        let name = row["name"].as_str().unwrap();
        for unit in ["packets", "bytes"] {
            let buckets = report["buckets"].as_array().unwrap().iter();
            let sum: u64 = buckets
                .filter_map(|bucket| bucket["application"][name][unit].as_u64())
                .sum();
            assert_eq!(row[unit], sum, "{unit} of {name}");
        }
    }
}

/// Of each period that has packets of the flow, in order.
fn labels(ended: &Ended) -> Vec<String> {
    let mut periods: Vec<&Value> = ended.periods.iter().collect();
    periods.sort_by_key(|period| period["end"].as_str().unwrap().to_owned());
    let flows = periods.into_iter().filter_map(flow);
    flows
        .map(|flow| flow["protocol"].as_str().unwrap().to_owned())
        .collect()
}

fn flow(report: &Value) -> Option<&Value> {
    let flows = report["flows"].as_array().unwrap();
    flows.iter().find(|flow| flow["dst_port"] == PORT)
}

#[test]
fn both_sides_name_what_leaves_by_tc() {
    both_sides("tc", "tc");
}

#[test]
fn both_sides_name_what_leaves_by_tc_and_comes_by_xdp() {
    both_sides("tc", "xdp");
}

/// Sockets of the host itself, whose kernel hands over super-packets and headers in pieces.
fn both_sides(sender: &str, receiver: &str) {
    need_kernel!();
    let pair = Pair::new(1500);
    let theirs = Sensor::start(&pair.b, &["-i", "b0", "--backend", receiver]);
    let ours = Sensor::start(&pair.a, &["-i", "a0", "--backend", sender]);
    // Larger than a packet: one super-packet where the device takes it.
    let padded = client_hello("large.example.org", "h2", 1200);
    exchange(
        &pair,
        9444,
        &client_hello("small.example.org", "h2", 0),
        &server_hello(),
    );
    exchange(&pair, 9445, &padded, &server_hello());
    exchange(&pair, 8080, &request("web.example.org"), &answer());
    let name = "asked.example.org";
    let [question, told] = [
        dns(Some(name), "", [0; 4]),
        dns(Some(name), name, [192, 0, 2, 1]),
    ];
    let framed = |message: &[u8]| [&(message.len() as u16).to_be_bytes()[..], message].concat();
    exchange(&pair, 53, &framed(&question), &framed(&told));
    let reports = [ours.stop().checked(), theirs.stop().checked()];
    for (report, side) in reports.iter().zip(["sender", "receiver"]) {
        let expected = [
            (9444, "https", "small.example.org"),
            (9445, "https", "large.example.org"),
            (8080, "http", "web.example.org"),
            (53, "dns", name),
        ];
        let wrong = expected.iter().filter(|(port, protocol, name)| {
            // Both ways of the connection.
            let flows = report["flows"].as_array().unwrap().iter();
            let rows: Vec<_> = flows
                .filter(|flow| flow["dst_port"] == *port || flow["src_port"] == *port)
                .collect();
            let right = |flow: &&Value| {
                let label = flow["protocol"] == *protocol && flow["classified_by"] != "port";
                label && flow["names"][0]["name"] == *name
            };
            let ok = rows.len() == 2 && rows.iter().all(right);
            if !ok {
                println!("{side}, port {port}: {rows:#?}");
            }
            !ok
        });
        assert_eq!(wrong.count(), 0, "{side}");
        assert_eq!(report["naming"]["lost"], 0);
        let server = &report["dns"]["servers"][0];
        assert_eq!(server["addr"], "10.9.0.2", "{side}");
        assert_eq!(server["questions"], 1, "{side}");
        assert_eq!(server["codes"], serde_json::json!({"noerror": 1}), "{side}");
    }
}

/// One connection from A to B, ended on both sides.
fn exchange(pair: &Pair, port: u16, asks: &[u8], answers: &[u8]) {
    let listener = pair
        .b
        .inside(|| TcpListener::bind(("10.9.0.2", port)).unwrap());
    let (len, answers) = (asks.len(), answers.to_vec());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut vec![0; len]).unwrap();
        stream.write_all(&answers).unwrap();
    });
    pair.a.inside(|| {
        let mut stream = TcpStream::connect(("10.9.0.2", port)).unwrap();
        stream.write_all(asks).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    });
    server.join().unwrap();
}

/// More new flows with large payloads than the ring has room for, if the agent does not look for long enough: what is
/// lost is said, and no count misses it.
#[test]
fn a_storm_of_new_flows_is_counted_whole() {
    need_kernel!();
    const FLOWS: u64 = 60_000;
    let pair = Pair::new(1500);
    ip(&["-n", &pair.b.name, "addr", "flush", "dev", "b0"]);
    let mut sensor = Sensor::start(&pair.b, &["-i", "b0", "--backend", "tc"]);
    let frames: Vec<_> = (0..FLOWS)
        .map(|flow| {
            let (host, port) = ((flow >> 13) as u8, (flow & 0x1fff) as u16);
            packets::tcp4(host, 10_000 + port, 9999, 1200)
        })
        .collect();
    // Stopped, it can't look: what the ring holds is all that there will be.
    sensor.signal(libc::SIGSTOP);
    traffic::send(&pair.a, "a0", &frames, 1);
    traffic::received(&pair.b, "b0", FLOWS);
    sensor.signal(libc::SIGCONT);
    sensor.counted(FLOWS);
    let report = sensor.stop().checked();
    assert_eq!(report["totals"]["packets"], FLOWS);
    assert_eq!(reports::lost(&report), 0);
    let naming = &report["naming"];
    println!("{naming}");
    let (payloads, lost) = (
        naming["payloads"].as_u64().unwrap(),
        naming["lost"].as_u64().unwrap(),
    );
    assert!(payloads > 0 && lost > 0);
    // Flows without room in the table have no record that could hand anything over.
    let overflow = report["accounting"]["overflow"]["packets"]
        .as_u64()
        .unwrap();
    println!("overflow: {overflow}");
    assert_eq!(payloads + lost + overflow, FLOWS);
    assert!(
        report["notes"].to_string().contains("payload"),
        "{}",
        report["notes"]
    );
}

#[test]
fn without_names_ports_alone_give_labels() {
    need_kernel!();
    for backend in ["xdp", "tc", "af-packet"] {
        let report = counted(
            &["--backend", backend, "--max-names", "0"],
            &conversations(),
        );
        let naming = &report["naming"];
        assert_eq!(
            (&naming["enabled"], &naming["payloads"]),
            (&false.into(), &0.into())
        );
        for flow in report["flows"].as_array().unwrap() {
            let by = &flow["classified_by"];
            assert!(by == "port" || by.is_null(), "{flow:#}");
            assert_eq!(
                (&flow["names"], &flow["tls"]),
                (&Value::Array(Vec::new()), &Value::Null)
            );
        }
    }
}

/// A scan, and a flood of padded acknowledgements: there is nothing in them, so nothing of them is handed over.
#[test]
fn a_flood_without_payload_is_not_looked_at() {
    need_kernel!();
    let mut frames = Vec::new();
    for number in 0..10_000u16 {
        for flags in [2, 0x10] {
            let mut frame = packets::tcp4(1, 20_000 + number, number % 1000 + 1, 0);
            frame[47] = flags;
            frame.resize(60, 0);
            frames.push(frame);
        }
    }
    for backend in ["xdp", "tc", "af-packet"] {
        let report = counted(&["--backend", backend], &frames);
        assert_eq!(report["totals"]["packets"], 20_000, "{backend}");
        assert_eq!(report["naming"]["enabled"], true);
        assert_eq!(report["naming"]["payloads"], 0, "{backend}");
    }
}

fn conversations() -> Vec<Vec<u8>> {
    crate::conversations::all()
}

/// The report of a run that counts all of the frames, as they come to B.
fn counted(arguments: &[&str], frames: &[Vec<u8>]) -> Value {
    let pair = Pair::new(1500);
    ip(&["-n", &pair.b.name, "addr", "flush", "dev", "b0"]);
    let mut sensor = Sensor::start(&pair.b, &[&["-i", "b0"], arguments].concat());
    traffic::send(&pair.a, "a0", frames, 1);
    sensor.counted(frames.len() as u64);
    sensor.stop().checked()
}
