//! The page that shows what changed between two reports: the same styles, lists and policy, without charts.

use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;

use super::{escape::json_in_html, page};
use crate::diff::Diff;
use crate::escape;
use crate::sink::{SinkError, write_atomically, write_stdout};

/// The whole page with its data.
pub fn write_diff(diff: &Diff, mut to: impl Write) -> io::Result<()> {
    let mut value = serde_json::to_value(diff)?;
    spell_out(&mut value);
    page::write_diff(&json_in_html(&value.to_string()), &mut to)
}

/// To a file, whole or not at all; `-` is standard output.
pub fn write_diff_to(diff: &Diff, path: &Path) -> Result<(), SinkError> {
    if path == Path::new("-") {
        return write_stdout(|to| write_diff(diff, to));
    }
    write_atomically(path, |to| write_diff(diff, to))
}

/// What could lie, in every text.
fn spell_out(value: &mut Value) {
    match value {
        Value::String(text) => *text = escape::text(text),
        Value::Array(list) => list.iter_mut().for_each(spell_out),
        Value::Object(map) => map.values_mut().for_each(spell_out),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn page(diff: &Diff) -> String {
        let mut html = Vec::new();
        write_diff(diff, &mut html).unwrap();
        String::from_utf8(html).unwrap()
    }

    #[test]
    fn every_marker_is_filled_and_nothing_is_fetched() {
        let (a, b) = (samples::report(3), samples::report(9));
        let html = page(&crate::diff::diff(&a, &b, 0));
        assert!(
            !html.contains("{{") && !html.contains("}}\n"),
            "a marker is left"
        );
        for part in ["src=", "href=\"http", "@import", "url("] {
            assert!(!html.contains(part), "{part}");
        }
        assert!(html.contains("default-src 'none'; script-src 'sha256-"));
    }

    #[test]
    fn a_strangers_text_is_no_markup() {
        let (mut a, b) = (samples::report(3), samples::report(9));
        let hostile = "</script><script>alert(1)</script>\u{202e}";
        a.sensor.hostname = hostile.to_owned();
        a.endpoints[0].names = vec![crate::report::Name {
            name: hostile.to_owned(),
            source: "dns".into(),
        }];
        let html = page(&crate::diff::diff(&b, &a, 0));
        assert!(!html.contains("<script>alert") && !html.contains('\u{202e}'));
        assert!(html.contains("\\u003c/script\\u003e"));
    }
}
