//! Files that are not there, not captures, or have names that play tricks.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{capture, folder_with_capture};
use crate::harness::{Ran, file_in, read, sensor};

fn run(files: &[&Path]) -> Ran {
    let files = files.iter().map(|path| path.as_os_str());
    sensor([OsStr::new("read")].into_iter().chain(files)).run()
}

#[test]
fn a_file_that_cannot_be_opened_is_a_bad_input_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pcap");
    let ran = run(&[&missing]).ended(5);
    let said = "cannot be opened: No such file or directory (os error 2)";
    assert_eq!(ran.line(), format!("{}: {said}", missing.display()));
    assert_eq!(ran.text(), "", "a page of zeros would hide what was said");
    let ran = run(&[folder.path()]).ended(5);
    assert_eq!(
        ran.line(),
        format!(
            "{}: cannot be opened: is a directory",
            folder.path().display()
        )
    );
}

#[test]
fn what_is_no_capture_is_said_by_its_first_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[u8], &str); 4] = [
        (b"", "the file is empty"),
        (
            b"#!/bin/sh\n",
            "not a pcap or pcapng file: starts with 23 21 2f 62",
        ),
        (
            b"\xfd7zXZ\0",
            "not a pcap or pcapng file: starts with fd 37 7a 58 (xz: decompress it first)",
        ),
        (
            b"BZh91AY",
            "not a pcap or pcapng file: starts with 42 5a 68 39 (bzip2: decompress it first)",
        ),
    ];
    for (bytes, said) in cases {
        let path = file_in(folder.path(), "no capture", bytes);
        assert_eq!(
            run(&[&path]).ended(5).line(),
            format!("{}: {said}", path.display())
        );
    }
    let ran = sensor(["read", "-"]).run().ended(5);
    assert_eq!(ran.line(), "standard input: the file is empty");
}

#[test]
fn no_packets_are_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path(), "none.pcap", &capture()[..24]);
    let ran = run(&[&path]).ended(0);
    assert_eq!(ran.stderr, "");
    assert!(ran.text().contains("0 packets"), "{}", ran.text());
    assert_eq!(read(&[&path], &[], 0)["start"], serde_json::Value::Null);
}

#[test]
fn the_same_file_is_not_counted_twice() {
    let (folder, path) = folder_with_capture();
    let (soft, hard) = (folder.path().join("soft"), folder.path().join("hard"));
    symlink(&path, &soft).unwrap();
    fs::hard_link(&path, &hard).unwrap();
    for again in [&path, &soft, &hard] {
        let ran = run(&[&path, again]).ended(2);
        assert_eq!(
            ran.line(),
            format!(
                "{} is given twice; its packets would count twice",
                again.display()
            )
        );
    }
    sensor(["read", "-", "-"])
        .run()
        .ended(2)
        .says(&["standard input (-) is given twice"]);
}

#[test]
fn any_file_name_works_and_none_steers_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let names: [(&[u8], &str); 3] = [
        (
            b"line\nbreak \x1b[2J.pcap",
            "line\\u{a}break \\u{1b}[2J.pcap",
        ),
        (b"not utf-8 \xff.pcap", "not utf-8 \u{fffd}.pcap"),
        ("ümlaut 文.pcap".as_bytes(), "ümlaut 文.pcap"),
    ];
    for (name, shown) in names {
        let path = folder.path().join(OsStr::from_bytes(name));
        fs::write(&path, capture()).unwrap();
        let report = read(&[&path], &[], 0);
        let shown_path = report["source"]["files"][0]["path"].as_str().unwrap();
        assert!(shown_path.ends_with(shown), "{shown_path:?}");
        assert!(!run(&[&path]).ended(0).text().contains('\u{1b}'));
        fs::remove_file(&path).unwrap();
        assert!(run(&[&path]).ended(5).line().contains(shown));
    }
}

#[test]
fn a_pipe_by_name_needs_no_seeking() {
    let ran = sensor(["read", "/dev/stdin", "--json", "-"])
        .stdin(&capture())
        .run()
        .ended(0);
    assert_eq!(ran.report()["totals"]["packets"], 1);
}

#[test]
fn locale_and_time_zone_change_nothing() {
    let plain = sensor(["read", "-"]).stdin(&capture()).run().ended(0);
    for (name, value) in [
        ("LC_ALL", "C"),
        ("TZ", "no/such zone"),
        ("TZ", "Asia/Kathmandu"),
    ] {
        let ran = sensor(["read", "-"])
            .env(name, value)
            .stdin(&capture())
            .run()
            .ended(0);
        assert_eq!(ran.text(), plain.text(), "{name}={value}");
    }
}

#[test]
fn quiet_keeps_the_errors() {
    let missing = OsString::from("missing.pcap");
    let ran = sensor([OsStr::new("-q"), OsStr::new("read"), &missing])
        .run()
        .ended(5);
    assert!(ran.line().starts_with("missing.pcap: cannot be opened"));
}
