//! System calls that nothing of ours makes once everything is open, refused by seccomp in all threads (EPERM).
//!
//! A list of what is forbidden, not of what is allowed: libraries of other systems and years make calls that no test here
//! has seen, and a sensor that dies of one at 03:00 protects nobody.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

use super::{Bpf, Needs};

/// `false` where there is no seccomp, or no list for this machine.
pub(super) fn restrict(needs: &Needs) -> Result<bool, seccompiler::Error> {
    let Ok(machine) = TargetArch::try_from(std::env::consts::ARCH) else {
        return Ok(false);
    };
    told(seccompiler::apply_filter_all_threads(&program(
        needs, machine,
    )?))
}

/// Of this thread alone.
#[cfg(test)]
pub(super) fn restrict_thread(needs: &Needs) -> Result<bool, seccompiler::Error> {
    let machine = TargetArch::try_from(std::env::consts::ARCH)?;
    told(seccompiler::apply_filter(&program(needs, machine)?))
}

fn told(applied: Result<(), seccompiler::Error>) -> Result<bool, seccompiler::Error> {
    match applied {
        Ok(()) => Ok(true),
        Err(seccompiler::Error::Seccomp(error)) if error.raw_os_error() == Some(libc::EINVAL) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn program(needs: &Needs, machine: TargetArch) -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = FORBIDDEN
        .iter()
        .map(|call| (*call, Vec::new())) // whatever its arguments
        .collect();
    if let Some(rule) = bpf(needs.bpf)? {
        rules.insert(libc::SYS_bpf, rule);
    }
    if !needs.resolver {
        // Its libraries are the only code that comes in later.
        for call in [libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_pkey_mprotect] {
            rules.insert(call, vec![with_bit(2, libc::PROT_EXEC as u64)?]);
        }
    }
    let forbidden = SeccompAction::Errno(libc::EPERM as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, forbidden, machine)?.try_into()
}

/// Its commands by number (enum bpf_cmd).
fn bpf(allowed: Bpf) -> Result<Option<Vec<SeccompRule>>, BackendError> {
    /// Look up, update, delete, next key; run a program once; what an object is; the same in batches.
    const READ: [u64; 10] = [1, 2, 3, 4, 10, 15, 24, 25, 26, 27];
    /// Make and freeze a map, load a program, and its types; attach, detach, ask what is attached; make and change a link;
    /// statistics.
    const LOAD: [u64; 10] = [0, 22, 5, 18, 8, 9, 16, 28, 29, 32];
    let allowed: Vec<u64> = match allowed {
        Bpf::Nothing => return Ok(Some(Vec::new())),
        Bpf::Read => READ.to_vec(),
        Bpf::Load => READ.iter().chain(&LOAD).copied().collect(),
    };
    let none_of_them: Result<Vec<_>, _> = allowed
        .into_iter()
        .map(|command| condition(0, SeccompCmpOp::Ne, command))
        .collect();
    Ok(Some(vec![SeccompRule::new(none_of_them?)?]))
}

fn with_bit(argument: u8, bit: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![condition(argument, SeccompCmpOp::MaskedEq(bit), bit)?])
}

fn condition(argument: u8, is: SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value)
}

/// Other programs, other processes, other namespaces, the machine itself.
const FORBIDDEN: &[libc::c_long] = &[
    // Programs and processes.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_personality,
    // Who it is.
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    // Owners and kinds of files.
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_mknodat,
    // The kernel and its keys.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_add_key,
    libc::SYS_keyctl,
    libc::SYS_request_key,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_fanotify_init,
    // The machine.
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_vhangup,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_can_be_made_for_every_need_and_machine() {
        for machine in [TargetArch::x86_64, TargetArch::aarch64] {
            for bpf in [Bpf::Nothing, Bpf::Read, Bpf::Load] {
                for resolver in [false, true] {
                    let needs = Needs {
                        bpf,
                        resolver,
                        ..Needs::default()
                    };
                    assert!(!program(&needs, machine).unwrap().is_empty());
                }
            }
        }
    }
}
