//! Whether the programs can be had here: loaded for real, verified, one of them run, and nothing attached.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use aya::programs::{ProgramError, SchedClassifier, TcAttachType, loaded_programs};
use sensor_common::flow::HashSeeds;

use super::Kernel;
use super::attach::Program;
use super::object::{Cpus, ObjectError, TableSize, Task};
use crate::clock::Now;
use crate::source::first_line;

/// What the kernel said of the programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Each was verified, or why not.
    pub xdp: Result<(), String>,
    pub xdp_frags: Result<(), String>,
    pub tc_ingress: Result<(), String>,
    pub tc_egress: Result<(), String>,
    /// Why the programs are refused when they hand payloads over, though not without that.
    pub no_payloads: Option<String>,
    /// Whether TC programs can be held by a link; else clsact.
    pub tcx: Result<bool, String>,
    /// Whether machine code was made of them.
    pub compiled: bool,
}

/// Loads the programs with the smallest tables; `Err` where not even these can be had.
pub fn probe(seeds: &HashSeeds) -> Result<Probe, String> {
    let load = |samples| -> Result<Kernel, ObjectError> {
        let task = Task {
            seeds,
            filter: None,
            samples,
        };
        Kernel::load(TableSize::for_flows(1, Cpus::read()?, 1), task, Now::read())
    };
    let mut kernel = load(true).map_err(|error| first_line(&error))?;
    let refused = all(&mut kernel).into_iter().find_map(Result::err);
    let mut no_payloads = None;
    if let (Some(why), Ok(mut plain)) = (refused, load(false))
        && all(&mut plain).iter().all(Result::is_ok)
    {
        (kernel, no_payloads) = (plain, Some(why));
    }
    let [xdp, xdp_frags, tc_ingress, tc_egress] = all(&mut kernel);
    Ok(Probe {
        xdp,
        xdp_frags,
        tc_ingress,
        tc_egress,
        no_payloads,
        tcx: tcx(&mut kernel),
        compiled: compiled(&mut kernel),
    })
}

fn all(kernel: &mut Kernel) -> [Result<(), String>; 4] {
    let programs = [
        Program::Xdp { frags: false },
        Program::Xdp { frags: true },
        Program::Tc { egress: false },
        Program::Tc { egress: true },
    ];
    programs.map(|program| {
        let verified = kernel.object.prepare(program);
        verified.map_err(|error| first_line(&error))
    })
}

/// Asks for a link to an interface that can't be: a kernel that knows TCX misses the interface, an older one the kind.
fn tcx(kernel: &mut Kernel) -> Result<bool, String> {
    const LINK_CREATE: libc::c_int = 28; // BPF_LINK_CREATE
    const TCX_INGRESS: u32 = 46; // BPF_TCX_INGRESS
    const NOBODY: u32 = i32::MAX as u32;
    let program = kernel
        .object
        .tc(false)
        .map_err(|error| first_line(&error))?;
    let fd = program.fd().map_err(|error| first_line(&error))?;
    // The head of union bpf_attr for this command: program, interface, kind, flags.
    let mut attributes = [fd.as_fd().as_raw_fd() as u32, NOBODY, TCX_INGRESS, 0];
    // SAFETY: the kernel reads the 16 bytes that it is told of, which live through the call.
    let made = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            LINK_CREATE,
            attributes.as_mut_ptr(),
            size_of_val(&attributes),
        )
    };
    let error = io::Error::last_os_error();
    match (made, error.raw_os_error()) {
        (0.., _) => Err("a link to no interface was made".to_owned()),
        (_, Some(libc::ENODEV)) => Ok(true),
        (_, Some(libc::EINVAL)) => Ok(false),
        _ => Err(error.to_string()),
    }
}

fn compiled(kernel: &mut Kernel) -> bool {
    let Ok(program) = kernel.object.tc(false) else {
        return false;
    };
    program.info().is_ok_and(|info| info.size_jitted() > 0)
}

/// A program that somebody loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub id: u32,
    pub name: String,
}

/// The name of the program with this id; it takes CAP_SYS_ADMIN.
pub fn name_of(id: u32) -> Result<Option<String>, String> {
    for info in loaded_programs() {
        let info = info.map_err(|error| told(&error))?;
        if info.id() == id {
            return Ok(info.name_as_str().map(str::to_owned));
        }
    }
    Ok(None)
}

/// TCX programs of one way of an interface, in the order in which they see packets.
pub fn tcx_programs(interface: &str, egress: bool) -> Result<Vec<Loaded>, String> {
    let way = match egress {
        true => TcAttachType::Egress,
        false => TcAttachType::Ingress,
    };
    let (_, programs) = SchedClassifier::query_tcx(interface, way).map_err(|error| told(&error))?;
    let loaded = programs.into_iter().map(|info| Loaded {
        id: info.id(),
        name: info.name_as_str().unwrap_or_default().to_owned(),
    });
    Ok(loaded.collect())
}

fn told(error: &ProgramError) -> String {
    match error {
        ProgramError::SyscallError(error) => error.io_error.to_string(),
        _ => first_line(error),
    }
}
