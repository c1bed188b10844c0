//! Which capabilities capturing needs, and which this process lacks.

use std::fmt;

/// Number (linux/capability.h) and name.
pub type Capability = (u32, &'static str);

/// To write into folders of others.
pub const DAC_OVERRIDE: Capability = (1, "CAP_DAC_OVERRIDE");
/// To read files of others.
pub const DAC_READ_SEARCH: Capability = (2, "CAP_DAC_READ_SEARCH");
pub const NET_ADMIN: Capability = (12, "CAP_NET_ADMIN");
const NET_RAW: Capability = (13, "CAP_NET_RAW");
/// To lock more memory than the limit allows.
pub const IPC_LOCK: Capability = (14, "CAP_IPC_LOCK");
const SYS_PTRACE: Capability = (19, "CAP_SYS_PTRACE");
pub const SYS_ADMIN: Capability = (21, "CAP_SYS_ADMIN");
const PERFMON: Capability = (38, "CAP_PERFMON");
pub const BPF: Capability = (39, "CAP_BPF");

/// Those that sensor has any use for.
pub const KNOWN: &[Capability] = &[
    DAC_OVERRIDE,
    DAC_READ_SEARCH,
    NET_ADMIN,
    NET_RAW,
    IPC_LOCK,
    SYS_PTRACE,
    SYS_ADMIN,
    PERFMON,
    BPF,
];

/// To load and attach the eBPF programs. Without PERFMON the verifier forbids what every packet program does.
pub const EBPF: &[Capability] = &[BPF, NET_ADMIN, PERFMON];
/// To open a packet socket.
pub const AF_PACKET: &[Capability] = &[NET_RAW];
/// To open an AF_XDP socket, and to lock its memory where the limit is low.
pub const AF_XDP: &[Capability] = &[NET_RAW, IPC_LOCK];

/// To see which process holds a socket of another user.
pub const PROCESSES: &[Capability] = &[SYS_PTRACE, DAC_READ_SEARCH];

/// Capabilities that are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(Vec<&'static str>);

impl fmt::Display for Missing {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "no permission: {} missing; run it with sudo, or grant them once with: {}",
            self.0.join(", "),
            grant()
        )
    }
}

/// The command that grants what counting takes.
pub fn grant() -> String {
    let program = std::env::current_exe()
        .map_or_else(|_| "sensor".to_owned(), |path| path.display().to_string());
    format!("sudo setcap cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw+ep {program}")
}

/// What of `needed` this process does not have in effect; `None` if nothing is missing or it can't be told.
pub fn missing(needed: &[Capability]) -> Option<Missing> {
    missing_in(in_effect()?, needed)
}

/// A bit for each capability that this thread has in effect; `None` if it can't be told.
pub fn in_effect() -> Option<u64> {
    effective(&std::fs::read_to_string("/proc/thread-self/status").ok()?)
}

/// Whether it has CAP_SYS_ADMIN in place of those that were split from it in 5.8.
pub fn stands_on_sys_admin() -> bool {
    in_effect().is_some_and(|have| {
        let has = |(number, _): Capability| have >> number & 1 == 1;
        has(SYS_ADMIN) && !(has(BPF) && has(PERFMON))
    })
}

/// The names of what of `needed` is not in `effective`.
pub fn lacking(effective: u64, needed: &[Capability]) -> Vec<&'static str> {
    missing_in(effective, needed).map_or_else(Vec::new, |missing| missing.0)
}

fn effective(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn missing_in(effective: u64, needed: &[Capability]) -> Option<Missing> {
    let has = |(number, _): &Capability| effective >> number & 1 == 1;
    // SYS_ADMIN stands for BPF and PERFMON, as it did before 5.8.
    let stands_in =
        |capability: &Capability| has(&SYS_ADMIN) && [BPF, PERFMON].contains(capability);
    let missing: Vec<_> = needed
        .iter()
        .filter(|needed| !has(needed) && !stands_in(needed))
        .map(|(_, name)| *name)
        .collect();
    (!missing.is_empty()).then_some(Missing(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_ones_are_named() {
        let status = "Name:\tx\nCapEff:\t0000000000001000\nCapBnd:\t0\n";
        let effective = effective(status).unwrap();
        let missing = missing_in(effective, EBPF).unwrap();
        assert_eq!(missing.0, ["CAP_BPF", "CAP_PERFMON"]);
        assert!(missing.to_string().contains("setcap"));
        assert_eq!(missing_in(u64::MAX, EBPF), None);
        assert_eq!(missing_in(1 << 21 | 1 << 12, EBPF), None);
    }
}
