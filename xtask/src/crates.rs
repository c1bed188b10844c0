//! The crates of the lock file, as `cargo metadata` describes them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::cmd;

/// A crate of the tree: ours, or somebody's.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) licence: Option<String>,
    /// Where it is developed.
    pub(crate) repository: Option<String>,
    /// `registry+...` or `git+...`; none for ours.
    pub(crate) source: Option<String>,
    /// The native library that it says it links.
    pub(crate) links: Option<String>,
    /// Where its sources lie.
    pub(crate) folder: PathBuf,
}

/// All of them: those of tests and of this program too.
pub(crate) fn all() -> Result<Vec<Crate>> {
    let mut metadata = cmd::cargo();
    metadata.args(["metadata", "--locked", "--format-version", "1"]);
    let text = cmd::output(&mut metadata)?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata has no packages")?;
    Ok(packages.iter().map(one).collect())
}

fn one(package: &Value) -> Crate {
    let text = |key: &str| package[key].as_str().map(str::to_owned);
    let manifest = PathBuf::from(text("manifest_path").unwrap_or_default());
    Crate {
        name: text("name").unwrap_or_default(),
        version: text("version").unwrap_or_default(),
        licence: text("license"),
        repository: text("repository"),
        source: text("source"),
        links: text("links"),
        folder: manifest.parent().unwrap_or(&manifest).to_path_buf(),
    }
}

/// Names and versions of what is compiled into sensor; with `build` of what runs while it is compiled, too.
pub(crate) fn of_sensor(build: bool) -> Result<BTreeSet<(String, String)>> {
    let edges = if build {
        "normal,build"
    } else {
        "normal,no-proc-macro"
    };
    tree("sensor", edges)
}

/// Of what is compiled into the eBPF programs, which sensor holds as one file.
pub(crate) fn of_programs() -> Result<BTreeSet<(String, String)>> {
    tree("sensor-ebpf", "normal,no-proc-macro")
}

fn tree(package: &str, edges: &str) -> Result<BTreeSet<(String, String)>> {
    let mut tree = cmd::cargo();
    tree.args(["tree", "--locked", "--package", package, "--prefix", "none"]);
    tree.args(["--edges", edges, "--format", "{p}"]);
    Ok(named(&cmd::output(&mut tree)?))
}

/// `libc v0.2.1 (*)`
fn named(tree: &str) -> BTreeSet<(String, String)> {
    let pair = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, version) = (words.next()?, words.next()?);
        Some((name.to_owned(), version.trim_start_matches('v').to_owned()))
    };
    tree.lines().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_of_a_crate_is_kept() {
        let said = serde_json::json!({
            "name": "ring", "version": "1.2.3", "license": "MIT", "links": "ring_core",
            "repository": "https://x", "source": "registry+x", "manifest_path": "/c/ring/Cargo.toml", "else": 1
        });
        let expected = Crate {
            name: "ring".to_owned(),
            version: "1.2.3".to_owned(),
            licence: Some("MIT".to_owned()),
            repository: Some("https://x".to_owned()),
            source: Some("registry+x".to_owned()),
            links: Some("ring_core".to_owned()),
            folder: PathBuf::from("/c/ring"),
        };
        assert_eq!(one(&said), expected);
    }

    #[test]
    fn a_crate_is_named_once_with_its_version() {
        let tree = "sensor v0.1.0 (/x/sensor)\nlibc v0.2.1\nlibc v0.2.1 (*)\n";
        let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(
            named(tree),
            BTreeSet::from([pair("libc", "0.2.1"), pair("sensor", "0.1.0")])
        );
    }
}
