//! The `.tar.gz`, for systems without dpkg: one folder, whose files are copied where they are wanted.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::tree::Tree;
use super::{Common, Ours, Stage, read};
use crate::cmd;

/// Writes `sensor-VERSION-linux-ARCHITECTURE.tar.gz` into a folder.
pub(super) fn build(ours: &Ours, common: &Common, fast: bool, out: &Path) -> Result<PathBuf> {
    let name = format!(
        "sensor-{}-linux-{}",
        ours.version, common.linked.architecture
    );
    let mut content = Tree::default();
    content.add_program("sensor", common.program.clone());
    content.add("sensor.service", unit()?);
    content.add("sensor.toml", read(super::SAMPLE)?);
    content.graft("", &common.documents);
    for (file, bytes) in &common.pages {
        let folder = if file.ends_with(".1") {
            "man/man1"
        } else {
            "completions"
        };
        content.add(&format!("{folder}/{file}"), bytes.clone());
    }
    let mut tree = Tree::default();
    tree.graft(&format!("{name}/"), &content);
    let stage = Stage::new(out, &format!("{name}.tar"))?;
    tree.write(&stage.files(), common.origin.time())?;
    let level = if fast { "-1" } else { "-9" };
    stage.deliver(&format!("{name}.tar.gz"), |archive| {
        let mut tar = cmd::command("tar");
        tar.args(["--create", "--format=gnu", "--sort=name", "--numeric-owner"])
            .args(["--owner=0", "--group=0"])
            .arg(format!("--mtime=@{}", common.origin.seconds))
            .arg(format!("--use-compress-program=gzip -n {level}"))
            .arg("--file")
            .arg(archive)
            .arg("--directory")
            .arg(stage.files())
            .arg(&name);
        cmd::output(&mut tar).map(drop)
    })
}

/// What no package manager installs belongs to /usr/local.
fn unit() -> Result<String> {
    let unit = String::from_utf8(read(super::UNIT)?).context("the unit is not text")?;
    Ok(unit.replace("=/usr/bin/sensor ", "=/usr/local/bin/sensor "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_starts_the_program_in_usr_local() {
        let unit = unit().unwrap();
        assert!(
            unit.contains("ExecStart=/usr/local/bin/sensor run "),
            "{unit}"
        );
        assert!(!unit.contains("/usr/bin/sensor"), "{unit}");
    }
}
