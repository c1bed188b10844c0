//! Whole packets by AF_XDP sockets: the same report as of a file, losses told to the packet, and what stands in the way.

use std::os::unix::process::CommandExt;

use crate::harness::{Sensor, attempt, need_kernel, refused};
use crate::privilege::{EBPF, NO_SETPRIV, Nobody, open_to_all};
use crate::tap::quiet_pair;
use crate::{replay, traffic};

const SOCKETS: [&str; 3] = ["--tap", "--backend", "af-xdp"];
const HOOK: &str = "ingress by af-xdp (copy)";

#[test]
fn by_sockets() {
    replay::replay(1500, &SOCKETS, HOOK);
}

/// A packet spans several frames.
#[test]
fn by_sockets_with_jumbo_frames() {
    replay::replay(9000, &SOCKETS, HOOK);
}

#[test]
fn by_sockets_and_generic_xdp() {
    let generic = [&SOCKETS[..], &["--xdp-mode", "generic"]].concat();
    replay::replay(1500, &generic, HOOK);
}

#[test]
fn by_sockets_that_are_polled_busily() {
    replay::replay(1500, &[&SOCKETS[..], &["--busy-poll"]].concat(), HOOK);
}

/// Stopped for longer than its memory lasts: what was sent is what was seen and what was lost.
#[test]
fn what_finds_no_frame_is_lost_and_told_to_the_packet() {
    need_kernel!();
    const SENT: u64 = 70_000;
    const FRAMES: u64 = 65_536;
    let pair = quiet_pair();
    let mut sensor = Sensor::start(&pair.b, &[&["-i", "b0"], &SOCKETS[..]].concat());
    sensor.signal(libc::SIGSTOP);
    traffic::send(&pair.a, "a0", &traffic::frames(100), SENT as usize / 100);
    sensor.signal(libc::SIGCONT);
    sensor.counted(FRAMES);
    let ended = sensor.stop();
    let stderr = ended.stderr.clone();
    let report = ended.checked();
    assert_eq!(report["source"]["backend"], "af-xdp");
    let seen = report["totals"]["packets"].as_u64().unwrap();
    let lost = report["accounting"]["lost"]["af-xdp"].as_u64().unwrap();
    println!("{seen} seen, {lost} lost");
    assert_eq!(seen + lost, SENT, "{stderr}");
    assert!(lost > 0);
    assert_eq!(report["totals"]["bytes"], seen * traffic::LEN);
    assert!(stderr.contains("af-xdp)"), "{stderr}");
}

#[test]
fn a_queue_that_is_taken_is_named() {
    need_kernel!();
    let pair = quiet_pair();
    let arguments = [&["-i", "b0"], &SOCKETS[..]].concat();
    let first = Sensor::start(&pair.b, &arguments);
    let (code, said) = refused(&pair.b, &arguments);
    assert_eq!(code, Some(4), "{said}");
    let why = "b0 can't be counted: no AF_XDP: receive queue 0 belongs to another AF_XDP socket";
    assert!(said.contains(why), "{said}");
    first.stop().checked();
}

#[test]
fn other_backends_than_sockets_are_named_where_they_are_meant() {
    need_kernel!();
    let pair = quiet_pair();
    for (arguments, said) in [
        (&["--backend", "af-xdp"][..], "add --tap"),
        (
            &["--tap", "--busy-poll"],
            "--busy-poll is for --backend af-xdp",
        ),
    ] {
        let (code, told) = refused(&pair.b, &[&["-i", "b0"], arguments].concat());
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(said), "{told}");
    }
}

#[test]
fn memory_that_may_not_be_locked_is_said_with_what_allows_it() {
    need_kernel!();
    let Some(nobody) = Nobody::new() else {
        return println!("{NO_SETPRIV}");
    };
    let pair = quiet_pair();
    let arguments = [&["-i", "b0"], &SOCKETS[..]].concat();
    let (code, said) = attempt(nobody.command(&pair.b, EBPF), &arguments, &nobody.reports());
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("CAP_NET_RAW missing"), "{said}");
    let little = |capabilities: &str| {
        let mut command = nobody.command(&pair.b, &format!("{EBPF},{capabilities}"));
        // SAFETY: one system call between fork and exec, of a value of its own.
        unsafe { command.pre_exec(limit_locked_memory) };
        command
    };
    let (code, said) = attempt(little("net_raw"), &arguments, &nobody.reports());
    assert_eq!(code, Some(4), "{said}");
    let told = "no AF_XDP: 128 MiB of memory must be locked for its receive queue, and the limit is too low: raise it (ulimit -l 131072, LimitMEMLOCK=134217728 of a unit), or grant cap_ipc_lock";
    assert!(said.contains(told), "{said}");
    let folder = tempfile::tempdir_in(nobody.reports()).unwrap();
    open_to_all(folder.path());
    let reports = folder.path().join("reports");
    let mut sensor = Sensor::launch(little("net_raw,ipc_lock"), &arguments, folder, reports);
    traffic::send(&pair.a, "a0", &traffic::frames(10), 10);
    sensor.counted(100);
    sensor.stop().checked();
}

fn limit_locked_memory() -> std::io::Result<()> {
    let limit = libc::rlimit {
        rlim_cur: 1 << 20,
        rlim_max: 1 << 20,
    };
    // SAFETY: the call reads one rlimit.
    match unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}
