//! Parts of documents that tests know better.

use std::fs;
use std::path::Path;

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// What stands between `<!-- NAME -->` and `<!-- /NAME -->` must be this text; `UPDATE=1` writes it there.
pub(crate) fn block(path: &str, name: &str, text: &str) {
    let document = read(path);
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let start = document.find(&begin).unwrap() + begin.len();
    let stop = start + document[start..].find(&end).unwrap();
    if document[start..stop] == *text {
        return;
    }
    assert!(
        std::env::var_os("UPDATE").is_some(),
        "{path} is stale: run this test with UPDATE=1, and read what changed"
    );
    write(
        path,
        &[&document[..start], text, &document[stop..]].concat(),
    );
}

pub(crate) fn write(path: &str, document: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::write(path, document).unwrap();
}
