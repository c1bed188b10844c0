//! The files of our own licences: each that Cargo.toml names must be there, and be the true one.

use std::fs;

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::cmd;

const APACHE: &str = "LICENSE-APACHE";
/// Of <https://www.apache.org/licenses/LICENSE-2.0.txt>.
const APACHE_SHA256: &str = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30";
const MIT: &str = "LICENSE-MIT";
/// Behind the line of the copyright, the words of <https://spdx.org/licenses/MIT.html>.
const MIT_SHA256: &str = "7c9b48b52decb9837c70f608678129e1ac79e056829c8d1e82e8cdd8aed562f8";

/// Of each licence of an expression.
pub(super) fn files(expression: &str) -> Result<Vec<&'static str>> {
    let names = expression.split(" OR ");
    names.map(file).collect()
}

fn file(name: &str) -> Result<&'static str> {
    let (file, digest): (_, fn(&str) -> String) = match name {
        "Apache-2.0" => (APACHE, sha256),
        "MIT" => (MIT, |text| sha256(&without_copyright(text))),
        _ => bail!(
            "Cargo.toml says {name}; add the file of that licence, and a line in xtask/src/dist/licences.rs"
        ),
    };
    let path = cmd::workspace_root().join(file);
    let text = fs::read_to_string(&path).with_context(|| {
        format!(
            "Cargo.toml says {name}, and {} can't be read",
            path.display()
        )
    })?;
    let expected = if file == MIT {
        MIT_SHA256
    } else {
        APACHE_SHA256
    };
    if digest(&text) != expected {
        bail!("{file} is not the text of {name}");
    }
    Ok(file)
}

/// The words alone.
fn without_copyright(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("Copyright (c)"));
    let words: Vec<_> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_licences_of_the_tree_are_there_and_true() {
        assert_eq!(files("MIT OR Apache-2.0").unwrap(), [MIT, APACHE]);
        let ours = super::super::Ours::read().unwrap();
        assert_eq!(ours.licence, "MIT OR Apache-2.0");
    }

    #[test]
    fn a_licence_without_a_file_is_an_error() {
        let error = files("MIT OR ISC").unwrap_err();
        assert!(error.to_string().contains("says ISC"), "{error}");
    }
}
