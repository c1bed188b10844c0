//! The facts of the machine and of this process.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::mem;

use crate::commands::hostname;
use crate::doctor::{Host, Known, PacketSocket, Programs};
use crate::privilege;
use crate::seeds;
use crate::source::kernel::{drain, probe};
use crate::source::live::preempt_rt;
use crate::source::raw_socket;

pub(super) fn gather() -> Host {
    let (release, machine) = uname();
    let capabilities =
        privilege::in_effect().ok_or_else(|| "/proc/thread-self/status can't be read".to_owned());
    let first_user_namespace = read("/proc/self/uid_map").map(|map| is_whole(&map));
    let programs = programs(capabilities.as_ref().copied(), &first_user_namespace);
    Host {
        hostname: hostname(),
        release,
        machine,
        capabilities,
        grant: privilege::grant(),
        first_user_namespace,
        filtered: read("/proc/self/status").map(|status| is_filtered(&status)),
        programs,
        jit: number("/proc/sys/net/core/bpf_jit_enable"),
        jit_harden: number("/proc/sys/net/core/bpf_jit_harden"),
        btf: fs::exists("/sys/kernel/btf/vmlinux").unwrap_or(false),
        lockdown: lockdown(),
        unprivileged_disabled: number("/proc/sys/kernel/unprivileged_bpf_disabled"),
        memlock: memlock(),
        preempt_rt: preempt_rt(),
        nohz_full: nohz_full(),
        membarrier: drain::grace_period_supported().map_err(|error| error.to_string()),
        packet_socket: socket(libc::AF_PACKET),
        xdp_socket: socket(libc::AF_XDP),
        landlock: landlock(),
        seccomp: fs::exists("/proc/sys/kernel/seccomp").unwrap_or(false),
    }
}

fn programs(capabilities: Result<u64, &String>, first: &Known<bool>) -> Programs {
    let have = capabilities.map_err(String::clone)?;
    let lacking = privilege::lacking(have, privilege::EBPF);
    if !lacking.is_empty() {
        return Err(format!("{} missing", lacking.join(", ")));
    }
    probe::probe(&seeds::random()).map_err(|why| match first {
        Ok(false) => format!("{why} (in a user namespace)"),
        _ => why,
    })
}

/// All users are mapped as they are: the first namespace, whose capabilities count.
fn is_whole(map: &str) -> bool {
    let words: Vec<&str> = map.split_whitespace().collect();
    words == ["0", "0", "4294967295"]
}

fn is_filtered(status: &str) -> bool {
    let mode = status
        .lines()
        .find_map(|line| line.strip_prefix("Seccomp:"));
    mode.is_some_and(|mode| mode.trim() == "2")
}

fn lockdown() -> Known<String> {
    const PATH: &str = "/sys/kernel/security/lockdown";
    let modes = fs::read_to_string(PATH).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            format!("{PATH}: not there; securityfs isn't mounted, or the kernel has no lockdown")
        }
        _ => format!("{PATH}: {error}"),
    })?;
    Ok(chosen(&modes).unwrap_or("none").to_owned())
}

/// The one in brackets of `none [integrity] confidentiality`.
fn chosen(modes: &str) -> Option<&str> {
    let (_, rest) = modes.split_once('[')?;
    rest.split_once(']').map(|(mode, _)| mode)
}

/// The file is missing where the kernel was built without it.
fn nohz_full() -> Known<String> {
    match fs::read_to_string("/sys/devices/system/cpu/nohz_full") {
        Ok(list) if list.contains("null") => Ok(String::new()),
        Ok(list) => Ok(list.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error.to_string()),
    }
}

fn number(path: &str) -> Known<u32> {
    let text = read(path)?;
    let number = text.trim().parse();
    number.map_err(|_| format!("{path}: {}", text.trim()))
}

fn read(path: &str) -> Known<String> {
    fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => format!("only root may read {path}"),
        _ => format!("{path}: {error}"),
    })
}

fn memlock() -> Option<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the call writes one rlimit.
    let read = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) };
    (read == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

/// Of no protocol and not bound: it receives nothing.
fn socket(family: libc::c_int) -> Result<(), PacketSocket> {
    let opened = raw_socket::open(family, 0);
    opened.map(drop).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => PacketSocket::NoPermission,
        _ => PacketSocket::Missing(error.to_string()),
    })
}

fn landlock() -> Known<u32> {
    const CREATE_RULESET_VERSION: u32 = 1;
    let none = std::ptr::null::<u8>();
    // SAFETY: with this flag the call asks for a number, and reads nothing.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            none,
            0,
            CREATE_RULESET_VERSION,
        )
    };
    u32::try_from(version).map_err(|_| io::Error::last_os_error().to_string())
}

fn uname() -> (String, String) {
    // SAFETY: utsname is arrays of characters, and all zero is a valid value of it.
    let mut names: libc::utsname = unsafe { mem::zeroed() };
    // SAFETY: the call fills one utsname, each array with a C string.
    unsafe { libc::uname(&raw mut names) };
    let text = |name: &[libc::c_char]| {
        // SAFETY: zero before the call, and a C string after it.
        let name = unsafe { CStr::from_ptr(name.as_ptr()) };
        name.to_string_lossy().into_owned()
    };
    (text(&names.release), text(&names.machine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_are_understood() {
        assert_eq!(
            chosen("none [integrity] confidentiality\n"),
            Some("integrity")
        );
        assert_eq!(chosen("none"), None);
        assert!(is_whole("         0          0 4294967295\n"));
        assert!(!is_whole("         0     100000      65536\n"));
        assert!(is_filtered("Name:\tx\nSeccomp:\t2\n"));
        assert!(!is_filtered("Name:\tx\nSeccomp:\t0\n") && !is_filtered(""));
    }

    #[test]
    fn this_machine_has_a_kernel() {
        let (release, machine) = uname();
        assert!(release.contains('.') && !machine.is_empty());
    }
}
