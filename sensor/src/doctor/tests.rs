//! Machines that were made up, judged.

use super::*;
use crate::link::{Link, Offloads, ReceiveQueues, XdpAttached, XdpFeatures, XdpMode};
use crate::source::kernel::probe::{Loaded, Probe};

const ALL: u64 = u64::MAX;

/// Everything is open on it.
fn host() -> Host {
    Host {
        hostname: "web1".to_owned(),
        release: "6.12.9-amd64".to_owned(),
        machine: "x86_64".to_owned(),
        capabilities: Ok(ALL),
        grant: "sudo setcap them+ep sensor".to_owned(),
        first_user_namespace: Ok(true),
        filtered: Ok(false),
        programs: Ok(Probe {
            xdp: Ok(()),
            xdp_frags: Ok(()),
            tc_ingress: Ok(()),
            tc_egress: Ok(()),
            no_payloads: None,
            tcx: Ok(true),
            compiled: true,
        }),
        jit: Ok(1),
        jit_harden: Ok(0),
        btf: true,
        lockdown: Ok("none".to_owned()),
        unprivileged_disabled: Ok(2),
        memlock: Some(8 << 20),
        preempt_rt: false,
        nohz_full: Ok(String::new()),
        membarrier: Ok(true),
        packet_socket: Ok(()),
        xdp_socket: Ok(()),
        landlock: Ok(5),
        seccomp: true,
    }
}

fn nic() -> Nic {
    Nic {
        link: Link {
            index: 2,
            name: "eth0".to_owned(),
            arphrd: libc::ARPHRD_ETHER,
            up: true,
            running: true,
            mtu: 1500,
            ..Link::default()
        },
        driver: Some("ice".to_owned()),
        features: Ok(Some(XdpFeatures(0b10_1011))),
        offloads: Offloads::default(),
        queues: Some(ReceiveQueues {
            now: 8,
            most: 8,
            combined: true,
        }),
        addresses: Vec::new(),
        xdp: None,
        tcx_ingress: Ok(Vec::new()),
        tcx_egress: Ok(Vec::new()),
    }
}

fn judged(host: Host, nic: Nic) -> Doctor {
    judge(&Facts {
        host,
        nics: vec![nic],
    })
}

fn gate<'a>(found: &'a Doctor, name: &str) -> &'a Gate {
    let all = found.gates.iter().chain(&found.interfaces[0].gates);
    let mut named = all.filter(|gate| gate.name == name);
    let gate = named.next().unwrap_or_else(|| panic!("no gate {name}"));
    assert!(named.next().is_none(), "two gates {name}");
    gate
}

fn hooks(found: &Doctor) -> (Option<&str>, Option<&str>) {
    let one = &found.interfaces[0];
    (one.ingress.hook.as_deref(), one.egress.hook.as_deref())
}

#[test]
fn where_all_is_open_nothing_costs_and_xdp_counts() {
    let found = judged(host(), nic());
    let all = found.gates.iter().chain(&found.interfaces[0].gates);
    for gate in all {
        assert_eq!((gate.state, &gate.costs), (State::Open, &None), "{gate:?}");
    }
    assert!(found.verdict.can_count);
    let best = [Backend::Xdp, Backend::Tc, Backend::AfPacket];
    assert_eq!(found.verdict.backends, best);
    assert_eq!(hooks(&found), (Some("xdp"), Some("tcx")));
}

#[test]
fn without_any_permission_nothing_counts_and_the_command_is_named() {
    let mut host = host();
    host.capabilities = Ok(0);
    host.programs = Err("CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON missing".to_owned());
    host.packet_socket = Err(PacketSocket::NoPermission);
    host.jit = Err("only root may read it".to_owned());
    let found = judged(host, nic());
    let verdict = &found.verdict;
    assert!(!verdict.can_count && verdict.permission);
    for part in [
        "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON (or CAP_NET_RAW) missing",
        "setcap",
    ] {
        assert!(verdict.why.contains(part), "{}", verdict.why);
    }
    assert_eq!(hooks(&found), (None, None));
    assert_eq!(gate(&found, "ebpf-capabilities").state, State::Closed);
    for unknown in ["programs", "xdp-multi-buffer", "tcx", "jit"] {
        let gate = gate(&found, unknown);
        assert_eq!(gate.state, State::Unknown, "{gate:?}");
    }
    let remedy = gate(&found, "af-packet").remedy.as_deref();
    assert_eq!(remedy, Some("sudo setcap them+ep sensor"));
}

#[test]
fn one_capability_short_is_told_and_packet_sockets_count() {
    let mut host = host();
    host.capabilities = Ok(ALL & !(1 << 38 | 1 << 21));
    host.programs = Err("CAP_PERFMON missing".to_owned());
    let found = judged(host, nic());
    let lacks = &gate(&found, "ebpf-capabilities").evidence;
    assert_eq!(lacks, "not in effect: CAP_PERFMON");
    assert_eq!(found.verdict.backends, [Backend::AfPacket]);
    assert!(found.verdict.can_count && !found.verdict.permission);
    assert_eq!(hooks(&found), (Some("af-packet"), Some("af-packet")));
}

#[test]
fn capabilities_of_a_rootless_container_are_none() {
    let mut host = host();
    host.first_user_namespace = Ok(false);
    host.programs = Err("Operation not permitted".to_owned());
    let found = judged(host, nic());
    let gate = gate(&found, "ebpf-capabilities");
    assert_eq!(gate.state, State::Closed);
    assert!(gate.evidence.contains("user namespace"), "{gate:?}");
}

#[test]
fn kernels_that_make_tables_inexact_are_left_to_packet_sockets() {
    let mut real_time = host();
    real_time.preempt_rt = true;
    let mut without_ticks = host();
    without_ticks.membarrier = Ok(false);
    without_ticks.nohz_full = Ok("1-3".to_owned());
    for (host, part) in [(real_time, "PREEMPT_RT"), (without_ticks, "CPUs 1-3")] {
        let found = judged(host, nic());
        let gate = gate(&found, "exact-tables");
        assert_eq!(gate.state, State::Closed);
        assert!(gate.evidence.contains(part), "{gate:?}");
        assert_eq!(found.verdict.backends, [Backend::AfPacket]);
    }
}

#[test]
fn an_older_kernel_has_what_its_version_has() {
    let mut host = host();
    host.release = "5.10.0-28-amd64".to_owned();
    let programs = host.programs.as_mut().unwrap();
    programs.xdp_frags = Err("Invalid argument".to_owned());
    programs.tcx = Ok(false);
    let mut jumbo = nic();
    jumbo.link.mtu = 9000;
    jumbo.features = Ok(None);
    let found = judged(host, jumbo);
    assert_eq!(gate(&found, "kernel").state, State::Open);
    for closed in ["xdp-multi-buffer", "tcx", "memlock", "unprivileged-bpf"] {
        let gate = gate(&found, closed);
        assert_eq!(gate.state, State::Closed, "{gate:?}");
        assert!(gate.costs.is_some(), "{gate:?}");
    }
    assert_eq!(gate(&found, "native-xdp").state, State::Unknown);
    assert_eq!(gate(&found, "mtu").state, State::Unknown);
    assert_eq!(hooks(&found), (Some("xdp"), Some("clsact")));
    assert!(found.interfaces[0].ingress.why.contains("tried"));
}

#[test]
fn a_hook_that_is_taken_names_the_taker() {
    let mut taken = nic();
    taken.link.xdp = Some(XdpAttached {
        mode: XdpMode::Native,
        prog_id: 77,
    });
    taken.xdp = Some(NicProgram {
        name: Ok(Some("balance".to_owned())),
        holders: vec![Holder {
            pid: 812,
            name: "lb".to_owned(),
        }],
    });
    let ours = Loaded {
        id: 5,
        name: "guard".to_owned(),
    };
    taken.tcx_ingress = Ok(vec![ours]);
    let found = judged(host(), taken);
    let told = "taken by program id 77 (balance), held by lb (pid 812)";
    assert_eq!(gate(&found, "xdp-hook-free").evidence, told);
    assert_eq!(hooks(&found), (Some("tcx"), Some("tcx")));
    let others = &gate(&found, "other-tcx").evidence;
    assert!(others.starts_with("ingress guard (id 5);"), "{others}");
}

#[test]
fn interfaces_of_other_kinds_are_counted_as_the_ladder_does() {
    let change = |change: &dyn Fn(&mut Nic)| {
        let mut nic = nic();
        change(&mut nic);
        judged(host(), nic)
    };
    let kind = |name: &str| Some(name.to_owned());
    for found in [
        change(&|nic| nic.link.kind = kind("veth")),
        change(&|nic| nic.link.kind = kind("bond")),
        change(&|nic| nic.link.arphrd = libc::ARPHRD_NONE),
        change(&|nic| nic.features = Ok(Some(XdpFeatures(0)))),
        change(&|nic| nic.driver = Some("hv_netvsc".to_owned())),
    ] {
        assert_eq!(hooks(&found), (Some("tcx"), Some("tcx")), "{found:?}");
    }
    let loopback = change(&|nic| nic.link.loopback = true);
    assert_eq!(hooks(&loopback).1, None);
    assert!(
        loopback.verdict.can_count,
        "egress of loopback is its ingress"
    );
    let unknown = change(&|nic| nic.link.arphrd = libc::ARPHRD_CAN);
    assert!(!unknown.verdict.can_count && !unknown.verdict.permission);
}

#[test]
fn what_the_hardware_does_to_packets_is_told_with_the_command() {
    let mut merging = nic();
    merging.offloads = Offloads {
        lro: Some(true),
        rx_vlan: Some(true),
        ..Offloads::default()
    };
    let found = judged(host(), merging);
    let command = |name: &str| gate(&found, name).remedy.clone().unwrap();
    assert_eq!(
        command("one-packet-a-frame"),
        "sudo ethtool -K eth0 lro off"
    );
    assert_eq!(command("vlan-tags"), "sudo ethtool -K eth0 rxvlan off");
}

#[test]
fn text_is_aligned_wrapped_and_inert() {
    let mut odd = nic();
    odd.link.name = "e\x1b[2Jth".to_owned();
    odd.link.up = false;
    let found = judged(host(), odd);
    let shown = |colour| {
        let mut out = Vec::new();
        write(&found, &Options { width: 80, colour }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let text = shown(false);
    assert!(!text.contains('\x1b'), "{text}");
    assert!(
        text.contains("  closed   up                  it is switched off\n"),
        "{text}"
    );
    let below = format!("\n{:31}costs: there is nothing to count\n", "");
    assert!(text.contains(&below), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    let coloured = shown(true);
    assert!(
        coloured.contains("\x1b[1;31mclosed\x1b[0m   up "),
        "{coloured}"
    );
    let plain = coloured.replace("\x1b[32m", "").replace("\x1b[1;31m", "");
    assert_eq!(plain.replace("\x1b[33m", "").replace("\x1b[0m", ""), text);
}

#[test]
fn af_xdp_is_told_with_what_is_missing() {
    let mut host = host();
    host.capabilities = Ok(0);
    host.memlock = Some(8 << 20);
    let found = judged(host.clone(), nic());
    let socket = gate(&found, "af-xdp-socket");
    assert_eq!(socket.state, State::Closed);
    assert!(socket.evidence.contains("8.39 MB"), "{socket:?}");
    assert!(socket.remedy.as_deref().unwrap().contains("ulimit -l"));
    host.xdp_socket = Err(PacketSocket::Missing("not supported".to_owned()));
    let found = judged(host.clone(), nic());
    let remedy = gate(&found, "af-xdp-socket").remedy.clone().unwrap();
    assert!(remedy.contains("CONFIG_XDP_SOCKETS"));
    host.xdp_socket = Err(PacketSocket::NoPermission);
    let found = judged(host, nic());
    assert!(
        gate(&found, "af-xdp-socket")
            .evidence
            .contains("CAP_NET_RAW")
    );
}

#[test]
fn an_interface_says_of_af_xdp_what_its_driver_and_its_use_allow() {
    let with = |change: &dyn Fn(&mut Nic)| {
        let mut nic = nic();
        change(&mut nic);
        judged(host(), nic)
    };
    let used = with(&|nic| nic.addresses = vec!["192.0.2.1".parse().unwrap()]);
    let used = gate(&used, "af-xdp");
    assert_eq!(used.state, State::Open);
    assert!(
        used.evidence.contains("192.0.2.1: it is no mirror port"),
        "{used:?}"
    );
    for (features, state, zero_copy) in [
        (Some(0b1011), State::Open, State::Open),
        (Some(0b0011), State::Open, State::Closed),
        (Some(0b0001), State::Closed, State::Closed),
        (Some(0), State::Closed, State::Closed),
        (None, State::Unknown, State::Unknown),
    ] {
        let found = with(&|nic| nic.features = Ok(features.map(XdpFeatures)));
        assert_eq!(gate(&found, "af-xdp").state, state, "{features:?}");
        assert_eq!(
            gate(&found, "af-xdp-zero-copy").state,
            zero_copy,
            "{features:?}"
        );
    }
    let one = |most, combined| {
        let queues = ReceiveQueues {
            now: 1,
            most,
            combined,
        };
        let found = with(&|nic| nic.queues = Some(queues));
        gate(&found, "receive-queues").remedy.clone()
    };
    assert_eq!(one(16, true).unwrap(), "sudo ethtool -L eth0 combined 16");
    assert_eq!(one(4, false).unwrap(), "sudo ethtool -L eth0 rx 4");
    assert_eq!(one(1, true), None);
}
