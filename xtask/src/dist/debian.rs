//! The `.deb`: what is under which path, what Debian's tools are told of it, and dpkg-deb.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::linked::Linked;
use super::tree::Tree;
use super::{Common, Origin, Ours, Stage, copyright, gzip, read};
use crate::cmd;

const SCRIPTS: [&str; 3] = ["postinst", "postrm", "prerm"];
const DOCUMENTS: &str = "usr/share/doc/sensor/";
const SETTINGS: &str = "etc/sensor/sensor.toml";

/// Where a page or completion belongs, by its file name.
fn place(name: &str) -> String {
    match name {
        "sensor.bash" => "usr/share/bash-completion/completions/sensor".to_owned(),
        "_sensor" => "usr/share/zsh/vendor-completions/_sensor".to_owned(),
        "sensor.fish" => "usr/share/fish/vendor_completions.d/sensor.fish".to_owned(),
        page => format!("usr/share/man/man1/{page}.gz"),
    }
}

/// Writes `sensor_VERSION_ARCHITECTURE.deb` into a folder.
pub(super) fn build(ours: &Ours, common: &Common, fast: bool, out: &Path) -> Result<PathBuf> {
    let version = debian_version(&ours.version);
    let mut tree = data(ours, common)?;
    let name = format!("sensor_{version}_{}", common.linked.architecture);
    let stage = Stage::new(out, &name)?;
    tree.write(&stage.files(), common.origin.time())?;
    let mut control = Tree::default();
    control.add(
        "control",
        control_file(
            &version,
            &common.maintainer,
            &common.linked,
            tree.kibibytes(),
        ),
    );
    control.add("conffiles", format!("/{SETTINGS}\n"));
    control.add("md5sums", md5sums(&tree, &stage.files())?);
    for script in SCRIPTS {
        control.add_program(script, read(&format!("deploy/debian/{script}"))?);
    }
    tree.graft("DEBIAN/", &control);
    tree.write(&stage.files(), common.origin.time())?;
    let compression: &[&str] = match fast {
        true => &["-Zgzip", "-z1"],
        false => &["-Zxz"],
    };
    stage.deliver(&format!("{name}.deb"), |package| {
        let mut dpkg_deb = cmd::command("dpkg-deb");
        dpkg_deb
            .arg("--root-owner-group")
            .args(compression)
            .arg("--build")
            .args([&stage.files(), package])
            .env("SOURCE_DATE_EPOCH", common.origin.seconds.to_string());
        cmd::output(&mut dpkg_deb).map(drop)
    })
}

fn data(ours: &Ours, common: &Common) -> Result<Tree> {
    let mut tree = Tree::default();
    tree.add_program("usr/bin/sensor", common.program.clone());
    tree.add("usr/lib/systemd/system/sensor.service", read(super::UNIT)?);
    tree.add(SETTINGS, read(super::SAMPLE)?);
    tree.graft(DOCUMENTS, &common.documents);
    tree.add(&format!("{DOCUMENTS}copyright"), copyright::text(ours)?);
    let log = change_log(ours, common)?;
    tree.add(&format!("{DOCUMENTS}changelog.gz"), gzip(log.as_bytes())?);
    for (name, bytes) in &common.pages {
        let bytes = match name.ends_with(".1") {
            true => gzip(bytes)?,
            false => bytes.clone(),
        };
        tree.add(&place(name), bytes);
    }
    Ok(tree)
}

/// A version of cargo's that is before another is so for Debian too: `0.2.0-rc.1` is before `0.2.0`.
fn debian_version(version: &str) -> String {
    version.replacen('-', "~", 1)
}

fn control_file(version: &str, maintainer: &str, linked: &Linked, kibibytes: usize) -> String {
    let mut text = format!(
        "Package: sensor\nVersion: {version}\nArchitecture: {}\nMaintainer: {maintainer}\nInstalled-Size: {kibibytes}\n",
        linked.architecture
    );
    if !linked.depends.is_empty() {
        text += &format!("Depends: {}\n", linked.depends.join(", "));
    }
    text + "Section: net\n\
            Priority: optional\n\
            Description: network traffic, counted exactly in the kernel and from captures\n \
            sensor counts the traffic of a host packet by packet, by XDP and TC programs\n \
            (eBPF) that copy no packet: who talks to whom, by which protocol, how much,\n \
            when. The same report comes from pcap and pcapng files: text, JSON, CSV,\n \
            Parquet, charts, a dashboard, metrics for Prometheus, IPFIX.\n \
            .\n \
            The service that the package brings is neither enabled nor started by it.\n"
}

/// As `debsums` and `dpkg --verify` want them: all but the settings, which are there to be changed.
fn md5sums(tree: &Tree, root: &Path) -> Result<String> {
    let mut command = cmd::command("md5sum");
    command.current_dir(root);
    command.args(tree.paths().filter(|path| *path != SETTINGS));
    Ok(cmd::output(&mut command)? + "\n")
}

fn change_log(ours: &Ours, common: &Common) -> Result<String> {
    let Origin { seconds, commit } = &common.origin;
    let date =
        cmd::output(cmd::command("date").args(["--utc", "-R", "-d", &format!("@{seconds}")]))?;
    let what = match commit {
        Some(commit) => format!("Built from commit {}.", commit.hash),
        None => "Built from sources without a history.".to_owned(),
    };
    let version = debian_version(&ours.version);
    let maintainer = &common.maintainer;
    Ok(format!(
        "sensor ({version}) unstable; urgency=medium\n\n  * {what}\n\n -- {maintainer}  {date}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_before_its_release() {
        assert_eq!(debian_version("0.2.0-rc.1"), "0.2.0~rc.1");
        assert_eq!(debian_version("0.2.0"), "0.2.0");
    }

    #[test]
    fn the_control_file_has_what_the_program_needs() {
        let linked = |depends: &[&str]| Linked {
            architecture: "arm64",
            depends: depends.iter().map(|one| (*one).to_owned()).collect(),
        };
        let text = control_file(
            "1.2",
            "A <a@b>",
            &linked(&["libc6 (>= 2.3)", "libgcc-s1"]),
            7,
        );
        assert!(text.contains("Architecture: arm64\n") && text.contains("Installed-Size: 7\n"));
        assert!(
            text.contains("\nDepends: libc6 (>= 2.3), libgcc-s1\n"),
            "{text}"
        );
        assert!(text.contains("\n .\n The service"), "{text}");
        assert!(!control_file("1.2", "A <a@b>", &linked(&[]), 7).contains("Depends"));
    }

    #[test]
    fn the_unit_starts_what_the_package_installs() {
        let unit = String::from_utf8(read(super::super::UNIT).unwrap()).unwrap();
        assert!(unit.contains("ExecStart=/usr/bin/sensor run "), "{unit}");
        assert!(unit.contains("man:sensor(1)") && place("sensor.1").ends_with("/sensor.1.gz"));
    }
}
