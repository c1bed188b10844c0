//! docs/reliability.md: each promise names the tests that can break it, and they are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::document;

#[test]
fn every_promise_names_tests_that_exist() {
    let page = document::read("docs/reliability.md");
    let tests = tests();
    let (mut rows, mut named) = (0, 0);
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, promise, proofs, figure, _] = cells[..] else {
            panic!("not three columns: {line}");
        };
        if promise == "promise" || promise.starts_with("---") {
            continue;
        }
        rows += 1;
        assert!(!figure.is_empty(), "no figure: {line}");
        let code: Vec<&str> = proofs.split('`').skip(1).step_by(2).collect();
        assert!(!code.is_empty(), "no test: {line}");
        for proof in code {
            named += 1;
            let name = proof.rsplit("::").next().unwrap();
            assert!(tests.contains(name), "there is no test {proof}: {line}");
        }
    }
    assert!(rows >= 30 && named > rows, "{rows} promises, {named} tests");
}

/// Names of the functions that have an attribute `test`.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeSet::new();
    for folder in ["sensor", "sensor-common", "tests", "xtask"] {
        in_folder(&root.join(folder), &mut found);
    }
    found
}

fn in_folder(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            in_folder(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            in_source(&fs::read_to_string(&path).unwrap(), found);
        }
    }
}

fn in_source(source: &str, found: &mut BTreeSet<String>) {
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        let function = line
            .strip_prefix("fn ")
            .and_then(|rest| rest.split('(').next());
        match function {
            Some(name) if is_test => {
                found.insert(name.to_owned());
                is_test = false;
            }
            _ => is_test = line == "#[test]" || (is_test && line.starts_with("#[")),
        }
    }
}
