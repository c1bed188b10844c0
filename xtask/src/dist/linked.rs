//! What a program needs of the system that it runs on, read off the program itself.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader as _};

/// Debian's packages of the libraries, and how the versions of their symbols begin.
const LIBRARIES: [(&str, &str, &str); 6] = [
    ("libc.so.6", "libc6", "GLIBC_"),
    ("libm.so.6", "libc6", "GLIBC_"),
    ("libdl.so.2", "libc6", "GLIBC_"),
    ("libpthread.so.0", "libc6", "GLIBC_"),
    ("ld-linux-", "libc6", "GLIBC_"),
    ("libgcc_s.so.1", "libgcc-s1", "GCC_"),
];

/// Of an ELF program of 64 bits.
#[derive(Debug, PartialEq)]
pub(super) struct Linked {
    /// As Debian calls it: `amd64`.
    pub(super) architecture: &'static str,
    /// `libc6 (>= 2.34)`, sorted; none for a static program.
    pub(super) depends: Vec<String>,
}

pub(super) fn read(program: &[u8]) -> Result<Linked> {
    let header = FileHeader64::<Endianness>::parse(program).context("not an ELF program")?;
    let endian = header.endian()?;
    let architecture = match header.e_machine.get(endian) {
        elf::EM_X86_64 => "amd64",
        elf::EM_AARCH64 => "arm64",
        other => {
            bail!("it is for ELF machine {other}, for which no Debian architecture is known here")
        }
    };
    let sections = header.sections(endian, program)?;
    let mut needed = Vec::new();
    if let Some((entries, strings)) = sections.dynamic(endian, program)? {
        let strings = sections.strings(endian, program, strings)?;
        for entry in entries
            .iter()
            .filter(|entry| entry.tag(endian) == elf::DT_NEEDED)
        {
            needed.push((text(entry.string(endian, strings)?), String::new()));
        }
    }
    if let Some((mut files, strings)) = sections.gnu_verneed(endian, program)? {
        let strings = sections.strings(endian, program, strings)?;
        while let Some((file, mut versions)) = files.next()? {
            while let Some(version) = versions.next()? {
                let file = text(file.file(endian, strings)?);
                needed.push((file, text(version.name(endian, strings)?)));
            }
        }
    }
    let depends = depends(&needed)?;
    Ok(Linked {
        architecture,
        depends,
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Libraries, each with a version of symbols that is asked of it, or none.
fn depends(needed: &[(String, String)]) -> Result<Vec<String>> {
    let mut packages: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (library, symbols) in needed {
        let known = LIBRARIES
            .iter()
            .find(|(name, ..)| library.starts_with(name));
        let Some((_, package, prefix)) = known else {
            bail!("it needs {library}; say in xtask/src/dist/linked.rs which package has that");
        };
        let version = version(symbols, prefix).with_context(|| {
            format!("it asks for {symbols} of {library}, which says no version of {package}")
        })?;
        let highest = packages.entry(package).or_default();
        if version.cmp(highest) == Ordering::Greater {
            *highest = version;
        }
    }
    let one = |(package, version): (&str, Vec<u32>)| match version.is_empty() {
        true => package.to_owned(),
        false => format!("{package} (>= {})", dotted(&version)),
    };
    Ok(packages.into_iter().map(one).collect())
}

/// `GLIBC_2.34` is 2, 34; nothing asked is no number.
fn version(symbols: &str, prefix: &str) -> Option<Vec<u32>> {
    match symbols {
        "" => return Some(Vec::new()),
        // Packed relocations, which the loader can from this version on.
        "GLIBC_ABI_DT_RELR" => return Some(vec![2, 36]),
        _ => {}
    }
    let numbers = symbols.strip_prefix(prefix)?.split('.');
    let mut numbers: Vec<u32> = numbers.map(str::parse).collect::<Result<_, _>>().ok()?;
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    Some(numbers)
}

fn dotted(version: &[u32]) -> String {
    let numbers: Vec<_> = version.iter().map(u32::to_string).collect();
    numbers.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(list: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned =
            |(library, symbols): &(&str, &str)| ((*library).to_owned(), (*symbols).to_owned());
        list.iter().map(owned).collect()
    }

    #[test]
    fn the_highest_version_of_each_package_counts() {
        let list = needed(&[
            ("libgcc_s.so.1", ""),
            ("libc.so.6", ""),
            ("libc.so.6", "GLIBC_2.9"),
            ("libc.so.6", "GLIBC_2.34"),
            ("libm.so.6", "GLIBC_2.29"),
            ("ld-linux-x86-64.so.2", "GLIBC_2.3"),
            ("libgcc_s.so.1", "GCC_4.2.0"),
        ]);
        assert_eq!(
            depends(&list).unwrap(),
            ["libc6 (>= 2.34)", "libgcc-s1 (>= 4.2)"]
        );
    }

    #[test]
    fn what_no_package_is_known_for_is_an_error() {
        let library = depends(&needed(&[("libz.so.1", "")])).unwrap_err();
        assert!(
            library.to_string().contains("it needs libz.so.1"),
            "{library}"
        );
        let private = depends(&needed(&[("libc.so.6", "GLIBC_PRIVATE")])).unwrap_err();
        assert!(private.to_string().contains("GLIBC_PRIVATE"), "{private}");
    }

    #[test]
    fn this_very_program_needs_a_c_library() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let linked = read(&program).unwrap();
        if cfg!(all(target_arch = "x86_64", target_env = "gnu")) {
            assert_eq!(linked.architecture, "amd64");
            assert!(linked.depends[0].starts_with("libc6 (>= 2."), "{linked:?}");
        }
        assert!(read(b"#!/bin/sh\n").is_err());
    }
}
