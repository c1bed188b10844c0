//! The rules that look at one file: each a function from a file to its violations, listed in [`check`].

use std::path::Path;

const MAX_LINES: usize = 400;

/// A text file of the tree.
pub(super) struct File<'a> {
    /// Relative to the root.
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    pub(super) root: &'a Path,
}

/// Everything wrong with one file, as `path:line: what; what to do`.
pub(super) fn check(file: &File<'_>) -> Vec<String> {
    if is_foreign(file) {
        return machine_paths(file);
    }
    [length, imports, machine_paths, links, trailing_whitespace]
        .iter()
        .flat_map(|rule| rule(file))
        .collect()
}

/// Vendored and generated files are not ours to format, a licence is quoted, and test data is as it was found.
fn is_foreign(file: &File<'_>) -> bool {
    const FOLDERS: [&str; 5] = ["vendor", "vendored", "generated", "fixtures", "snapshots"];
    let folder = file
        .path
        .iter()
        .any(|part| FOLDERS.iter().any(|folder| part == *folder));
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    let generated = file
        .text
        .lines()
        .take(3)
        .any(|line| line.contains("@generated"));
    folder || generated || name == "Cargo.lock" || name.starts_with("LICENSE")
}

fn has_extension(file: &File<'_>, list: &[&str]) -> bool {
    file.path
        .extension()
        .is_some_and(|extension| list.iter().any(|wanted| extension == *wanted))
}

fn at(file: &File<'_>, line: usize, what: &str) -> String {
    format!("{}:{line}: {what}", file.path.display())
}

/// The violations of the lines for which `what` has something to say.
fn lines(file: &File<'_>, what: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let numbered = file.text.lines().enumerate();
    numbered
        .filter_map(|(index, line)| what(line).map(|what| at(file, index + 1, &what)))
        .collect()
}

fn length(file: &File<'_>) -> Vec<String> {
    let count = file.text.lines().count();
    if count <= MAX_LINES || !has_extension(file, &["rs", "js", "css", "sh", "py"]) {
        return Vec::new();
    }
    let excess = count - MAX_LINES;
    vec![at(
        file,
        MAX_LINES + 1,
        &format!("{count} lines, {excess} more than {MAX_LINES}; split the file by idea"),
    )]
}

/// A crate that only one part of sensor may know.
struct Confined {
    prefix: &'static str,
    home: &'static str,
}

const CONFINED: [Confined; 2] = [
    Confined {
        prefix: "aya",
        home: "sensor/src/source/kernel",
    },
    Confined {
        prefix: "plotters",
        home: "sensor/src/chart",
    },
];

fn imports(file: &File<'_>) -> Vec<String> {
    // Benchmarks load programs of their own beside the product's.
    let bench = file.path.starts_with("sensor/benches");
    if !file.path.starts_with("sensor") || bench || !has_extension(file, &["rs"]) {
        return Vec::new();
    }
    let path = file.path.to_string_lossy();
    let mut found = Vec::new();
    for Confined { prefix, home } in CONFINED {
        if !is_home(&path, home) {
            found.extend(lines(file, |line| {
                let name = names_crate(line, prefix)?;
                Some(format!(
                    "`{name}` may only be used under {home}; move this behind that module"
                ))
            }));
        }
    }
    found
}

/// `sensor/src/chart` is home to `sensor/src/chart.rs` and `sensor/src/chart/...`.
fn is_home(path: &str, home: &str) -> bool {
    path.strip_prefix(home)
        .is_some_and(|rest| rest.starts_with(['/', '.']))
}

/// The crate of the family (`aya`, `aya_obj`) that a line of code names in a path or an import.
fn names_crate<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    let code = line.split("//").next().unwrap_or_default();
    let imports = code
        .trim_start()
        .trim_start_matches("pub ")
        .starts_with("use ");
    code.match_indices(prefix).find_map(|(start, _)| {
        let (before, rest) = code.split_at(start);
        let (word, after) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
        let family = word == prefix || word[prefix.len()..].starts_with('_');
        // `::aya::x` is the crate, `self::aya::x` a module of ours.
        let inner = before
            .strip_suffix("::")
            .unwrap_or(before)
            .ends_with(is_word);
        let used = after.starts_with("::") || (imports && after.starts_with([';', ' ']));
        (family && !inner && used).then_some(word)
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A path of the machine that somebody happened to work on. The needles are put together here so that this file
/// does not hold them.
fn machine_paths(file: &File<'_>) -> Vec<String> {
    let needles = [["/", "work", "/"].concat(), ["/", "root", "/"].concat()];
    lines(file, |line| {
        let needle = needles.iter().find(|needle| holds_path(line, needle))?;
        Some(format!(
            "holds the machine path `{needle}`; make it relative, or take it from the environment"
        ))
    })
}

/// The needle at the start of a path, not in the middle of one such as `target/root/x`.
fn holds_path(line: &str, needle: &str) -> bool {
    line.match_indices(needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || "._-/}".contains(c)))
    })
}

fn links(file: &File<'_>) -> Vec<String> {
    if !has_extension(file, &["md"]) {
        return Vec::new();
    }
    let folder = file.root.join(file.path);
    let folder = folder.parent().unwrap_or(file.root);
    lines(file, |line| {
        let broken = link_targets(line).find(|target| !resolves(target, folder))?;
        Some(format!(
            "the link to `{broken}` leads nowhere; correct it or add the file"
        ))
    })
}

/// The targets of the `[text](target)` and `![alt](target)` of a line.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    let closed = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    closed.filter_map(|(target, _)| target.split_whitespace().next())
}

fn resolves(target: &str, folder: &Path) -> bool {
    let elsewhere =
        target.contains("://") || target.starts_with("mailto:") || target.starts_with('#');
    let path = target.split('#').next().unwrap_or_default();
    elsewhere || folder.join(path).exists()
}

fn trailing_whitespace(file: &File<'_>) -> Vec<String> {
    lines(file, |line| {
        line.ends_with([' ', '\t'])
            .then(|| "trailing whitespace; remove it".to_owned())
    })
}

#[cfg(test)]
mod tests;
