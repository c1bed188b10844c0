//! Whose work is in a package besides ours, and under which terms: one text with a list and the licences themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Ours;
use super::copyright::{FONTS, UPLOT};
use crate::cmd;
use crate::crates::{self, Crate};

/// How the names of files begin that hold terms, in capitals.
const BEGINNINGS: [&str; 6] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "NOTICE",
    "UNLICENSE",
];

/// What is not a crate and is in the program all the same: name, licence, origin, and where its terms lie.
const OTHERS: [(&str, &str, &str, &str); 2] = [
    (
        "DejaVu Sans 2.37 (a subset)",
        "Bitstream-Vera",
        "https://dejavu-fonts.github.io/",
        FONTS,
    ),
    (
        "uPlot 1.6.32",
        "MIT",
        "https://github.com/leeoniya/uPlot",
        UPLOT,
    ),
];

/// Somebody's work.
struct Part {
    /// With its version.
    name: String,
    licence: String,
    origin: String,
    /// File names and texts.
    terms: Vec<(String, String)>,
}

/// The whole file.
pub(super) fn text(ours: &Ours) -> Result<String> {
    let mut parts: Vec<Part> = shipped()?.iter().map(of_crate).collect::<Result<_>>()?;
    for (name, licence, origin, terms) in OTHERS {
        parts.push(Part {
            name: name.to_owned(),
            licence: licence.to_owned(),
            origin: origin.to_owned(),
            terms: vec![one_text(&cmd::workspace_root(), Path::new(terms))?],
        });
    }
    parts.push(standard_library()?);
    Ok(preface(ours) + &listed(&parts))
}

/// The crates of others that are compiled into sensor, or into the eBPF object that it holds.
fn shipped() -> Result<Vec<Crate>> {
    let mut wanted = crates::of_sensor(false)?;
    wanted.extend(crates::of_programs()?);
    let is_theirs = |one: &Crate| {
        one.source.is_some() && wanted.contains(&(one.name.clone(), one.version.clone()))
    };
    let mut found = crates::all()?;
    found.retain(is_theirs);
    found.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(found)
}

fn of_crate(one: &Crate) -> Result<Part> {
    let mut files = Vec::new();
    find_terms(&one.folder, Path::new(""), &mut files)?;
    files.sort();
    let terms = files.iter().map(|file| one_text(&one.folder, file));
    Ok(Part {
        name: format!("{} {}", one.name, one.version),
        licence: one.licence.clone().unwrap_or_else(|| "not said".to_owned()),
        origin: one
            .repository
            .clone()
            .unwrap_or_else(|| "not said".to_owned()),
        terms: terms.collect::<Result<_>>()?,
    })
}

/// Paths below the crate's folder.
fn find_terms(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let full = root.join(folder);
    let entries =
        fs::read_dir(&full).with_context(|| format!("could not read {}", full.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("could not read {}", full.display()))?;
        let path = folder.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            find_terms(root, &path, found)?;
        } else if kind.is_file() && holds_terms(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// By its name, and unless it is code that is called so. Or whatever lies in a folder `LICENSES`.
fn holds_terms(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_uppercase();
    let is_code = [".RS", ".PY", ".C", ".H", ".HTML", ".TPL", ".HBS"]
        .iter()
        .any(|end| name.ends_with(end));
    let in_folder = path
        .parent()
        .is_some_and(|folder| folder.ends_with("LICENSES"));
    !is_code && (in_folder || BEGINNINGS.iter().any(|begin| name.starts_with(begin)))
}

fn one_text(root: &Path, file: &Path) -> Result<(String, String)> {
    let path = root.join(file);
    let bytes = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    Ok((file.display().to_string(), text))
}

/// It is part of every Rust program; its terms come with the compiler.
fn standard_library() -> Result<Part> {
    let version = cmd::output(cmd::command("rustc").arg("--version"))?;
    let version = version
        .split_whitespace()
        .nth(1)
        .unwrap_or("of unknown version")
        .to_owned();
    let folder = of_rust()?;
    let mut terms = Vec::new();
    for file in ["licenses/MIT.txt", "licenses/Apache-2.0.txt"] {
        terms.extend(one_text(&folder, Path::new(file)).ok());
    }
    Ok(Part {
        name: format!("The Rust standard library {version}"),
        licence: "MIT OR Apache-2.0".to_owned(),
        origin: "https://github.com/rust-lang/rust".to_owned(),
        terms,
    })
}

/// Where the compiler keeps whose work its library is.
pub(super) fn of_rust() -> Result<PathBuf> {
    let sysroot = cmd::output(cmd::command("rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(sysroot).join("share/doc/rust"))
}

fn preface(ours: &Ours) -> String {
    let Ours {
        version,
        licence,
        programs,
    } = ours;
    format!(
        "Third-party software in sensor {version}\n\n\
         sensor itself is under {licence}: LICENSE-MIT, LICENSE-APACHE. The eBPF programs that it loads into the kernel\n\
         (from sensor-ebpf and sensor-common) are under the same, and say \"{programs}\" to the kernel, as it lends some of\n\
         its functions to such alone: whoever passes these programs on may do so under the GNU General Public License,\n\
         version 2, too.\n\n\
         What follows is compiled into the program and belongs to others. Each has its name and version, its licence, where\n\
         it comes from, and the numbers of the texts below that came with it.\n"
    )
}

/// The parts, and behind them each text once, however many have it.
fn listed(parts: &[Part]) -> String {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut texts: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut list = String::new();
    for Part {
        name,
        licence,
        origin,
        terms,
    } in parts
    {
        list += &format!("\n{name}\n  licence  {licence}\n  from     {origin}\n");
        for (file, text) in terms {
            let next = numbers.len() + 1;
            let number = *numbers.entry(words(text)).or_insert(next);
            if number == next {
                texts.push((text, Vec::new()));
            }
            texts[number - 1].1.push(name);
            list += &format!("  text     {file} [{number}]\n");
        }
        if terms.is_empty() {
            list += "  text     none came with it\n";
        }
    }
    for (index, (text, whose)) in texts.iter().enumerate() {
        let rule = "-".repeat(80);
        let of = whose.join(", ");
        list += &format!(
            "\n{rule}\n[{}] of {of}\n{rule}\n\n{}\n",
            index + 1,
            text.trim_end()
        );
    }
    list
}

/// Texts that differ in spaces and line ends alone are one.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_that_is_compiled_in_is_named_with_its_licence() {
        let text = text(&Ours::read().unwrap()).unwrap();
        let ours = ["sensor", "sensor-common", "sensor-ebpf", "zstd"];
        let mut trees = crates::of_sensor(false).unwrap();
        assert!(trees.len() > 100, "{}", trees.len());
        trees.extend(crates::of_programs().unwrap());
        for (name, version) in trees
            .iter()
            .filter(|(name, _)| !ours.contains(&name.as_str()))
        {
            let entry = format!("\n{name} {version}\n  licence  ");
            assert_eq!(text.matches(&entry).count(), 1, "{name} {version}");
        }
        assert!(
            !text.contains("licence  not said"),
            "a crate without a licence"
        );
        for part in [
            "\naya-ebpf ",
            "\nuPlot 1",
            "\nDejaVu Sans",
            "\nThe Rust standard library 1.",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(text.contains("say \"Dual MIT/GPL\" to the kernel"));
    }

    #[test]
    fn others_are_named_as_they_are() {
        for (name, _, _, terms) in OTHERS {
            let path = cmd::workspace_root().join(terms);
            let beside = path.with_file_name("README.md");
            let said = [path, beside].map(|path| fs::read_to_string(path).unwrap_or_default());
            let version = name
                .split_whitespace()
                .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
            assert!(said.concat().contains(version.unwrap()), "{name}");
        }
    }

    #[test]
    fn a_text_stands_once_and_its_absence_is_told() {
        let part = |name: &str, terms: &[(&str, &str)]| Part {
            name: name.to_owned(),
            licence: "MIT".to_owned(),
            origin: "https://example.org".to_owned(),
            terms: terms
                .iter()
                .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
                .collect(),
        };
        let text = listed(&[
            part("a 1", &[("LICENSE", "You may.\n"), ("NOTICE", "Mine")]),
            part("b 2", &[("LICENSE-MIT", "You\n may.")]),
            part("c 3", &[]),
        ]);
        assert!(
            text.contains("text     LICENSE [1]\n  text     NOTICE [2]\n"),
            "{text}"
        );
        assert!(text.contains("text     LICENSE-MIT [1]\n"), "{text}");
        assert!(
            text.contains("\nc 3\n") && text.contains("none came with it"),
            "{text}"
        );
        assert!(text.contains("[1] of a 1, b 2\n"), "{text}");
        assert_eq!(text.matches("may.").count(), 1, "{text}");
    }

    #[test]
    fn terms_are_told_from_code_by_their_names() {
        for name in [
            "LICENSE",
            "license-mit.md",
            "COPYING",
            "a/LICENSES/MIT.txt",
            "NOTICE.txt",
            "UNLICENSE",
        ] {
            assert!(holds_terms(Path::new(name)), "{name}");
        }
        for name in ["src/license.rs", "README.md", "copyright.py"] {
            assert!(!holds_terms(Path::new(name)), "{name}");
        }
    }
}
