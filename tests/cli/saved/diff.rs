//! `sensor diff`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{changed, periods, query, report_in, run, segment, thirty_seconds};
use crate::harness::sensor;
use crate::support::report::{list, text};
use crate::support::schema;

/// Two minutes of one client and a server, then one of another server, with twice the queries.
fn two(folder: &Path) -> [std::path::PathBuf; 2] {
    let mut before = Vec::new();
    let mut after = Vec::new();
    for second in 0..=120 {
        before.push(query(second, 1, 200));
        before.push(segment(second, 2, 22, 500));
        if second <= 60 {
            after.extend([query(200 + second, 1, 200), query(200 + second, 1, 200)]);
            after.push(segment(200 + second, 3, 443, 700));
        }
    }
    [
        report_in(folder, "before.json", &before, &[]),
        report_in(folder, "after.json", &after, &[]),
    ]
}

fn verdict<'a>(list: &'a Value, key: &str, name: &str) -> &'a str {
    let row = self::list(&list["rows"])
        .iter()
        .find(|row| row[key] == name);
    text(&row.unwrap_or_else(|| panic!("no {name} in {list}"))["verdict"])
}

#[test]
fn who_is_new_who_is_gone_and_who_grew() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = two(folder.path());
    let diff = run("diff", &[&before, &after], &["--json", "-"])
        .ended(0)
        .json();
    assert_eq!(schema::problems_of_diff(&diff), [""; 0]);
    assert_eq!(diff["schema"], "sensor.diff/1");
    assert_eq!(diff["measure"], "bits_per_sec");
    let endpoints = &diff["endpoints"];
    assert_eq!(verdict(endpoints, "addr", "10.0.0.3"), "new");
    assert_eq!(verdict(endpoints, "addr", "10.0.0.2"), "gone");
    assert_eq!(verdict(endpoints, "addr", "10.0.0.1"), "grew");
    let ports = list(&diff["ports"]["rows"]);
    let port = |number: u64| ports.iter().find(|row| row["port"] == number).unwrap();
    assert_eq!(
        (port(443)["verdict"].as_str(), port(22)["verdict"].as_str()),
        (Some("new"), Some("gone"))
    );
    let factor = port(53)["factor"].as_f64().unwrap();
    assert!((1.99..2.02).contains(&factor), "{factor}");
    let shown = run("diff", &[&before, &after], &[]).ended(0);
    for part in [
        "Endpoints: 1 new, 1 gone, 3 grew",
        "tcp/443 (https)",
        " new",
        " gone",
        "×2.0",
    ] {
        assert!(shown.text().contains(part), "{part}\n{}", shown.text());
    }
    assert!(shown.text().lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn a_report_does_not_differ_from_itself() {
    let folder = tempfile::tempdir().unwrap();
    let [before, _] = two(folder.path());
    let shown = run("diff", &[&before, &before], &[]).ended(0);
    assert!(
        shown.text().contains("\nNothing differs\n"),
        "{}",
        shown.text()
    );
}

#[test]
fn two_times_of_one_folder_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let out = periods(folder.path(), &[]);
    let times = [
        "--before",
        "2023-11-14 22:13:20..2023-11-14 22:13:30",
        "--after",
        "2023-11-14 22:13:30..",
        "--json",
        "-",
    ];
    let diff = run("diff", &[&out], &times).ended(0).json();
    assert_eq!(schema::problems_of_diff(&diff), [""; 0]);
    assert_eq!(verdict(&diff["endpoints"], "addr", "10.0.0.2"), "new");
    assert_eq!(
        verdict(&diff["protocols"]["transport"], "name", "tcp"),
        "new"
    );
    assert_eq!(diff["a"]["duration_seconds"], 9.0);
    run("diff", &[&out], &["--before", "-1h..", "--after", "-1h"]).ended(2);
    run("diff", &[&out], &times[..2])
        .ended(2)
        .says(&["required"]);
    sensor(["diff", "-", "-"])
        .run()
        .ended(2)
        .says(&["given twice"]);
}

#[test]
fn a_cut_list_is_no_proof_of_absence() {
    let folder = tempfile::tempdir().unwrap();
    let records = thirty_seconds();
    let cut = report_in(folder.path(), "a.json", &records, &["-n", "1"]);
    let whole = report_in(folder.path(), "b.json", &records, &["-n", "0"]);
    let diff = run("diff", &[&cut, &whole], &["--json", "-"])
        .ended(0)
        .json();
    assert_eq!(schema::problems_of_diff(&diff), [""; 0]);
    for list in ["endpoints", "conversations", "ports"] {
        let verdicts = &diff[list]["verdicts"];
        assert_eq!(
            (&verdicts["new"], &verdicts["gone"]),
            (&0.into(), &0.into()),
            "{list}"
        );
    }
    let note = list(&diff["notes"])
        .iter()
        .any(|note| text(note).starts_with("A lists only 1 endpoints"));
    assert!(note, "{}", diff["notes"]);
}

#[test]
fn the_page_holds_the_numbers_and_no_markup_of_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = two(folder.path());
    changed(&after, |report| {
        report["sensor"]["hostname"] = "</script><script>alert(1)//\u{1b}".into()
    });
    let page = folder.path().join("diff.html");
    run(
        "diff",
        &[&before, &after],
        &["--html", page.to_str().unwrap()],
    )
    .ended(0);
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("\"sensor.diff/1\"") && html.contains("10.0.0.3"));
    assert!(!html.contains("<script>alert") && !html.contains('\u{1b}'));
    let shown = run("diff", &[&before, &after], &[]).ended(0);
    assert!(!shown.text().contains('\u{1b}'));
    run(
        "diff",
        &[&before, &after],
        &["--json", after.to_str().unwrap()],
    )
    .ended(2)
    .says(&["is the input"]);
}
