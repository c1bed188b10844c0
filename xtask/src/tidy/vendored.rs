//! Vendored files are those of their package: a `SHA256SUMS` beside them, as `sha256sum` writes it, pins each.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

const PINS: &str = "SHA256SUMS";

/// One line for each vendored file that is not the pinned one, or that nothing pins.
pub(super) fn check(root: &Path, files: &[PathBuf]) -> Vec<String> {
    let vendored = files.iter().filter(|path| is_vendored(path));
    vendored
        .filter_map(|path| {
            let pins = fs::read_to_string(root.join(path).with_file_name(PINS));
            let bytes = fs::read(root.join(path)).unwrap_or_default();
            let problem = problem(&name_of(path), &bytes, &pins.unwrap_or_default())?;
            Some(format!("{}:1: {problem}", path.display()))
        })
        .collect()
}

fn is_vendored(path: &Path) -> bool {
    let ours = ["README.md", PINS];
    path.iter().any(|part| part == "vendor") && !ours.contains(&name_of(path).as_str())
}

fn problem(name: &str, bytes: &[u8], pins: &str) -> Option<String> {
    let mut lines = pins.lines().filter_map(|line| line.split_once("  "));
    let Some((pinned, _)) = lines.find(|(_, file)| *file == name) else {
        return Some(format!("no line for it in {PINS}; pin it with sha256sum"));
    };
    let digest = Sha256::digest(bytes);
    let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    (found != pinned).then(|| {
        format!("its sha256 is {found}, {PINS} says {pinned}; take the file from its package again")
    })
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_unpinned_file_is_told() {
        let pins = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.js\n";
        assert_eq!(problem("a.js", b"abc", pins), None);
        assert!(
            problem("a.js", b"abcd", pins)
                .unwrap()
                .contains("its sha256 is")
        );
        assert!(problem("b.js", b"abc", pins).unwrap().contains("no line"));
        assert!(is_vendored(Path::new("x/vendor/uplot/LICENSE")));
        assert!(!is_vendored(Path::new("x/vendor/uplot/SHA256SUMS")));
    }
}
