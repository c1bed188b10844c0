//! The published schemas are those of the types, and say no when something else is written.

use serde_json::{Value, json};

use crate::harness::{read_bytes, sensor};
use crate::support::capture::Pcap;
use crate::support::{document, schema};

const SCHEMAS: [(&str, &str); 4] = [
    ("report", "docs/schema/sensor.report.1.json"),
    ("bucket", "docs/schema/sensor.bucket.1.json"),
    ("doctor", "docs/schema/sensor.doctor.1.json"),
    ("diff", "docs/schema/sensor.diff.1.json"),
];

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    for (of, path) in SCHEMAS {
        let printed = sensor(["schema", of]).run().ended(0);
        assert!(
            printed.text() == document::read(path),
            "{path} is stale: sensor schema {of} > {path}, and read what changed"
        );
    }
    let default = sensor(["schema"]).run().ended(0);
    assert_eq!(
        default.json()["properties"]["schema"]["const"],
        "sensor.report/1"
    );
    sensor(["schema", "packet"])
        .run()
        .ended(2)
        .says(&["report", "bucket", "diff"]);
}

#[test]
fn what_does_not_keep_to_the_schema_is_told() {
    let report = read_bytes(&Pcap::default().write(&[]), &[], 0);
    let changed = |pointer: &str, value: Value| {
        let mut report = report.clone();
        *report.pointer_mut(pointer).unwrap() = value;
        schema::problems(&report)
    };
    for (pointer, value) in [
        ("/schema", json!("sensor.report/2")),
        ("/totals/packets", json!(-1)),
        ("/totals/packets", json!("many")),
        ("/start", json!("yesterday")),
        ("/flows", json!([{"src_addr": "10.0.0.1"}])),
        ("/others/flows", json!({"packets": 1, "bytes": 1, "new": 1})),
    ] {
        let problems = changed(pointer, value);
        assert!(
            problems.iter().any(|one| one.starts_with(pointer)),
            "{pointer}: {problems:?}"
        );
    }
    assert_eq!(changed("/filter", json!("tcp")), [""; 0]);
}
