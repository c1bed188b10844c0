//! A filter that can't be: exit code 6, the place, and what to do.

use super::pcap;
use crate::harness::{Ran, file_in, sensor};

fn refused(arguments: &[&str]) -> Ran {
    let ran = sensor(arguments).run().ended(6);
    assert!(ran.stdout.is_empty(), "{}", ran.text());
    ran
}

#[test]
fn the_caret_stands_under_the_word() {
    let folder = tempfile::tempdir().unwrap();
    let capture = file_in(folder.path(), "x.pcap", &pcap());
    let capture = capture.to_str().unwrap();
    let expected = "\
sensor: expected 'and' or 'or', found 'prot'
  tcp prot 80
      ^~~~
help: did you mean 'port'?
";
    for arguments in [
        &["filter", "tcp prot 80"][..],
        &["filter", "tcp", "prot", "80"],
        &["read", capture, "-f", "tcp prot 80"],
        &["run", "-i", "lo", "tcp", "prot", "80"],
        &["run", "-i", "lo", "-f", "tcp prot 80"],
    ] {
        assert_eq!(refused(arguments).stderr, expected, "{arguments:?}");
    }
}

#[test]
fn the_file_of_a_mistake_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let filter = file_in(folder.path(), "bad.filter", "# é\ntcp prot 80\n".as_bytes());
    let ran = refused(&["filter", "-F", filter.to_str().unwrap()]).says(&["bad.filter, line 2: "]);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines[1].find("prot"), lines[2].find('^'), "{}", ran.stderr);
    refused(&["filter", "-F", "no such file"]).says(&["can't read the filter in no such file"]);
    let list = refused(&["filter", "net in file nowhere"]);
    assert!(list.stderr.contains("nowhere"), "{}", list.stderr);
}

#[test]
fn a_mixture_that_nothing_can_decide_is_refused() {
    refused(&["filter", "len > 100 or bytes > 1M"]).says(&[
        "'len > 100'",
        "'bytes > 1M'",
        "join them by 'and'",
    ]);
}

#[test]
fn nothing_is_read_before_the_filter_is_right() {
    refused(&["read", "-f", "prot", "no such file.pcap"]);
    refused(&["filter", "-r", "no such file.pcap", "@nosuch"]).says(&["nosuch"]);
}

#[test]
fn two_filters_are_one_too_many() {
    for arguments in [
        &["read", "x.pcap", "-f", "tcp", "-F", "file"][..],
        &["run", "-f", "tcp", "udp"],
        &["filter", "-F", "file", "udp"],
    ] {
        let ran = sensor(arguments).run().ended(2);
        assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
    }
}
