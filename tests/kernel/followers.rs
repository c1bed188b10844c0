//! Those who follow a run get every packet of it, and the reports lose none by that.

use std::fs;

use serde_json::Value;

use crate::harness::{Pair, Sensor, eventually, need_kernel};
use crate::reports;
use crate::traffic::{self, LEN, Traffic};

#[test]
fn lines_of_a_run_come_while_it_goes_on_and_add_up_to_its_report() {
    need_kernel!();
    for (interface, backend) in [("b0", "xdp"), ("a0", "tc"), ("b0", "af-packet")] {
        let pair = Pair::new(1500);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("buckets.jsonl");
        let lines = || -> Vec<Value> {
            let text = fs::read_to_string(&path).unwrap();
            let whole = text.lines().filter(|line| line.ends_with('}'));
            whole
                .map(|line| serde_json::from_str(line).unwrap())
                .collect()
        };
        let namespace = if interface == "a0" { &pair.a } else { &pair.b };
        let arguments = ["-i", interface, "--backend", backend];
        let more = ["--interval", "100ms", "--report-every", "1s", "--jsonl"];
        let file = [path.to_str().unwrap()];
        let sensor = Sensor::start(namespace, &[&arguments[..], &more, &file].concat());
        let traffic = Traffic::start(&pair.a, "a0");
        eventually("lines and two periodic reports", || {
            lines().len() >= 15 && sensor.written().len() >= 2
        });
        let sent = traffic.stop();
        if interface == "b0" {
            traffic::received(&pair.b, "b0", sent);
        }
        let ended = sensor.stop();
        reports::add_up(&ended);
        let report = ended.checked();
        assert_eq!(report["totals"]["packets"], sent, "by {backend}");
        let sum = |field: &str| -> u64 {
            let lines = lines();
            lines.iter().map(|line| line[field].as_u64().unwrap()).sum()
        };
        assert_eq!((sum("packets"), sum("bytes")), (sent, sent * LEN));
        for line in lines() {
            assert_eq!(line["schema"], "sensor.bucket/1");
            assert_eq!(line["backend"], backend);
            assert_eq!(line["interval_seconds"], 0.1);
        }
    }
}
