//! Metrics, by those who are to read them: promtool, and a Prometheus that scrapes a run.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{address, get, number};
use crate::harness::{Namespace, Pair, Sensor, eventually, need_kernel};
use crate::traffic;

const FLOWS: u16 = 10_000;

/// A Prometheus of this test alone; ended with it.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// None, with the reason printed, where it is not installed.
    fn start(namespace: &Namespace, target: SocketAddr) -> Option<Self> {
        let version = Command::new("prometheus").arg("--version").output();
        if !version.is_ok_and(|output| output.status.success()) {
            println!("skipped: there is no prometheus here to scrape with");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms }}\nscrape_configs:\n  - job_name: sensor\n    static_configs: [{{ targets: ['{target}'] }}]\n"
        );
        let path = folder.path().join("prometheus.yml");
        std::fs::write(&path, config).unwrap();
        // The namespace is the test's own: no port of it is taken.
        let address: SocketAddr = "127.0.0.1:9090".parse().unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = namespace
            .command("prometheus")
            .arg(format!("--config.file={}", path.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Some(Prometheus {
            child,
            address,
            _folder: folder,
        })
    }

    /// The value of an expression with one series; `None` while it has none.
    fn value(&self, namespace: &Namespace, expression: &str) -> Option<u64> {
        let up = namespace.inside(|| std::net::TcpStream::connect(self.address).is_ok());
        if !up {
            return None;
        }
        let path = format!("/api/v1/query?query={expression}");
        let answer: Value = serde_json::from_str(&get(namespace, self.address, &path)).ok()?;
        answer["data"]["result"][0]["value"][1]
            .as_str()?
            .parse()
            .ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What promtool says of an exposition; nothing is good.
fn checked(text: &str) -> Option<String> {
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("skipped: there is no promtool here to check metrics with");
        return None;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&said)
    );
    Some(String::from_utf8(said).unwrap())
}

/// A row of the report, and what Prometheus has of its packets and bytes.
const ASKED: [[&str; 3]; 5] = [
    [
        "totals",
        "sum(sensor_traffic_packets_total)",
        "sum(sensor_traffic_bytes_total)",
    ],
    [
        "seen",
        "sum(sensor_seen_packets_total)",
        "sum(sensor_seen_bytes_total)",
    ],
    [
        "in_flows",
        "sum(sensor_in_flows_packets_total)",
        "sum(sensor_in_flows_bytes_total)",
    ],
    [
        "udp",
        "sensor_transport_packets_total{transport='udp'}",
        "sensor_transport_bytes_total{transport='udp'}",
    ],
    [
        "dns",
        "sensor_application_packets_total{application='dns'}",
        "sensor_application_bytes_total{application='dns'}",
    ],
];

#[test]
fn prometheus_scrapes_the_totals_of_the_final_report() {
    need_kernel!();
    let pair = Pair::new(1500);
    let periods = ["--interval", "200ms", "--report-every", "1s"];
    let arguments = [&["-i", "b0", "--metrics", "0"][..], &periods].concat();
    let mut sensor = Sensor::start(&pair.b, &arguments);
    let served = address(&sensor, "metrics");
    let Some(prometheus) = Prometheus::start(&pair.b, served) else {
        return;
    };
    traffic::send(&pair.a, "a0", &traffic::frames(FLOWS), 3);
    // Counters go on over a reload.
    sensor.signal(libc::SIGHUP);
    sensor.wait_for_line("SIGHUP");
    traffic::send(&pair.a, "a0", &traffic::frames(100), 7);
    let packets = 3 * u64::from(FLOWS) + 700;
    sensor.counted(packets);
    eventually("everything scraped", || {
        prometheus.value(&pair.b, ASKED[0][1]) == Some(packets)
    });
    let text = get(&pair.b, served, "/metrics");
    bounded(&text);
    if let Some(said) = checked(&text) {
        assert_eq!(said, "");
    }
    let scraped = |expression: &str| {
        let value = prometheus.value(&pair.b, expression);
        value.unwrap_or_else(|| panic!("no {expression}"))
    };
    let values = ASKED.map(|[_, packets, bytes]| (scraped(packets), scraped(bytes)));
    for zero in [
        "sum(sensor_lost_packets_total)",
        "sum(sensor_overflow_packets_total)",
        "sensor_accounting_violations_total",
    ] {
        assert_eq!(scraped(zero), 0, "{zero}");
    }
    assert!(scraped("sensor_bpf_map_memory_bytes") > 1_000_000);
    let report = sensor.stop().checked();
    for ([what, ..], value) in ASKED.iter().zip(values) {
        let told = told(&report, what);
        let expected = (number(&told["packets"]), number(&told["bytes"]));
        assert_eq!(value, expected, "{what}");
    }
}

fn told<'a>(report: &'a Value, what: &str) -> &'a Value {
    let row = |layer: &str| {
        let mut rows = report["protocols"][layer].as_array().unwrap().iter();
        rows.find(|row| row["name"] == what).unwrap()
    };
    match what {
        "totals" => &report["totals"],
        "udp" => row("transport"),
        "dns" => row("application"),
        part => &report["accounting"][part],
    }
}

/// Ten thousand flows make no series.
fn bounded(text: &str) {
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() < 150, "{} series", lines.len());
    let pairs = lines
        .iter()
        .filter_map(|line| line.split_once('{')?.1.split_once('}'));
    let labels = pairs.flat_map(|(labels, _)| {
        labels
            .split(',')
            .map(|pair| pair.split('=').next().unwrap())
    });
    let known = [
        "interface",
        "direction",
        "reason",
        "network",
        "transport",
        "application",
        "place",
        "version",
    ];
    let strange: BTreeSet<_> = labels.filter(|label| !known.contains(label)).collect();
    assert_eq!(strange, BTreeSet::new());
}
