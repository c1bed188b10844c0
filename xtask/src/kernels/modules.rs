//! The kernel modules that the tests need, in the order in which they can be loaded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{fs, str};

use anyhow::{Context, Result, bail};
use object::{Object as _, ObjectSection as _};

use crate::cmd;

/// What `ip link` would have loaded by itself, and what TC programs hang on.
const WANTED: [&str; 10] = [
    "veth",
    "sch_ingress",
    "cls_bpf",
    "8021q",
    "bridge",
    "tun",
    "dummy",
    "vxlan",
    "bonding",
    "inet_diag",
];

/// Names and contents. What a kernel has built in is left out.
pub(super) fn load_order(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut here = BTreeMap::new();
    collect(folder, &mut here)?;
    let builtin = fs::read_to_string(folder.join("modules.builtin")).unwrap_or_default();
    let builtin: Vec<String> = builtin
        .lines()
        .filter_map(|line| name_of(Path::new(line)))
        .collect();
    let mut order = Vec::new();
    for name in WANTED {
        add(name, &here, &builtin, &mut order)?;
    }
    Ok(order)
}

fn add(
    name: &str,
    here: &BTreeMap<String, PathBuf>,
    builtin: &[String],
    order: &mut Vec<(String, Vec<u8>)>,
) -> Result<()> {
    let name = plain(name);
    if builtin.contains(&name) || order.iter().any(|(there, _)| *there == name) {
        return Ok(());
    }
    let Some(path) = here.get(&name) else {
        bail!("this kernel has no module {name}");
    };
    let bytes = read(path)?;
    for needed in needs(&bytes).with_context(|| format!("{} is odd", path.display()))? {
        add(&needed, here, builtin, order)?;
    }
    order.push((name, bytes));
    Ok(())
}

/// All modules below a folder, by name.
fn collect(folder: &Path, found: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("could not read {}", folder.display()))?;
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&path, found)?;
        } else if let Some(name) = name_of(&path) {
            found.insert(name, path);
        }
    }
    Ok(())
}

/// `veth` of `drivers/net/veth.ko.xz`.
fn name_of(path: &Path) -> Option<String> {
    let file = path.file_name()?.to_str()?;
    let (name, ending) = file.split_once(".ko")?;
    ["", ".xz"].contains(&ending).then(|| plain(name))
}

/// A file may be called with a dash what is asked for with an underscore.
fn plain(name: &str) -> String {
    name.replace('-', "_")
}

fn read(path: &Path) -> Result<Vec<u8>> {
    if path.extension().is_some_and(|ending| ending == "ko") {
        return fs::read(path).with_context(|| format!("could not read {}", path.display()));
    }
    let output = cmd::command("xz")
        .args(["--decompress", "--stdout"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .context("could not start xz")?;
    if !output.status.success() {
        bail!("xz can't read {}", path.display());
    }
    Ok(output.stdout)
}

/// The modules that have to be there first.
fn needs(module: &[u8]) -> Result<Vec<String>> {
    let file = object::File::parse(module).context("not an ELF file")?;
    let section = file.section_by_name(".modinfo").context("no .modinfo")?;
    let info = section.data().context("no .modinfo")?;
    let depends = info
        .split(|byte| *byte == 0)
        .find_map(|line| str::from_utf8(line).ok()?.strip_prefix("depends="));
    let names = depends.unwrap_or_default().split(',');
    Ok(names.filter(|name| !name.is_empty()).map(plain).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_known_by_name_however_they_are_packed() {
        let name = |path: &str| name_of(Path::new(path));
        assert_eq!(name("kernel/net/veth.ko").as_deref(), Some("veth"));
        assert_eq!(name("a/act-x.ko.xz").as_deref(), Some("act_x"));
        assert_eq!(name("modules.builtin"), None);
        assert_eq!(name("veth.ko.gz"), None);
    }
}
