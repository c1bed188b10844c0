//! What lies there may be damaged, or written by a stranger.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::{changed, json, periods, query, report_in, run};
use crate::harness::file_in;

#[test]
fn what_is_no_report_is_said_in_one_line_and_the_rest_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let good = report_in(folder.path(), "good.json", &[query(0, 1, 100)], &[]);
    let whole = fs::read(&good).unwrap();
    for (bytes, said) in [
        (&b""[..], "bad.json: not JSON: line 1, column 0"),
        (b"hello", "bad.json: not JSON"),
        (
            b"{\"schema\": \"sensor.report/9\"}",
            "this sensor reads sensor.report/1",
        ),
        (b"[]", "the JSON is no object"),
        (&whole[..whole.len() / 2], "bad.json: not JSON: line "),
    ] {
        let bad = file_in(folder.path(), "bad.json", bytes);
        let ran = run("report", &[&bad, &good], &["--json", "-"]).ended(5);
        assert!(ran.line().contains(said), "{}", ran.stderr);
        assert_eq!(ran.report()["totals"], json(&good)["totals"]);
        let ran = run("report", &[&bad], &[]).ended(5);
        assert_eq!(ran.text(), "");
        run("diff", &[&good, &bad], &[]).ended(5);
    }
}

#[test]
fn what_cannot_be_opened_is_said_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let looped = folder.path().join("loop.json");
    symlink(&looped, &looped).unwrap();
    let missing = folder.path().join("missing\u{202e}.json");
    for path in [&looped, &missing] {
        let ran = run("report", &[path], &[]).ended(5);
        assert!(ran.line().starts_with("can't read /"), "{}", ran.stderr);
        assert!(!ran.stderr.contains('\u{202e}'));
    }
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    run("report", &[&empty], &[])
        .ended(5)
        .says(&["no reports in ", "expected sensor-*.json"]);
}

#[test]
fn a_pipe_or_a_loop_in_a_folder_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let out = periods(folder.path(), &[]);
    let pipe = out.join("sensor-20231114T221359Z.json");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let looped = out.join("sensor-20231114T221409Z.json");
    symlink(&looped, &looped).unwrap();
    let report = run("report", &[&out], &["--json", "-"]).ended(0).report();
    assert_eq!(report["totals"]["packets"], 50);
}

#[test]
fn numbers_that_nobody_counted_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = periods(folder.path(), &[]);
    changed(&out.join("sensor-20231114T221329Z.json"), |report| {
        report["buckets"][0]["bytes"] = u64::MAX.into();
    });
    changed(&out.join("sensor-20231114T221339Z.json"), |report| {
        report["totals"]["bytes"] = u64::MAX.into();
    });
    let ran = run("report", &[&out], &[]);
    assert!([5, 8].contains(&ran.code()), "{}", ran.stderr);
}

#[test]
fn nothing_that_a_stranger_wrote_reaches_a_terminal_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = report_in(
        folder.path(),
        "a.json",
        &[query(0, 1, 100), query(1, 1, 100)],
        &[],
    );
    let evil = "\u{1b}]0;owned\u{7}\u{202e}<img src=x>\n\u{9b}2J";
    changed(&path, |report| {
        report["sensor"]["hostname"] = evil.into();
        report["sensor"]["version"] = evil.into();
        report["source"]["backend"] = evil.into();
        report["filter"] = evil.into();
        report["notes"] = [evil].into();
        report["accounting"]["lost"] = serde_json::json!({ evil: 1 });
        report["accounting"]["malformed"] = serde_json::json!({ evil: {"packets": 0, "bytes": 0} });
        for layer in ["network", "transport", "application"] {
            report["protocols"][layer][0]["name"] = evil.into();
        }
        let flow = &mut report["flows"][0];
        for field in [
            "transport",
            "protocol",
            "classified_by",
            "tcp_flags",
            "interface",
            "direction",
        ] {
            flow[field] = evil.into();
        }
        for list in ["flows", "endpoints"] {
            report[list][0]["names"] = serde_json::json!([{"name": evil, "source": evil}]);
        }
        report["source"]["files"][0]["path"] = evil.into();
    });
    let clean = |text: &str| {
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(bad), "{}", text.escape_debug());
    };
    let good = report_in(
        folder.path(),
        "b.json",
        &[query(5, 2, 100), query(9, 2, 100)],
        &[],
    );
    for paths in [vec![path.as_path()], vec![&path, &good]] {
        let ran = run("report", &paths, &["-v"]);
        clean(ran.text());
        clean(&ran.stderr);
        let html = folder.path().join("x.html");
        run("report", &paths, &["--html", html.to_str().unwrap()]);
        assert!(!fs::read_to_string(html).unwrap().contains("<img src=x>"));
    }
    let ran = run("diff", &[&path, &good], &[]);
    clean(ran.text());
    clean(&ran.stderr);
    let charts = folder.path().join("charts");
    run(
        "report",
        &[&path],
        &[
            "--charts",
            charts.to_str().unwrap(),
            "--chart-format",
            "svg",
        ],
    );
    for file in fs::read_dir(&charts).unwrap() {
        clean(&fs::read_to_string(file.unwrap().path()).unwrap());
    }
}
