//! The dependency tree of sensor stays free of C: one static binary for any Linux, from cargo alone.

use anyhow::Result;

use crate::cmd;

/// Crates that compile, generate or look for C.
const BUILDS_C: [&str; 4] = ["cc", "cmake", "bindgen", "pkg-config"];
/// Bindings without C: system call numbers and structs.
const HARMLESS_SYS: [&str; 1] = ["linux-raw-sys"];

/// One line for each crate that brings C into the tree.
pub(super) fn check() -> Result<Vec<String>> {
    let mut tree = cmd::cargo();
    tree.args([
        "tree",
        "--locked",
        "--edges",
        "normal,build",
        "--package",
        "sensor",
        "--prefix",
        "none",
    ]);
    tree.args(["--format", "{p}"]);
    Ok(violations(&cmd::output(&mut tree)?))
}

fn violations(tree: &str) -> Vec<String> {
    let mut names: Vec<_> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    names.sort_unstable();
    names.dedup();
    let guilty = names.into_iter().filter(|name| brings_c(name));
    guilty
        .map(|name| {
            format!("sensor/Cargo.toml:1: `{name}` brings C into the tree; `cargo tree -i {name}` says through what, choose pure Rust")
        })
        .collect()
}

fn brings_c(name: &str) -> bool {
    BUILDS_C.contains(&name) || (name.ends_with("-sys") && !HARMLESS_SYS.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_is_found_and_named_once() {
        let tree = "sensor v0.1.0 (/x/sensor)\nzstd-sys v2.0.1\ncc v1.2.0\nlinux-raw-sys v0.11.0\ncc v1.2.0 (*)\nlibc v0.2.1\n";
        let found = violations(tree);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].contains("`cc`") && found[1].contains("`zstd-sys`"),
            "{found:?}"
        );
    }

    #[test]
    fn a_tree_of_rust_is_clean() {
        assert!(
            violations("sensor v0.1.0\nlinux-raw-sys v0.11.0\nccc v1.0.0\nlibc v0.2.1\n")
                .is_empty()
        );
    }
}
