//! `--listen` and `--metrics` where nobody may listen: said before anything is counted.

use std::fs;
use std::net::TcpListener;

use crate::harness::{Ran, file_in, sensor};

fn run(arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let ran = sensor([&["run", "-i", "lo"], arguments].concat())
        .folder(folder.path())
        .run();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "it began");
    ran
}

#[test]
fn an_address_that_others_reach_needs_a_token() {
    for option in ["--listen", "--metrics"] {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
            let ran = run(&[option, address]).ended(2);
            let said = format!("{option} {address} is open to others: add --token-file FILE");
            assert!(ran.line().starts_with(&said), "{}", ran.stderr);
            assert!(ran.line().contains("ssh -L"), "{}", ran.stderr);
        }
    }
}

#[test]
fn an_address_that_is_none_is_refused() {
    for address in ["", "127.0.0.1", "web1:80", "127.0.0.1:65536", "::1"] {
        let ran = run(&["--listen", address]).ended(2);
        assert!(
            ran.stderr.contains("127.0.0.1:8080 or [::1]:8080"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn an_address_that_is_taken_is_refused_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for option in ["--listen", "--metrics"] {
        let ran = run(&[option, &address]).ended(7);
        assert!(
            ran.line().contains(&format!("{option} {address}: ")),
            "{}",
            ran.stderr
        );
        assert!(ran.line().contains("take another port"), "{}", ran.stderr);
    }
}

#[test]
fn a_token_that_is_none_is_refused_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    for content in [
        "",
        "short-secret",
        "a secret with blanks in it",
        "geheimnis-mit-ümlaut",
    ] {
        let file = file_in(folder.path(), "token", content.as_bytes());
        let ran = run(&["--listen", "0", "--token-file", file.to_str().unwrap()]).ended(2);
        assert!(ran.line().contains("must hold one token"), "{}", ran.stderr);
        assert!(
            content.is_empty() || !ran.stderr.contains(content),
            "{}",
            ran.stderr
        );
    }
    let ran = run(&["--listen", "0", "--token-file", "/nowhere/token"]).ended(2);
    assert!(
        ran.line().contains("/nowhere/token can't be read"),
        "{}",
        ran.stderr
    );
}
