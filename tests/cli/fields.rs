//! docs/fields.md names every field of every format under its heading, and none that there isn't.

use std::collections::BTreeSet;

use sensor::sink::csv;
use serde_json::Value;

use crate::support::document;

/// Heading, and what of the report's schema is explained below it; "" is the report itself.
const SECTIONS: [(&str, &[&str]); 18] = [
    ("# The report, field by field", &["Counts"]),
    ("## Top level", &["", "Sensor", "Span"]),
    (
        "## source",
        &[
            "Source",
            "Interface",
            "LeftOut",
            "Ingress",
            "Egress",
            "SlotCounts",
            "FileInfo",
        ],
    ),
    ("## sandbox", &["Files", "Sandbox"]),
    ("## totals", &["Totals"]),
    ("## accounting", &["Accounting"]),
    ("## written", &["Written"]),
    ("### interface_counters", &["InterfaceCounters"]),
    ("## protocols", &["Protocols", "Protocol"]),
    ("## bandwidth", &["Bandwidth"]),
    (
        "## endpoints, conversations, flows",
        &[
            "Endpoint",
            "Conversation",
            "FlowRow",
            "Name",
            "Tls",
            "Http",
            "Process",
            "Others",
        ],
    ),
    ("## processes", &["Processes", "ProcessRow"]),
    ("## geo", &["Place"]),
    ("### naming", &["Naming", "PutOut"]),
    ("## dns", &["Dns", "DnsServer", "DnsName", "DnsWait"]),
    ("## self", &["Own", "ProgramTime"]),
    ("## buckets", &["BucketRow"]),
    // A string: it has no fields.
    ("# The report, field by field", &["Time"]),
];

#[test]
fn every_field_of_the_report_is_explained_and_no_other() {
    let page = document::read("docs/fields.md");
    let schema = Value::from(sensor::report::json_schema());
    let mut unknown: BTreeSet<&str> = schema["$defs"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for (heading, types) in SECTIONS {
        let section = section(&page, heading);
        let mut fields = BTreeSet::new();
        for name in types {
            unknown.remove(name);
            let schema = match *name {
                "" => &schema,
                name => &schema["$defs"][name],
            };
            assert!(schema.is_object(), "there is no type {name} any more");
            fields.extend(names(schema));
        }
        let explained: BTreeSet<String> = code(section).collect();
        let missing: Vec<_> = fields
            .iter()
            .filter(|field| !explained.contains(*field))
            .collect();
        assert!(
            missing.is_empty(),
            "not in docs/fields.md below '{heading}': {missing:?}"
        );
        let stale: Vec<_> = table(section, "field")
            .into_iter()
            .filter(|field| !fields.contains(field))
            .collect();
        assert!(
            stale.is_empty(),
            "no fields of {types:?}, below '{heading}': {stale:?}"
        );
    }
    assert!(
        unknown.is_empty(),
        "under which heading are these explained? {unknown:?}"
    );
}

#[test]
fn every_member_of_a_line_of_buckets_is_explained_and_no_other() {
    let page = document::read("docs/fields.md");
    let schema = Value::from(sensor::sink::jsonl::json_schema());
    assert_eq!(
        table(section(&page, "## JSON Lines"), "field"),
        names(&schema)
    );
}

#[test]
fn every_column_of_the_tables_is_explained_and_no_other() {
    let page = document::read("docs/fields.md");
    for file in &csv::FILES {
        let columns: BTreeSet<String> = file
            .columns
            .iter()
            .map(|&column| column.to_owned())
            .collect();
        let heading = format!("### {}", file.name);
        assert_eq!(
            table(section(&page, &heading), "column"),
            columns,
            "{}",
            file.name
        );
    }
}

fn names(schema: &Value) -> BTreeSet<String> {
    let properties = schema["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

/// From a heading to the next one, whatever its level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page
        .find(&format!("{heading}\n"))
        .unwrap_or_else(|| panic!("no heading '{heading}'"));
    let rest = &page[start + heading.len()..];
    rest.find("\n#").map_or(rest, |end| &rest[..end])
}

/// The words that are written as code.
fn code(text: &str) -> impl Iterator<Item = String> {
    let spans = text.split('`').skip(1).step_by(2);
    let words = spans.flat_map(|span| span.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    words.filter(|word| !word.is_empty()).map(str::to_owned)
}

/// The words in the first cells of the tables that have this word over them.
fn table(section: &str, header: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut inside = false;
    for line in section.lines() {
        let first = line
            .strip_prefix('|')
            .and_then(|line| line.split('|').next());
        match first.map(str::trim) {
            None => inside = false,
            Some(cell) if cell == header => inside = true,
            Some(cell) if inside => words.extend(code(cell)),
            Some(_) => {}
        }
    }
    words
}
