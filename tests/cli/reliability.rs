//! docs/reliability.md and docs/bad-inputs.md: each line names the tests that can break it, and they are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::document;

#[test]
fn every_promise_names_tests_that_exist() {
    let (rows, named) = proven("docs/reliability.md", |cells| {
        let [_, promise, proofs, figure, _] = cells[..] else {
            panic!("not three columns: {cells:?}");
        };
        assert!(!figure.is_empty(), "no figure: {promise}");
        proofs.to_owned()
    });
    assert!(rows >= 30 && named > rows, "{rows} promises, {named} tests");
}

#[test]
fn every_bad_input_names_tests_that_exist() {
    let mut numbers = BTreeSet::new();
    let (rows, named) = proven("docs/bad-inputs.md", |cells| {
        if let [_, number, _, _, proofs, _] = cells[..] {
            numbers.extend(number.split(", ").flat_map(those_of));
            return proofs.to_owned();
        }
        let [_, _, _, proofs, _] = cells[..] else {
            panic!("neither three columns nor four: {cells:?}");
        };
        proofs.to_owned()
    });
    assert_eq!(numbers, (1..=109).collect());
    assert!(named > rows, "{rows} inputs, {named} tests");
}

/// `7`, or `21-23`.
fn those_of(number: &str) -> std::ops::RangeInclusive<u32> {
    let (first, last) = number.split_once('-').unwrap_or((number, number));
    first.parse().unwrap()..=last.parse().unwrap()
}

/// Rows of a page's tables, and tests that they name: all of them are there. `proofs` gives the cell with the tests.
fn proven(page: &str, mut proofs: impl FnMut(&[&str]) -> String) -> (usize, usize) {
    let page = document::read(page);
    let tests = tests();
    let (mut rows, mut named) = (0, 0);
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if ["promise", "#", "into"].contains(&cells[1]) {
            continue;
        }
        rows += 1;
        let proofs = proofs(&cells);
        // Names of tests are longer than the commands that may stand beside them.
        let code = proofs.split('`').skip(1).step_by(2);
        let code: Vec<&str> = code
            .filter(|code| code.contains('_') || code.contains("::"))
            .collect();
        assert!(!code.is_empty(), "no test: {line}");
        for proof in code {
            named += 1;
            let name = proof.rsplit("::").next().unwrap();
            assert!(tests.contains(name), "there is no test {proof}: {line}");
        }
    }
    (rows, named)
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
