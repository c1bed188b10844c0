//! A cgroup in a word or two: the container or the unit that its path names.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::report::Process;

/// Characters of a container's id, as its own tools print them.
const SHORT_ID: usize = 12;
/// Where cgroup v2 is mounted, alone or beside v1.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
const MOST_FOLDERS: usize = 16_384;
const DEEPEST: usize = 16;

/// Units that hold containers, by what stands before the id.
const RUNTIMES: [(&str, &str); 9] = [
    ("cri-containerd-", "containerd"),
    ("cri-containerd:", "containerd"),
    ("docker-", "docker"),
    ("docker:", "docker"),
    ("crio-", "cri-o"),
    ("crio:", "cri-o"),
    ("libpod-payload-", "podman"),
    ("libpod-", "podman"),
    ("nerdctl-", "nerdctl"),
];

/// From /proc/PID/cgroup: the v2 line, or where it says nothing, systemd's or any other of v1.
pub(super) fn of_process(text: &str) -> Option<String> {
    let lines = || text.lines().filter_map(hierarchy);
    let path = |wanted: &dyn Fn(&str) -> bool| {
        let mut of_it = lines().filter(|(name, _)| wanted(name));
        of_it.find(|(_, path)| *path != "/").map(|(_, path)| path)
    };
    path(&str::is_empty)
        .or_else(|| path(&|name| name == "name=systemd"))
        .or_else(|| path(&|_| true))
        .or_else(|| lines().next().map(|(_, path)| path))
        .map(short)
}

/// `12:cpu,cpuacct:/path`, `0::/path`.
fn hierarchy(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    Some((controllers, path))
}

/// The innermost container, else the innermost unit, else the last part of the path.
pub(super) fn short(path: &str) -> String {
    let parts = || path.split('/').filter(|part| !part.is_empty());
    let all: Vec<&str> = parts().collect();
    let container = (0..all.len()).rev().find_map(|place| {
        let before = all.get(..place).unwrap_or_default();
        container(all.get(place)?, before)
    });
    let unit = || {
        let is_unit = |part: &&str| part.ends_with(".service") || part.ends_with(".scope");
        all.iter().copied().rev().find(is_unit).map(str::to_owned)
    };
    let pod = || all.iter().rev().find_map(|part| pod(part));
    let last = || all.last().map(|last| (*last).to_owned());
    container
        .or_else(pod)
        .or_else(unit)
        .or_else(last)
        .unwrap_or_else(|| "/".to_owned())
}

/// A path's part that stands for a container.
fn container(part: &str, before: &[&str]) -> Option<String> {
    let name = part.strip_suffix(".scope").unwrap_or(part);
    for (prefix, runtime) in RUNTIMES {
        // `kubelet-kubepods-...:cri-containerd:ID` has the slice before it.
        if let Some(at) = name.find(prefix)
            && (at == 0 || name.as_bytes().get(at - 1) == Some(&b':'))
            && let Some(id) = name.get(at + prefix.len()..).and_then(short_id)
        {
            return Some(format!("{runtime}:{id}"));
        }
    }
    if let Some(name) = name.strip_prefix("lxc.payload.") {
        return Some(format!("lxc:{name}"));
    }
    let within = |parent: &str| before.iter().any(|one| one.starts_with(parent));
    match (short_id(name), before.last()) {
        (Some(id), Some(&"docker")) => Some(format!("docker:{id}")),
        (Some(id), Some(&"libpod_parent")) => Some(format!("podman:{id}")),
        (Some(id), _) if within("kubepods") => Some(format!("k8s:{id}")),
        (Some(id), _) if within("ecs") => Some(format!("ecs:{id}")),
        (None, Some(&"lxc")) => Some(format!("lxc:{name}")),
        _ => None,
    }
}

/// `kubepods-burstable-pod3f1c..._....slice`, `pod3f1c-...`: a pod without its container, as its sandbox.
fn pod(part: &str) -> Option<String> {
    let name = part.strip_suffix(".slice").unwrap_or(part);
    let uid = match name.strip_prefix("kubepods") {
        Some(rest) => rest.split_once("-pod")?.1,
        None => name.strip_prefix("pod")?,
    };
    let is_uid = uid.len() >= 32
        && uid
            .chars()
            .all(|c| c.is_ascii_hexdigit() || "-_".contains(c));
    let start: String = uid.chars().take(8).collect();
    is_uid.then(|| format!("pod:{start}"))
}

/// Of a container's id: 64 hexadecimal digits.
fn short_id(id: &str) -> Option<&str> {
    let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| id.get(..SHORT_ID)).flatten()
}

/// The kernel says a socket's cgroup by number, even of a process whose files we may not see.
#[derive(Default)]
pub(super) struct Ids {
    /// `None`: looked for, not found.
    known: HashMap<u64, Option<Arc<Process>>>,
}

impl Ids {
    /// An owner of whom nothing but the cgroup is known.
    pub(super) fn owner(&mut self, id: u64) -> Option<Arc<Process>> {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        if self.known.len() >= MOST_FOLDERS {
            self.known.clear();
        }
        // One walk finds all that there are.
        for mount in MOUNTS {
            self.walk(Path::new(mount));
        }
        self.known.entry(id).or_default().clone()
    }

    fn walk(&mut self, mount: &Path) {
        let mut folders: Vec<(PathBuf, usize)> = vec![(mount.to_owned(), 0)];
        let mut left = MOST_FOLDERS;
        while let Some((folder, depth)) = folders.pop() {
            let entries = fs::read_dir(&folder).into_iter().flatten();
            for entry in entries.map_while(Result::ok) {
                if depth >= DEEPEST || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                let Some(rest) = left.checked_sub(1) else {
                    return;
                };
                left = rest;
                let path = entry.path();
                if let Ok(inside) = path.strip_prefix(mount) {
                    let owner = Process {
                        pid: None,
                        name: None,
                        cgroup: Some(short(&inside.to_string_lossy())),
                    };
                    self.known.insert(entry.ino(), Some(Arc::new(owner)));
                }
                folders.push((path, depth + 1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1a2b3c4d5e6f77889900aabbccddeeff1a2b3c4d5e6f77889900aabbccddeeff";

    #[test]
    fn containers_and_units_are_recognised() {
        let cases = [
            ("/system.slice/docker-ID.scope", "docker:1a2b3c4d5e6f"),
            ("/docker/ID", "docker:1a2b3c4d5e6f"),
            ("/docker/ID/init.scope", "docker:1a2b3c4d5e6f"),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod3f1c2d4e_0000_1111_2222_333344445555.slice/cri-containerd-ID.scope",
                "containerd:1a2b3c4d5e6f",
            ),
            (
                "/kubepods-besteffort-pod3f1c.slice:cri-containerd:ID",
                "containerd:1a2b3c4d5e6f",
            ),
            (
                "/kubepods.slice/kubepods-podx.slice/crio-ID.scope",
                "cri-o:1a2b3c4d5e6f",
            ),
            (
                "/kubepods/besteffort/pod3f1c2d4e-0000-1111-2222-333344445555/ID",
                "k8s:1a2b3c4d5e6f",
            ),
            (
                "/kubepods.slice/kubepods-pod3f1c2d4e_0000_1111_2222_333344445555.slice",
                "pod:3f1c2d4e",
            ),
            (
                "/machine.slice/libpod-ID.scope/container",
                "podman:1a2b3c4d5e6f",
            ),
            ("/lxc.payload.web/system.slice/nginx.service", "lxc:web"),
            ("/system.slice/nginx.service", "nginx.service"),
            (
                "/system.slice/system-getty.slice/getty@tty1.service",
                "getty@tty1.service",
            ),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-4711.scope",
                "app-firefox-4711.scope",
            ),
            (
                "/user.slice/user-1000.slice/session-3.scope",
                "session-3.scope",
            ),
            ("/docker/short", "short"),
            ("/my/own", "own"),
            ("/../../x", "x"),
            ("/", "/"),
            ("", "/"),
        ];
        for (path, expected) in cases {
            assert_eq!(short(&path.replace("ID", ID)), expected, "{path}");
        }
    }

    #[test]
    fn the_v2_line_comes_first() {
        let v2 = "0::/system.slice/nginx.service\n";
        assert_eq!(of_process(v2).as_deref(), Some("nginx.service"));
        let hybrid = format!("12:memory:/docker/{ID}\n1:name=systemd:/docker/{ID}\n0::/\n");
        assert_eq!(of_process(&hybrid).as_deref(), Some("docker:1a2b3c4d5e6f"));
        assert_eq!(of_process("0::/\n").as_deref(), Some("/"));
        for nothing in ["", "\n", "0", "0:", "é"] {
            assert_eq!(of_process(nothing), None, "{nothing:?}");
        }
    }
}
