//! docs/performance.md: the words are performance.txt beside this file, the figures those of one run, which is committed
//! beside it. A test holds one against the other, so no figure can be written by hand.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::render;
use crate::cmd;

const TEMPLATE: &str = include_str!("performance.txt");

pub(crate) fn write(run: &Value) -> Result<()> {
    let document = document(run)?;
    let figures = serde_json::to_string_pretty(run)? + "\n";
    for (path, text) in [(path("json"), figures), (path("md"), document)] {
        fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

fn path(ending: &str) -> PathBuf {
    cmd::workspace_root().join(format!("docs/performance.{ending}"))
}

/// The template with each `{{name}}` replaced.
fn document(run: &Value) -> Result<String> {
    if run["quick"] == true {
        bail!("these are the figures of a quick run: the document is written from a full one");
    }
    let mut text = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").context("a {{ without }}")?;
        text += before;
        text += figures(run, name)?.trim_end();
        rest = after;
    }
    Ok(text + rest)
}

fn figures(run: &Value, name: &str) -> Result<String> {
    match name {
        "machine" => Ok(render::machine(run)),
        "demands" => Ok(render::demands_table(run)),
        "missing" => {
            let lines: Vec<_> = render::missing(run)
                .iter()
                .map(|line| format!("- {line}"))
                .collect();
            Ok(match lines.is_empty() {
                true => "Nothing was missing.".to_owned(),
                false => lines.join("\n"),
            })
        }
        // A table that is younger than the figures may be missing, behind another one.
        id => match id.strip_suffix('?') {
            Some(id) => {
                Ok(render::table(run, id).map_or_else(String::new, |it| format!("\n\n{it}")))
            }
            None => render::table(run, id)
                .with_context(|| format!("the run has no table {id}: run them all")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without figures there is no document either.
    #[test]
    fn the_document_is_what_its_figures_say() {
        let figures = fs::read_to_string(path("json")).ok();
        let expected =
            figures.map(|figures| document(&serde_json::from_str(&figures).unwrap()).unwrap());
        let committed = fs::read_to_string(path("md")).ok();
        assert!(
            expected == committed,
            "docs/performance.md is not what docs/performance.json and its template give: \
             cargo xtask bench --from docs/performance.json --write-docs"
        );
    }

    #[test]
    fn a_quick_run_is_no_document() {
        assert!(document(&serde_json::json!({"quick": true})).is_err());
    }
}
