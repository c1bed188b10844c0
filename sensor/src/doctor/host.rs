//! Gates of the machine and of this process.

use super::facts::{Host, PacketSocket};
use super::{Gate, af_xdp};
use crate::privilege;
use crate::units;

pub(super) fn gates(host: &Host) -> Vec<Gate> {
    let mut gates = vec![
        version(host),
        capabilities(host),
        packet_socket(host),
        af_xdp::socket(host),
        programs(host),
    ];
    gates.extend(features(host));
    gates.extend([
        tables(host),
        jit(host),
        lockdown(host),
        memlock(host),
        unprivileged(host),
        btf(host),
        processes(host),
        sandbox(host),
    ]);
    gates
}

fn version(host: &Host) -> Gate {
    const NAME: &str = "kernel";
    let Some((major, minor)) = host.version() else {
        return Gate::unknown(NAME, format!("{}: no version in it", host.release));
    };
    let shown = format!("Linux {major}.{minor}");
    match (major, minor) {
        (6, 6..) | (7.., _) => Gate::open(
            NAME,
            format!("{shown}: has all that sensor uses (from 6.6 on)"),
        ),
        (5, 8..) | (6, _) => {
            Gate::open(NAME, format!("{shown}: counts in the kernel (from 5.8 on)"))
        }
        _ => Gate::closed(NAME, format!("{shown}: before 5.8"))
            .costs("the kernel's programs: packets are copied to be counted (AF_PACKET)")
            .remedy("a newer kernel"),
    }
}

fn capabilities(host: &Host) -> Gate {
    const NAME: &str = "ebpf-capabilities";
    let costs = "xdp and tc: packets are copied to be counted (AF_PACKET)";
    let have = match &host.capabilities {
        Ok(have) => *have,
        Err(why) => return Gate::unknown(NAME, why).costs(costs),
    };
    let lacking = privilege::lacking(have, privilege::EBPF);
    if !lacking.is_empty() {
        let gate = Gate::closed(NAME, format!("not in effect: {}", lacking.join(", ")));
        return gate.costs(costs).remedy(&host.grant);
    }
    match &host.first_user_namespace {
        Ok(false) => Gate::closed(
            NAME,
            "in effect, but only in a user namespace of their own, where eBPF has none",
        )
        .costs(costs)
        .remedy("run it outside of the rootless container"),
        _ => Gate::open(
            NAME,
            "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are in effect, and no more is needed",
        ),
    }
}

fn packet_socket(host: &Host) -> Gate {
    const NAME: &str = "af-packet";
    let costs = "the fallback for kernels and interfaces that have no eBPF, --packets and -w";
    match &host.packet_socket {
        Ok(()) => Gate::open(NAME, "a packet socket was opened and closed again"),
        Err(PacketSocket::NoPermission) => Gate::closed(
            NAME,
            "a packet socket is refused: CAP_NET_RAW is not in effect",
        )
        .costs(costs)
        .remedy(&host.grant),
        Err(PacketSocket::Missing(error)) => {
            Gate::closed(NAME, format!("a packet socket can't be opened: {error}"))
                .costs(costs)
                .remedy("modprobe af_packet")
        }
    }
}

fn programs(host: &Host) -> Gate {
    const NAME: &str = "programs";
    let costs = "xdp and tc: packets are copied to be counted (AF_PACKET)";
    let probe = match &host.programs {
        Ok(probe) => probe,
        Err(why) => {
            let lacking = host.capabilities.as_ref();
            let tried =
                lacking.is_ok_and(|have| privilege::lacking(*have, privilege::EBPF).is_empty());
            if !tried {
                return Gate::unknown(NAME, format!("not tried: {why}")).costs(costs);
            }
            let mut gate = Gate::closed(NAME, why).costs(costs);
            if host.filtered == Ok(true) {
                gate.evidence += "; this process is under a seccomp filter, as in containers, which may forbid it";
                gate = gate.remedy("allow the bpf system call: docker run --security-opt seccomp=unconfined --cap-add ...");
            }
            return gate;
        }
    };
    let each = [
        ("xdp", &probe.xdp),
        ("tc ingress", &probe.tc_ingress),
        ("tc egress", &probe.tc_egress),
    ];
    let refused: Vec<String> = each
        .iter()
        .filter_map(|(name, verified)| Some(format!("{name}: {}", verified.as_ref().err()?)))
        .collect();
    match (refused.is_empty(), &probe.no_payloads) {
        (false, _) => Gate::closed(NAME, refused.join("; ")).costs(costs),
        (true, Some(why)) => Gate::closed(
            NAME,
            format!("loaded and verified, but not with payloads: {why}"),
        )
        .costs("names of hosts and applications, of live packets; counts are exact"),
        (true, None) => Gate::open(
            NAME,
            "loaded and verified by this kernel, attached to nothing, and given back",
        ),
    }
}

/// What only newer kernels have.
fn features(host: &Host) -> [Gate; 2] {
    const FRAGS: &str = "xdp-multi-buffer";
    const TCX: &str = "tcx";
    let frags_cost = "native XDP on interfaces with jumbo frames: TC counts there";
    let tcx_cost = "a killed sensor leaves its clsact filters behind, until the next one starts";
    let newer = |from: &str| format!("a kernel from {from} on");
    let by_version = |name, (major, minor), costs: &str| {
        let from = format!("{major}.{minor}");
        match host.is_at_least(major, minor) {
            true => Gate::unknown(name, format!("not tried; kernels from {from} on have it")),
            false => Gate::closed(
                name,
                format!("not tried; only kernels from {from} on have it"),
            )
            .costs(costs)
            .remedy(newer(&from)),
        }
    };
    let Ok(probe) = &host.programs else {
        return [
            by_version(FRAGS, (5, 18), frags_cost),
            by_version(TCX, (6, 6), tcx_cost),
        ];
    };
    let frags = match &probe.xdp_frags {
        Ok(()) => Gate::open(FRAGS, "the multi-buffer program was verified"),
        Err(why) => Gate::closed(FRAGS, why)
            .costs(frags_cost)
            .remedy(newer("5.18")),
    };
    let tcx = match &probe.tcx {
        Ok(true) => Gate::open(TCX, "the kernel knows the link"),
        Ok(false) => Gate::closed(TCX, "the kernel does not know it: clsact is used")
            .costs(tcx_cost)
            .remedy(newer("6.6")),
        Err(why) => Gate::unknown(TCX, why).costs(tcx_cost),
    };
    [frags, tcx]
}

/// What makes tables without locks exact.
fn tables(host: &Host) -> Gate {
    const NAME: &str = "exact-tables";
    let costs = "xdp and tc: packets are copied to be counted (AF_PACKET)";
    let nohz = host.nohz_full.as_deref().unwrap_or_default();
    match (host.preempt_rt, &host.membarrier) {
        (true, _) => Gate::closed(
            NAME,
            "a PREEMPT_RT kernel: programs of one CPU may interrupt each other",
        )
        .costs(costs)
        .remedy("a kernel without PREEMPT_RT"),
        (false, Ok(true)) => {
            Gate::open(NAME, "membarrier waits for running programs; no PREEMPT_RT")
        }
        (false, Ok(false)) if !nohz.is_empty() => Gate::closed(
            NAME,
            format!("membarrier is refused: CPUs {nohz} have no timer tick (nohz_full)"),
        )
        .costs(costs)
        .remedy("remove nohz_full= from the kernel's command line"),
        (false, Ok(false)) => Gate::closed(NAME, "membarrier is refused").costs(costs),
        (false, Err(why)) => Gate::unknown(NAME, why).costs(costs),
    }
}

fn jit(host: &Host) -> Gate {
    const NAME: &str = "jit";
    let costs = "the programs are interpreted: each packet costs several times as much";
    let enable = "sudo sysctl -w net.core.bpf_jit_enable=1";
    let compiled = host.programs.as_ref().map(|probe| probe.compiled);
    match (compiled, &host.jit) {
        (Ok(true), _) => {
            let gate = Gate::open(NAME, "machine code was made of the programs");
            match host.jit_harden {
                Ok(2..) => Gate {
                    evidence:
                        "machine code was made of the programs, hardened (bpf_jit_harden = 2)"
                            .to_owned(),
                    ..gate
                }
                .costs("constants are blinded: each packet costs a little more")
                .remedy("sudo sysctl -w net.core.bpf_jit_harden=1"),
                _ => gate,
            }
        }
        (Ok(false), _) | (_, Ok(0)) => Gate::closed(NAME, "no machine code is made of programs")
            .costs(costs)
            .remedy(enable),
        (Err(_), Ok(value)) => Gate::open(NAME, format!("net.core.bpf_jit_enable = {value}")),
        (Err(_), Err(why)) => Gate::unknown(NAME, why).costs(costs).remedy(enable),
    }
}

fn lockdown(host: &Host) -> Gate {
    const NAME: &str = "lockdown";
    match host.lockdown.as_deref() {
        Ok("confidentiality") => {
            Gate::closed(NAME, "confidentiality: programs may not read kernel memory")
                .costs("names of hosts and applications, of live packets; counts are exact")
                .remedy("boot with lockdown=integrity")
        }
        Ok(mode) => Gate::open(NAME, format!("{mode}: forbids nothing that sensor does")),
        Err(why) => Gate::unknown(NAME, why),
    }
}

fn memlock(host: &Host) -> Gate {
    const NAME: &str = "memlock";
    /// Tables for the default of --kernel-flows on a machine of some CPUs.
    const ENOUGH: u64 = 512 << 20;
    let limit = host.memlock.map_or("unlimited".to_owned(), units::bytes);
    match host.memlock {
        _ if host.is_at_least(5, 11) => Gate::open(
            NAME,
            format!("{limit}; tables don't count for it (from 5.11 on)"),
        ),
        None => Gate::open(NAME, limit),
        Some(bytes) if bytes >= ENOUGH => Gate::open(NAME, limit),
        Some(_) => Gate::closed(
            NAME,
            format!("{limit}, and before 5.11 tables count for it"),
        )
        .costs("xdp and tc: their tables may find no room (EPERM)")
        .remedy("ulimit -l unlimited; in a unit: LimitMEMLOCK=infinity"),
    }
}

fn unprivileged(host: &Host) -> Gate {
    const NAME: &str = "unprivileged-bpf";
    match (&host.unprivileged_disabled, host.is_at_least(5, 19)) {
        (Ok(value), true) => Gate::open(NAME, format!("kernel.unprivileged_bpf_disabled = {value}: tables stay readable without any capability")),
        (Ok(0), false) => Gate::open(NAME, "kernel.unprivileged_bpf_disabled = 0"),
        (Ok(value), false) => Gate::closed(NAME, format!("kernel.unprivileged_bpf_disabled = {value}, and before 5.19 tables can't be read without CAP_BPF"))
            .costs("CAP_BPF stays in effect while it counts"),
        (Err(why), _) => Gate::unknown(NAME, why),
    }
}

fn btf(host: &Host) -> Gate {
    const NAME: &str = "btf";
    match host.btf {
        true => Gate::open(
            NAME,
            "/sys/kernel/btf/vmlinux is there; sensor does not need it",
        ),
        false => Gate::closed(
            NAME,
            "/sys/kernel/btf/vmlinux is missing; sensor does not need it",
        ),
    }
}

fn processes(host: &Host) -> Gate {
    const NAME: &str = "processes";
    let costs = "--processes names only processes of the same user";
    let have = match &host.capabilities {
        Ok(have) => *have,
        Err(why) => return Gate::unknown(NAME, why).costs(costs),
    };
    let lacking = privilege::lacking(have, privilege::PROCESSES);
    match lacking.is_empty() {
        true => Gate::open(NAME, "processes of all users can be seen"),
        false => Gate::closed(NAME, format!("not in effect: {}", lacking.join(", ")))
            .costs(costs)
            .remedy("run it with sudo, or grant these too (setcap, AmbientCapabilities=)"),
    }
}

fn sandbox(host: &Host) -> Gate {
    const NAME: &str = "sandbox";
    let costs =
        "once it counts, sensor can't give up what it doesn't need: it is only as safe as its user";
    match (&host.landlock, host.seccomp) {
        (Ok(abi), true) => Gate::open(NAME, format!("landlock (ABI {abi}) and seccomp are there")),
        (Ok(abi), false) => {
            Gate::closed(NAME, format!("landlock (ABI {abi}), but no seccomp")).costs(costs)
        }
        (Err(why), seccomp) => {
            let with = if seccomp {
                "seccomp is there"
            } else {
                "nor is seccomp"
            };
            let gate = Gate::closed(NAME, format!("no landlock: {why}; {with}")).costs(costs);
            gate.remedy("boot with lsm=landlock,... (kernels from 5.13 on)")
        }
    }
}
