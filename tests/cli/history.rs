//! `--parquet`: history of a capture, in the engines that people read it with.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::engines;
use crate::harness::{file_in, read, sensor};
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet, ethernet_ip, tcp, udp};

/// Three seconds of two conversations, something that is not IP, and half a packet.
fn capture(folder: &Path) -> PathBuf {
    let mut records = Vec::new();
    for second in 0..3 {
        let time = 1_700_000_000_000_000_000 + second * 1_000_000_000;
        for frame in [
            tcp(at("10.0.0.1:40000"), at("192.0.2.1:443"), "S", 10),
            tcp(at("192.0.2.1:443"), at("10.0.0.1:40000"), "SA", 700),
            udp(at("[2001:db8::1]:5000"), at("[2001:db8::2]:53"), 40),
        ] {
            records.push(Record::new(time, ethernet_ip(&frame)));
        }
        records.push(Record::new(time, ethernet(0x0806, &[0; 46])));
        records.push(Record::new(time, vec![0; 9]));
    }
    file_in(folder, "capture.pcap", &Pcap::of(1).write(&records))
}

/// The rows of a query on the history's folder, which `{}` stands for, as JSON.
fn ask(python: &Path, query: &str, history: &Path) -> Value {
    let script = "import duckdb, json, sys\n\
         print(json.dumps(duckdb.sql(sys.argv[1]).fetchall(), default=str))";
    let query = query.replace("{}", history.to_str().unwrap());
    engines::run(Command::new(python).args(["-c", script, &query]))
}

fn counts(value: &Value) -> Value {
    serde_json::json!([[value["packets"], value["bytes"]]])
}

#[test]
fn duckdb_reads_the_history_of_a_capture_and_finds_the_reports_sums() {
    let Some(python) = engines::python() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history");
    let input = capture(folder.path());
    let options = ["--parquet", history.to_str().unwrap()];
    let by_second = [&options[..], &["--parquet-flows", "1s"]].concat();
    let report = read(&[&input], &by_second, 0);
    let ask = |query: &str| ask(&python, query, &history);
    let sums = "sum(packets)::BIGINT, sum(bytes)::BIGINT";
    assert_eq!(
        ask(&format!("SELECT {sums} FROM '{{}}/buckets/**/*.parquet'")),
        counts(&report["totals"])
    );
    assert_eq!(
        ask(&format!(
            "SELECT {sums} FROM '{{}}/accounting/**/*.parquet' \
             WHERE term IN ('in_flows', 'overflow', 'not_ip', 'malformed', 'filtered')"
        )),
        counts(&report["accounting"]["seen"])
    );
    assert_eq!(
        ask(&format!(
            "SELECT {sums} FROM '{{}}/flows/**/*.parquet' WHERE network LIKE 'ipv%'"
        )),
        counts(&report["accounting"]["in_flows"])
    );
    // Of flows, what is short or gets no shorter is left as it is.
    assert_eq!(
        ask("SELECT DISTINCT compression FROM parquet_metadata('{}/buckets/**/*.parquet')"),
        serde_json::json!([["ZSTD"]])
    );
    let partitioned = "SELECT src_addr, min(start)::VARCHAR, date::VARCHAR, hour::VARCHAR, count(*) \
                       FROM read_parquet('{}/flows/**/*.parquet', hive_partitioning = true) \
                       WHERE dst_port = 443 AND hour = 22 GROUP BY ALL";
    let rows = ask(partitioned);
    assert_eq!(rows[0][0], "10.0.0.1");
    assert!(
        rows[0][1]
            .as_str()
            .unwrap()
            .starts_with("2023-11-14 22:13:20"),
        "{rows}"
    );
    assert_eq!(
        (&rows[0][2], &rows[0][4]),
        (&"2023-11-14".into(), &3.into())
    );
}

#[test]
fn the_history_of_a_capture_is_private_and_its_folder_must_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path());
    for (output, code, what) in [
        ("-", 2, "name a folder"),
        ("capture.pcap", 7, "capture.pcap"),
    ] {
        let arguments = ["read", input.to_str().unwrap(), "--parquet", output];
        sensor(arguments)
            .folder(folder.path())
            .run()
            .ended(code)
            .says(&[what]);
    }
}
