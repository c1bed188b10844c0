//! `sensor report`.

use std::fs;

use super::{changed, json, periods, query, report_in, run, segment, thirty_seconds};
use crate::harness::{file_in, sensor};
use crate::support::capture::Pcap;
use crate::support::report::{list, number, text};

#[test]
fn one_report_is_shown_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = report_in(folder.path(), "a.json", &thirty_seconds(), &[]);
    let again = run("report", &[&path], &["--json", "-"]).ended(0);
    assert_eq!(again.stdout, fs::read(&path).unwrap());
    let capture = folder.path().join("x.pcap");
    let read = run("read", &[&capture], &[]).ended(0);
    let shown = run("report", &[&path], &[]).ended(0);
    assert_eq!(shown.text(), read.text());
    let bytes = fs::read(&path).unwrap();
    let piped = sensor(["report", "-"]).stdin(&bytes).run().ended(0);
    assert_eq!(piped.text(), read.text());
}

#[test]
fn the_periods_of_a_folder_are_one_report() {
    let folder = tempfile::tempdir().unwrap();
    let out = periods(folder.path(), &["-n", "0"]);
    let merged = run("report", &[&out], &["--json", "-"]).ended(0).report();
    let whole = json(&report_in(
        folder.path(),
        "whole.json",
        &thirty_seconds(),
        &["-n", "0"],
    ));
    for field in [
        "totals",
        "protocols",
        "endpoints",
        "conversations",
        "flows",
        "others",
        "buckets",
        "start",
        "end",
    ] {
        assert_eq!(merged[field], whole[field], "{field}");
    }
    assert_eq!(merged["accounting"]["seen"], whole["accounting"]["seen"]);
    let notes: Vec<&str> = list(&merged["notes"]).iter().map(text).collect();
    assert!(
        notes.contains(&"merged from 3 reports"),
        "latest.json counts once: {notes:?}"
    );
    run("report", &[&out, &out.join("latest.json")], &["-v"])
        .ended(0)
        .says(&[
            "a folder of 3 reports",
            "latest.json holds the same report as ",
            "; it counts once",
        ]);
}

#[test]
fn lists_that_are_cut_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let out = periods(folder.path(), &["-n", "1"]);
    let merged = run("report", &[&out], &["--json", "-"]).ended(0).report();
    assert_eq!(merged["lists_at_least"], true);
    let listed: u64 = list(&merged["flows"])
        .iter()
        .map(|one| number(&one["bytes"]))
        .sum();
    let rest = number(&merged["others"]["flows"]["bytes"]);
    assert_eq!(
        listed + rest,
        number(&merged["accounting"]["in_flows"]["bytes"])
    );
    run("report", &[&out], &["-n", "5"])
        .ended(0)
        .says(&["more rows were asked for than there are"]);
    let fewer = run("report", &[&out], &["-n", "1", "--json", "-"])
        .ended(0)
        .report();
    assert_eq!(list(&fewer["flows"]).len(), 1);
}

#[test]
fn a_time_chooses_whole_periods_and_says_what_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let out = periods(folder.path(), &[]);
    let from_to = |from, to| {
        run(
            "report",
            &[&out],
            &["--from", from, "--to", to, "--json", "-"],
        )
    };
    let ran = from_to("2023-11-14T22:13:30Z", "2023-11-14 22:13:40").ended(0);
    let middle = ran.report();
    assert_eq!(middle["totals"]["packets"], 20);
    assert_eq!(ran.stderr, "");
    let ran = from_to("2023-11-14 22:13:33", "2023-11-14 22:13:45").ended(0);
    assert_eq!(ran.report()["totals"]["packets"], 40);
    ran.says(&["reports are taken whole: ", "history can be cut exactly"]);
    from_to("2023-11-14 22:13:33", "2023-11-14 22:13:35")
        .ended(2)
        .says(&["their lists can't be cut to that"]);
    from_to("2023-11-14 21:00", "2023-11-14 22:00")
        .ended(5)
        .says(&["none of the 3 reports has any of the time"]);
    from_to("23:00", "01:00")
        .ended(2)
        .says(&["which is not later"]);
    from_to("soon", "01:00")
        .ended(2)
        .says(&["--from: expected a time in UTC such as"]);
    let recent = run("report", &[&out], &["--from", "-1h"]).ended(5);
    recent.says(&["has any of the time from "]);
}

#[test]
fn several_sensors_are_merged_and_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let a = report_in(
        folder.path(),
        "a.json",
        &[query(0, 1, 100), query(9, 1, 100)],
        &[],
    );
    let b = report_in(
        folder.path(),
        "b.json",
        &[query(3, 2, 100), query(5, 1, 100)],
        &[],
    );
    changed(&a, |report| report["sensor"]["hostname"] = "web1".into());
    changed(&b, |report| report["sensor"]["hostname"] = "web2".into());
    let merged = run("report", &[&a, &b], &["--json", "-"]).ended(0).report();
    assert_eq!(merged["sensor"]["hostname"], "web1, web2");
    assert_eq!(merged["totals"]["packets"], 4);
    assert_eq!(list(&merged["endpoints"]).len(), 3);
    assert_eq!(
        list(&merged["flows"]).len(),
        3,
        "each sensor's flow is its own"
    );
    let shown = run("report", &[&a, &b], &[]).ended(0);
    assert!(shown.text().contains("on web1, web2, backend file"));
}

#[test]
fn every_output_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let out = periods(folder.path(), &[]);
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let arguments = [
        "--csv",
        &place("csv"),
        "--jsonl",
        &place("x.jsonl"),
        "--charts",
        &place("charts"),
        "--html",
        &place("x.html"),
        "--json",
        &place("x.json"),
    ];
    run("report", &[&out], &arguments).ended(0);
    assert_eq!(json(&folder.path().join("x.json"))["totals"]["packets"], 50);
    assert_eq!(
        fs::read_to_string(place("x.jsonl"))
            .unwrap()
            .lines()
            .count(),
        30
    );
    assert!(
        fs::read_to_string(place("x.html"))
            .unwrap()
            .contains("sensor.dashboard/1")
    );
    for name in ["csv", "charts"] {
        assert!(fs::read_dir(place(name)).unwrap().count() > 4, "{name}");
    }
    let over = run(
        "report",
        &[&out.join("latest.json")],
        &["--json", out.join("latest.json").to_str().unwrap()],
    );
    over.ended(2).says(&["is the input"]);
    run("report", &[&out], &["--packets", &place("p.csv")])
        .ended(2)
        .says(&["have no packets"]);
}

#[test]
fn what_a_report_cannot_answer_is_refused_with_what_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = report_in(folder.path(), "a.json", &[segment(0, 1, 443, 10)], &[]);
    run("report", &[&path], &["-f", "port 443"])
        .ended(6)
        .says(&["-f needs history, and "]);
    run("report", &[&path], &["-f", "prt 443"])
        .ended(6)
        .says(&["prt"]);
    let capture = file_in(
        folder.path(),
        "c.pcap",
        &Pcap::default().write(&[query(0, 1, 1)]),
    );
    run("report", &[&capture], &[])
        .ended(5)
        .says(&["c.pcap is a capture, not a report: sensor read opens it"]);
    sensor(["report"]).run().ended(2);
}

#[test]
fn the_same_time_twice_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let records = thirty_seconds();
    let a = report_in(folder.path(), "a.json", &records, &[]);
    let b = report_in(folder.path(), "b.json", &records[..40], &[]);
    let notes = run("report", &[&a, &b], &["--json", "-"]).ended(0).report()["notes"].to_string();
    assert!(
        notes.contains("counted twice: ") && notes.contains("x.pcap"),
        "{notes}"
    );
    let mut report = json(&a);
    report["interval_seconds"] = 7.000_000_001.into();
    fs::write(&b, report.to_string()).unwrap();
    changed(&b, |report| report["end"] = report["start"].clone());
    run("report", &[&a, &b], &[])
        .ended(5)
        .says(&["have no common multiple of a day or less"]);
}

#[test]
fn history_answers_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("history");
    let records = thirty_seconds();
    let place = kept.to_str().unwrap();
    let whole = report_in(
        folder.path(),
        "a.json",
        &records,
        &["-n", "0", "--parquet", place, "--parquet-flows", "1s"],
    );
    let again = run("report", &[&kept], &["-n", "0", "--json", "-"])
        .ended(0)
        .report();
    for field in [
        "totals",
        "protocols",
        "endpoints",
        "conversations",
        "flows",
        "buckets",
    ] {
        assert_eq!(again[field], json(&whole)[field], "{field}");
    }
    let filtered = report_in(folder.path(), "b.json", &records, &["-f", "port 443"]);
    let asked = run("report", &[&kept], &["-f", "port 443", "--json", "-"])
        .ended(0)
        .report();
    for field in ["totals", "protocols", "flows", "filter"] {
        assert_eq!(asked[field], json(&filtered)[field], "{field}");
    }
    let times = [
        "--from",
        "2023-11-14 22:13:30",
        "--to",
        "2023-11-14 22:13:35",
        "--json",
        "-",
    ];
    let cut = run("report", &[&kept], &times).ended(0).report();
    assert_eq!(cut["totals"]["packets"], 10);
    let diff = [
        "--before",
        "..2023-11-14 22:13:30",
        "--after",
        "2023-11-14 22:13:30..",
        "--json",
        "-",
    ];
    let diff = run("diff", &[&kept], &diff).ended(0).json();
    assert_eq!(diff["endpoints"]["verdicts"]["new"], 2);
    assert_eq!(
        diff["endpoints"]["verdicts"]["unknown"], 0,
        "nothing is left out"
    );
    let both = run("report", &[&kept, &whole], &["-v", "--json", "-"]).ended(0);
    assert_eq!(both.report()["totals"]["packets"], 50, "the same once more");
    both.says(&["holds the same report as history; it counts once"]);
    let page = folder.path().join("x.html");
    run("report", &[&kept], &["--html", page.to_str().unwrap()]).ended(0);
    assert!(fs::read_to_string(page).unwrap().contains("\"flows\":true"));
    run("report", &[&kept], &["-f", "less 100"])
        .ended(6)
        .says(&["known of single packets only"]);
}

#[test]
fn history_by_the_minute_has_every_bucket_and_says_what_it_can_not_tell_apart() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("history");
    let records = thirty_seconds();
    let options = ["-n", "0", "--parquet", kept.to_str().unwrap()];
    let whole = json(&report_in(folder.path(), "a.json", &records, &options));
    let again = run("report", &[&kept], &["-n", "0", "--json", "-"])
        .ended(0)
        .report();
    for field in [
        "totals",
        "flows",
        "buckets",
        "bandwidth",
        "protocols",
        "notes",
    ] {
        assert_eq!(again[field], whole[field], "{field}");
    }
    let times = ["--from", "2023-11-14 22:13:30", "--json", "-"];
    let cut = run("report", &[&kept], &times).ended(0).report();
    assert_eq!(cut["totals"], whole["totals"], "all is in one minute");
    let said = cut["notes"].to_string();
    assert!(
        said.contains("kept by 1m") && said.contains("2023-11-14T22:13:00"),
        "{said}"
    );
    let filtered = run("report", &[&kept], &["-f", "port 443", "--json", "-"])
        .ended(0)
        .report();
    assert_eq!(filtered["interval_seconds"], 60.0);
    assert_eq!(list(&filtered["buckets"]).len(), 1);
    let bad = [
        "--parquet",
        "x",
        "--interval",
        "7s",
        "--parquet-flows",
        "1m",
    ];
    sensor(["read", "x.pcap"].into_iter().chain(bad))
        .folder(folder.path())
        .run()
        .ended(2)
        .says(&["--parquet-flows is 60 s", "no multiple of --interval, 7 s"]);
}
