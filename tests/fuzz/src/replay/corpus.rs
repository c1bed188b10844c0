//! The files of a corpus.

use std::fs;
use std::path::Path;

/// Each line of a `.txt` file is an input, each of a `.hex` file is one in hexadecimal digits (or a comment behind `#`), any
/// other file is one.
pub(crate) fn inputs(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut inputs = Vec::new();
    for path in paths {
        let bytes = fs::read(&path).unwrap();
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending {
            Some("txt") => inputs.extend(bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec)),
            Some("hex") => inputs.extend(String::from_utf8(bytes).unwrap().lines().filter_map(hex)),
            _ => inputs.push(bytes),
        }
    }
    inputs
}

fn hex(line: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = line.bytes().filter(|byte| *byte != b' ').collect();
    if digits.is_empty() || digits[0] == b'#' {
        return None;
    }
    assert!(digits.len().is_multiple_of(2), "half a byte: {line}");
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    Some(digits.chunks(2).map(byte).collect())
}
