//! Debian's kernels, fetched and unpacked below the target folder; nothing is installed.
//!
//! apt is given folders of its own, so that the machine's package lists stay as they are; the mirror is the one that the
//! machine uses. A kernel that is there is not looked for again: `rm -r target/kernels` takes newer ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cmd;

const META: &str = "linux-image-cloud-amd64";
/// Newer kernels come in several packages.
const PARTS: [&str; 3] = ["linux-image-", "linux-binary-", "linux-modules-"];
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// An unpacked kernel.
pub(super) struct Packed {
    /// Such as `6.1.0-50-cloud-amd64`.
    pub(super) release: String,
    pub(super) vmlinuz: PathBuf,
    /// The folder of its modules.
    pub(super) modules: PathBuf,
}

/// The kernel of a suite, fetched where it is not in `folder`.
pub(super) fn obtain(suite: &str, folder: &Path) -> Result<Packed> {
    let root = folder.join("root");
    if let Some(packed) = find(&root) {
        return Ok(packed);
    }
    if root.exists() {
        fs::remove_dir_all(&root)
            .with_context(|| format!("could not remove {}", root.display()))?;
    }
    let apt = Apt::prepare(suite, &folder.join("apt"))?;
    let names = apt.kernel()?;
    println!("fetching {}", names.join(" "));
    apt.download(&names)?;
    // A kernel is whole or absent.
    let partial = folder.join("partial");
    let _left_over = fs::remove_dir_all(&partial);
    for package in files(&apt.folder, "deb")? {
        let mut unpack = cmd::command("dpkg-deb");
        cmd::run(unpack.arg("-x").arg(&package).arg(&partial))?;
    }
    fs::rename(&partial, &root)
        .with_context(|| format!("could not rename {}", partial.display()))?;
    fs::remove_dir_all(&apt.folder)
        .with_context(|| format!("could not remove {}", apt.folder.display()))?;
    find(&root).with_context(|| format!("no kernel in the packages {}", names.join(" ")))
}

/// Older packages have it in /boot, newer ones beside the modules.
fn find(root: &Path) -> Option<Packed> {
    let modules = ["lib/modules", "usr/lib/modules"]
        .into_iter()
        .find_map(|folder| fs::read_dir(root.join(folder)).ok()?.next()?.ok())?
        .path();
    let release = modules.file_name()?.to_string_lossy().into_owned();
    let vmlinuz = [
        root.join(format!("boot/vmlinuz-{release}")),
        modules.join("vmlinuz"),
    ]
    .into_iter()
    .find(|path| path.is_file())?;
    Some(Packed {
        release,
        vmlinuz,
        modules,
    })
}

/// apt with folders of its own.
struct Apt {
    folder: PathBuf,
    options: Vec<String>,
}

impl Apt {
    fn prepare(suite: &str, folder: &Path) -> Result<Self> {
        if !Path::new(KEYS).is_file() {
            bail!("there is no {KEYS}: not a Debian system?");
        }
        for part in ["lists/partial", "cache/archives/partial"] {
            let part = folder.join(part);
            fs::create_dir_all(&part)
                .with_context(|| format!("could not make {}", part.display()))?;
        }
        let source = format!(
            "deb [arch=amd64 signed-by={KEYS}] {} {suite} main\n",
            mirror()?
        );
        for (name, text) in [("status", ""), ("sources.list", source.as_str())] {
            let path = folder.join(name);
            fs::write(&path, text)
                .with_context(|| format!("could not write {}", path.display()))?;
        }
        let path = |name: &str| folder.join(name).display().to_string();
        let options = [
            ("Dir::State", path("")),
            ("Dir::State::lists", path("lists")),
            ("Dir::State::status", path("status")),
            ("Dir::Cache", path("cache")),
            ("Dir::Etc::sourcelist", path("sources.list")),
            ("Dir::Etc::sourceparts", "-".to_owned()),
            // The folders are ours alone, and the user `_apt` could not write there.
            ("APT::Sandbox::User", "root".to_owned()),
        ];
        let apt = Apt {
            folder: folder.to_path_buf(),
            options: options
                .map(|(name, value)| format!("{name}={value}"))
                .to_vec(),
        };
        cmd::run(apt.command("apt-get").args(["--quiet=2", "update"]))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = cmd::command(program);
        command.current_dir(&self.folder);
        for option in &self.options {
            command.args(["-o", option]);
        }
        command
    }

    /// The packages that the suite's present kernel consists of.
    fn kernel(&self) -> Result<Vec<String>> {
        let mut depends = self.command("apt-cache");
        depends.args(["depends", "--recurse", "--no-recommends", "--no-suggests"]);
        depends.args(["--no-conflicts", "--no-breaks", "--no-replaces", META]);
        let names = parts(&cmd::output(&mut depends)?);
        if names.is_empty() {
            bail!("{META} has no kernel among its dependencies");
        }
        Ok(names)
    }

    fn download(&self, names: &[String]) -> Result<()> {
        cmd::run(
            self.command("apt-get")
                .args(["--quiet=2", "download"])
                .args(names),
        )
    }
}

/// The packages with a kernel's version in their names, of what `apt-cache depends --recurse` says.
fn parts(depends: &str) -> Vec<String> {
    let is_part = |name: &&str| {
        PARTS.iter().any(|part| {
            let version = name.strip_prefix(part);
            version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
        })
    };
    let mut names: Vec<String> = depends.lines().filter(is_part).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

/// Where this machine's own Debian packages come from.
fn mirror() -> Result<String> {
    let mut targets = cmd::command("apt-get");
    targets.args(["indextargets", "--format", "$(LABEL) $(REPO_URI)"]);
    let list = cmd::output(&mut targets)?;
    let uri = list.lines().find_map(|line| line.strip_prefix("Debian "));
    let uri = uri.context("apt has no source with Debian's packages; run apt-get update")?;
    Ok(uri.trim().to_owned())
}

fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_in_parts_is_found_whole() {
        let depends = "linux-image-cloud-amd64\n  Depends: linux-base-cloud-amd64\n  \
            Depends: linux-image-7.2.12+deb14-cloud-amd64\nlinux-base\nlinux-image-7.2.12+deb14-cloud-amd64\n  \
            Depends: linux-binary-7.2.12+deb14-cloud-amd64\nlinux-binary-7.2.12+deb14-cloud-amd64\n\
            linux-modules-7.2.12+deb14-cloud-amd64\nlinux-modules-7.2.12+deb14-cloud-amd64\n";
        assert_eq!(
            parts(depends),
            [
                "linux-binary-7.2.12+deb14-cloud-amd64",
                "linux-image-7.2.12+deb14-cloud-amd64",
                "linux-modules-7.2.12+deb14-cloud-amd64"
            ]
        );
    }
}
