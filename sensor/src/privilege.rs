//! Which capabilities capturing needs, and which this process lacks.

use std::fmt;

/// Number (linux/capability.h) and name.
type Capability = (u32, &'static str);

const NET_ADMIN: Capability = (12, "CAP_NET_ADMIN");
const NET_RAW: Capability = (13, "CAP_NET_RAW");
const SYS_ADMIN: Capability = (21, "CAP_SYS_ADMIN");
const PERFMON: Capability = (38, "CAP_PERFMON");
const BPF: Capability = (39, "CAP_BPF");

/// To load and attach the eBPF programs. Without PERFMON the verifier forbids what every packet program does.
pub const EBPF: &[Capability] = &[BPF, NET_ADMIN, PERFMON];
/// To open a packet socket.
pub const AF_PACKET: &[Capability] = &[NET_RAW];

/// Capabilities that are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(Vec<&'static str>);

impl fmt::Display for Missing {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = std::env::current_exe()
            .map_or_else(|_| "sensor".to_owned(), |path| path.display().to_string());
        write!(
            to,
            "no permission: {} missing; run it with sudo, or grant them once with: \
             sudo setcap cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw+ep {program}",
            self.0.join(", ")
        )
    }
}

/// What of `needed` this process does not have in effect; `None` if nothing is missing or it can't be told.
pub fn missing(needed: &[Capability]) -> Option<Missing> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    missing_in(effective(&status)?, needed)
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
