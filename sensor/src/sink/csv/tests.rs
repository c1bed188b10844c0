use super::*;
use crate::report::{Counts, Http, Name, Place, Time, Tls, samples};

fn whole(report: &Report, name: &str) -> String {
    let file = FILES.iter().find(|file| file.name == name).unwrap();
    let mut out = Vec::new();
    file.write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The header and the rows, as another reader of CSV has them.
fn read(report: &Report, name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let text = whole(report, name);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let owned = |record: &::csv::StringRecord| record.iter().map(str::to_owned).collect();
    let header = owned(reader.headers().unwrap());
    let rows = reader.records().map(|record| owned(&record.unwrap()));
    (header, rows.collect())
}

fn sum(report: &Report, name: &str, column: &str) -> u64 {
    let (header, rows) = read(report, name);
    let place = header.iter().position(|one| one == column).unwrap();
    let cells = rows
        .iter()
        .map(|row| row[place].parse::<u64>().unwrap_or(0));
    cells.sum()
}

/// Longer lists than are shown, a full table, a filter, and something malformed.
fn report() -> Report {
    let mut delta = samples::minute(40);
    delta.filtered(
        0,
        sensor_common::flow::Direction::Ingress,
        Counts {
            packets: 3,
            bytes: 180,
        },
    );
    let context = crate::report::Context {
        top_n: 7,
        ..samples::context()
    };
    crate::report::build(&delta, &context)
}

#[test]
fn every_file_has_its_header_and_whole_rows() {
    let report = report();
    for file in &FILES {
        let (header, rows) = read(&report, file.name);
        assert_eq!(header, file.columns, "{}", file.name);
        assert!(!rows.is_empty(), "{}", file.name);
        let text = whole(&report, file.name);
        assert_eq!(
            text.matches("\r\n").count(),
            rows.len() + 1,
            "{}",
            file.name
        );
    }
    let empty = samples::report(0);
    let empty = Report {
        endpoints: Vec::new(),
        others: Default::default(),
        ..empty
    };
    assert_eq!(read(&empty, "endpoints.csv").1, [[""; 0]; 0]);
}

#[test]
fn columns_add_up() {
    let report = report();
    let ip = report.accounting.in_flows + report.accounting.overflow;
    assert!(report.others.flows.packets > 0, "the lists are cut");
    for name in ["flows.csv", "conversations.csv"] {
        assert_eq!(sum(&report, name, "packets"), ip.packets, "{name}");
        assert_eq!(sum(&report, name, "bytes"), ip.bytes, "{name}");
    }
    for column in ["sent_packets", "received_packets"] {
        assert_eq!(sum(&report, "endpoints.csv", column), ip.packets);
    }
    assert_eq!(sum(&report, "endpoints.csv", "bytes"), 2 * ip.bytes);
    assert_eq!(
        sum(&report, "protocols.csv", "bytes"),
        3 * report.totals.bytes
    );
    let buckets = sum(&report, "buckets.csv", "bytes");
    assert_eq!(buckets, report.totals.bytes);
    assert_eq!(sum(&report, "bucket_protocols.csv", "bytes"), 2 * buckets);
    let ways = ["ingress", "egress", "unknown_direction"];
    let of_ways = ways.map(|way| sum(&report, "buckets.csv", &format!("{way}_bytes")));
    assert_eq!(of_ways.iter().sum::<u64>(), buckets);
}

#[test]
fn the_accounting_can_be_read_from_the_totals_alone() {
    let report = report();
    let (_, rows) = read(&report, "totals.csv");
    let of = |group: &str, name: &str| -> Counts {
        let row = rows.iter().find(|row| row[0] == group && row[1] == name);
        let row = row.unwrap_or_else(|| panic!("{group} {name}"));
        let number = |cell: &String| cell.parse().unwrap();
        Counts {
            packets: number(&row[2]),
            bytes: number(&row[3]),
        }
    };
    let totals = &report.totals;
    assert_eq!(of("totals", "all"), totals.counts());
    let ways = ["ingress", "egress", "unknown_direction"].map(|way| of("totals", way));
    assert_eq!(ways.into_iter().sum::<Counts>(), totals.counts());
    assert_eq!(
        of("accounting", "filtered"),
        Counts {
            packets: 3,
            bytes: 180
        }
    );
    let malformed = rows.iter().filter(|row| row[0] == "malformed");
    let malformed: Counts = malformed.map(|row| of("malformed", &row[1])).sum();
    assert_ne!(malformed, Counts::ZERO);
    let parts = ["in_flows", "overflow", "not_ip", "filtered"].map(|part| of("accounting", part));
    let parts = parts.into_iter().sum::<Counts>() + malformed;
    assert_eq!(of("accounting", "seen"), parts);
    assert!(
        rows.contains(
            &["accounting", "identity_holds", "", "", "true"]
                .map(str::to_owned)
                .to_vec()
        )
    );
}

#[test]
fn hostile_text_stays_in_its_cell() {
    let mut report = samples::report(1);
    let hostile = "=HYPERLINK(\"http://x\",\"y\")\r\n;=1";
    let name = Name {
        name: hostile.into(),
        source: "mdns".into(),
    };
    report.endpoints[0].names = vec![name.clone(), name];
    report.endpoints[0].geo = Some(Place {
        as_org: Some("-2+3".into()),
        asn: Some(7),
        ..Place::default()
    });
    let (_, rows) = read(&report, "endpoints.csv");
    let escaped = "'=HYPERLINK(\"http://x\",\"y\")\\u{d}\\u{a};'=1";
    assert_eq!(
        rows[0][1..4],
        [escaped, "mdns", &format!("{escaped} (mdns)")]
    );
    assert_eq!((rows[0][7].as_str(), rows[0][8].as_str()), ("7", "'-2+3"));
    assert!(!whole(&report, "endpoints.csv").contains("\n;"));
}

#[test]
fn a_flow_says_what_its_handshake_said() {
    let mut report = samples::report(1);
    let flow = &mut report.flows[0];
    (flow.start, flow.end) = (Some(Time(0)), Some(Time(1_500_000_000)));
    flow.tls = Some(Tls {
        version: Some("1.3".into()),
        alpn: vec!["h2".into(), "http/1.1".into()],
        ja4: None,
    });
    flow.http = Some(Http {
        method: None,
        host: None,
        status: Some(200),
        user_agent: Some("+curl".into()),
    });
    let (header, rows) = read(&report, "flows.csv");
    let cell =
        |column: &str| rows[0][header.iter().position(|one| one == column).unwrap()].as_str();
    assert_eq!(cell("start"), "1970-01-01T00:00:00.000000000Z");
    assert_eq!(cell("duration_seconds"), "1.5");
    assert_eq!(
        (cell("tls_version"), cell("tls_alpn"), cell("tls_ja4")),
        ("1.3", "h2 http/1.1", "")
    );
    assert_eq!(
        (cell("http_status"), cell("http_user_agent"), cell("pid")),
        ("200", "'+curl", "")
    );
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("flows.csv")).unwrap();
    let error = write_to(&report(), folder.path()).unwrap_err().to_string();
    assert!(error.contains("/flows.csv: it is a folder"), "{error}");
    let names = || std::fs::read_dir(folder.path()).unwrap();
    let temporary =
        |entry: std::fs::DirEntry| entry.file_name().as_encoded_bytes().starts_with(b".");
    assert!(!names().any(|entry| temporary(entry.unwrap())));
}
