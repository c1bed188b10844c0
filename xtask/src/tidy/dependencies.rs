//! What the tree is made of: no C in sensor (one static binary for any Linux, from cargo alone), nothing from anywhere
//! but the registry, and no licence that asks more of those who pass sensor on than to name the authors.

use std::collections::BTreeSet;

use anyhow::Result;

use super::licence;
use crate::crates::{self, Crate};

/// Crates that compile, generate or look for C.
const BUILDS_C: [&str; 4] = ["cc", "cmake", "bindgen", "pkg-config"];
/// Bindings without C: system call numbers and structs.
const HARMLESS_SYS: [&str; 1] = ["linux-raw-sys"];
/// The one place that crates come from, with a checksum of each in the lock file.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// One line for each crate that should not be there as it is.
pub(super) fn check() -> Result<Vec<String>> {
    let all = crates::all()?;
    let mut found = with_c(&all, &crates::of_sensor(true)?);
    found.extend(all.iter().filter_map(odd_source));
    found.extend(all.iter().filter_map(odd_licence));
    Ok(found)
}

fn with_c(all: &[Crate], sensor: &BTreeSet<(String, String)>) -> Vec<String> {
    let guilty = all
        .iter()
        .filter(|one| sensor.contains(&(one.name.clone(), one.version.clone())) && brings_c(one));
    guilty
        .map(|Crate { name, .. }| {
            format!("sensor/Cargo.toml:1: `{name}` brings C into the tree; `cargo tree -i {name}` says through what, choose pure Rust")
        })
        .collect()
}

fn brings_c(one: &Crate) -> bool {
    let name = one.name.as_str();
    let system = name.ends_with("-sys") || one.links.is_some();
    BUILDS_C.contains(&name) || (system && !HARMLESS_SYS.contains(&name))
}

fn odd_source(one: &Crate) -> Option<String> {
    let source = one.source.as_ref().filter(|source| *source != REGISTRY)?;
    Some(format!(
        "Cargo.lock:1: `{}` comes from {source}; take a release from crates.io",
        one.name
    ))
}

fn odd_licence(one: &Crate) -> Option<String> {
    let name = &one.name;
    let Some(licence) = &one.licence else {
        return Some(format!(
            "Cargo.lock:1: `{name}` says no licence; choose another crate"
        ));
    };
    (!licence::is_allowed(licence)).then(|| {
        format!("Cargo.lock:1: `{name}` is under {licence}, which xtask/src/tidy/licence.rs does not list; choose another crate")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str) -> Crate {
        Crate {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: Some("MIT".to_owned()),
            source: Some(REGISTRY.to_owned()),
            ..Crate::default()
        }
    }

    #[test]
    fn c_is_found_where_sensor_has_it() {
        let mut links = one("z");
        links.links = Some("z".to_owned());
        let all = [
            one("zstd-sys"),
            one("cc"),
            one("linux-raw-sys"),
            one("libc"),
            links,
        ];
        let sensor = |names: &[&str]| -> BTreeSet<(String, String)> {
            let pair = |name: &&str| ((*name).to_owned(), "1.0.0".to_owned());
            names.iter().map(pair).collect()
        };
        let found = with_c(&all, &sensor(&["zstd-sys", "linux-raw-sys", "libc", "z"]));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].contains("`zstd-sys`") && found[1].contains("`z`"),
            "{found:?}"
        );
        assert!(with_c(&all, &sensor(&["linux-raw-sys", "libc"])).is_empty());
    }

    #[test]
    fn sources_other_than_the_registry_and_odd_licences_are_told() {
        let good = one("good");
        assert_eq!((odd_source(&good), odd_licence(&good)), (None, None));
        let git = Crate {
            source: Some("git+https://example.org/x#abc".to_owned()),
            licence: None,
            ..one("bad")
        };
        assert!(odd_source(&git).unwrap().contains("git+https"));
        assert!(odd_licence(&git).unwrap().contains("says no licence"));
        let copyleft = Crate {
            licence: Some("GPL-3.0-only".to_owned()),
            ..one("bad")
        };
        assert!(odd_licence(&copyleft).unwrap().contains("GPL-3.0-only"));
        let ours = Crate {
            source: None,
            ..one("sensor")
        };
        assert_eq!(odd_source(&ours), None);
    }
}
