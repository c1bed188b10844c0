//! Files that may be opened, and ports that may be connected to, by landlock. What is open stays so.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::{Files, Needs};

/// What the kernel tells of itself: the host's name, CPUs, this process.
const KERNEL: [&str; 3] = ["/proc", "/sys/devices", "/sys/fs/cgroup"];

/// What the system's resolver reads.
const RESOLVER: [&str; 14] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/ld.so.cache",
    "/run/systemd/resolve",
    "/run/nscd",
    "/run/avahi-daemon",
    "/lib",
    "/lib64",
    "/usr/lib",
];

/// Names are asked by TCP too when an answer is long.
const DNS: u16 = 53;

/// For this thread and those that it starts. Kernels that can do less are asked for less.
pub(super) fn restrict(needs: &Needs) -> Result<Files, RulesetError> {
    let abi = ABI::V6;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let resolver = if needs.resolver { &RESOLVER[..] } else { &[] };
    let again = needs.again.iter().map(|file| folder_of_input(file));
    let reads: Vec<PathBuf> = needs.read.iter().cloned().chain(again).collect();
    let fixed = KERNEL.iter().chain(resolver).map(Path::new);
    let dns = needs.resolver.then_some(DNS);
    let ports = needs.connect.iter().copied().chain(dns);
    let connect = |port| Ok::<_, RulesetError>(NetPort::new(port, AccessNet::ConnectTcp));
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(scopes(needs, abi))?
        .create()?
        .add_rules(path_beneath_rules(fixed, read))?
        .add_rules(path_beneath_rules(reads, read))?
        .add_rules(path_beneath_rules(written(needs), read | writing()))?
        .add_rules(ports.map(connect))?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Files::Fully,
        RulesetStatus::PartiallyEnforced => Files::Partly,
        RulesetStatus::NotEnforced => Files::Not,
    })
}

/// What of the processes around it is out of reach.
fn scopes(needs: &Needs, abi: ABI) -> BitFlags<Scope> {
    match needs.signals {
        true => Scope::AbstractUnixSocket.into(),
        false => Scope::from_all(abi),
    }
}

/// Folders to write into, with those in which they may be made again.
pub(super) fn written(needs: &Needs) -> Vec<PathBuf> {
    let around = needs.remade.iter().filter_map(|folder| around(folder));
    needs.write.iter().cloned().chain(around).collect()
}

fn writing() -> BitFlags<AccessFs> {
    AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer
}

/// Where a folder may be made again, if nothing else lives there.
fn around(folder: &Path) -> Option<PathBuf> {
    let absolute = folder.canonicalize().ok()?;
    let around = absolute.parent().filter(|parent| !holds_more(parent));
    around.map(Path::to_owned)
}

/// What to allow for an input that is read again: editors replace a file, and leave its folder.
fn folder_of_input(file: &Path) -> PathBuf {
    let absolute = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    match absolute.parent() {
        Some(parent) if !holds_more(parent) => parent.to_owned(),
        _ => absolute,
    }
}

/// Folders of the system, and homes.
fn holds_more(folder: &Path) -> bool {
    const SYSTEM: [&str; 17] = [
        "/",
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/home",
        "/lib",
        "/opt",
        "/root",
        "/run",
        "/srv",
        "/tmp",
        "/usr",
        "/var",
        "/var/lib",
        "/var/lib/private",
        "/var/log",
    ];
    SYSTEM.iter().any(|one| folder == Path::new(one)) || folder.join(".ssh").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn around_a_folder_is_open_only_where_nothing_else_lives() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let reports = home.join("reports");
        std::fs::create_dir(&reports).unwrap();
        assert_eq!(around(&reports).as_deref(), Some(&*home));
        std::fs::create_dir(home.join(".ssh")).unwrap();
        assert_eq!(around(&reports), None);
        assert_eq!(around(Path::new("/var/lib")), None);
    }

    #[test]
    fn an_input_is_read_again_from_its_folder_but_not_from_etc() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        std::fs::write(folder.join("list"), "").unwrap();
        assert_eq!(folder_of_input(&folder.join("list")), folder);
        let hosts = Path::new("/etc/no-such-list");
        assert_eq!(folder_of_input(hosts), hosts);
    }
}
