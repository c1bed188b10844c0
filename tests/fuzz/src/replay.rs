//! The committed corpora on every test run: examples, mistakes, and what fuzzing has found.

use std::fs;
use std::path::Path;

/// Each line of a `.txt` file is an input, any other file is one.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut inputs = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        match path.extension().is_some_and(|ending| ending == "txt") {
            true => inputs.extend(bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec)),
            false => inputs.push(bytes),
        }
    }
    inputs
}

#[test]
fn filters() {
    let inputs = inputs("filter");
    for input in &inputs {
        crate::filter::check(input);
    }
    assert!(inputs.len() > 200, "{} inputs", inputs.len());
}

/// Every input with a part left out, doubled, or put elsewhere: what a fuzzer would try first.
#[test]
fn filters_that_were_damaged() {
    let inputs = inputs("filter");
    for (number, input) in inputs.iter().enumerate() {
        let other = &inputs[(number * 7 + 1) % inputs.len()];
        let (cut, end) = (input.len() / 3, input.len() * 2 / 3);
        let [a, b, c] = [&input[..cut], &input[cut..end], &input[end..]];
        for damaged in [
            [a, c].concat(),
            [a, b, b, c].concat(),
            [c, b, a].concat(),
            [a, other].concat(),
            [input, &b" or "[..], other].concat(),
            [&b"not ("[..], input, b") and ", other].concat(),
        ] {
            crate::filter::check(&damaged);
        }
    }
}
