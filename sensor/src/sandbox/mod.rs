//! What a process gives up once everything is open: capabilities, files that it has no business with, and system calls that
//! only somebody else's code would make in it. Whoever breaks in by a packet then finds little to take.
//!
//! Each of the three is one file. All are undone by nothing; threads started later inherit them.

mod calls;
pub mod capabilities;
mod files;
mod known;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use known::why_refused;

use crate::privilege::{self, Capability};

/// What stays allowed.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Capabilities that may come into effect again: to attach to an interface that has come back, to load another filter.
    pub in_reserve: Vec<Capability>,
    /// Capabilities that stay in effect.
    pub in_effect: Vec<Capability>,
    /// Folders and files to read.
    pub read: Vec<PathBuf>,
    /// Files that are read again, also when they have been replaced.
    pub again: Vec<PathBuf>,
    /// Folders to write into.
    pub write: Vec<PathBuf>,
    /// Those of them that are made again when somebody deletes them.
    pub remade: Vec<PathBuf>,
    /// Ports of others that may be connected to by TCP.
    pub connect: Vec<u16>,
    /// Processes around it may be signalled: Ctrl-Z stops everybody of the job.
    pub signals: bool,
    /// The system's resolver loads libraries while it runs.
    pub resolver: bool,
    /// The eBPF system call, for programs that are loaded later.
    pub bpf: Bpf,
}

/// How much of the eBPF system call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bpf {
    #[default]
    Nothing,
    /// Tables and programs that are loaded by now.
    Read,
    /// New ones too.
    Load,
}

/// What was given up, as reports have it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Sandbox {
    /// Capabilities in effect while it counts.
    pub capabilities: Vec<String>,
    /// Those that come into effect only while an interface is attached to or a filter is loaded.
    pub in_reserve: Vec<String>,
    /// Files and connections are restricted (landlock): `fully`, `partly` (an older kernel), `not`.
    pub files: Files,
    /// System calls are restricted (seccomp).
    pub system_calls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Files {
    Fully,
    Partly,
    Not,
}

/// A part that could not be given up, though this kernel should be able to.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("capabilities can't be given up: {0}")]
    Capabilities(io::Error),
    #[error("no_new_privs can't be set: {0}")]
    NoNewPrivileges(io::Error),
    #[error("files can't be restricted: {0}")]
    Files(#[from] landlock::RulesetError),
    #[error("system calls can't be restricted: {0}")]
    Calls(#[from] seccompiler::Error),
}

/// From now on every thread that begins gives up what is not needed by it.
pub fn begin() {
    capabilities::want();
}

/// Of a thread that has begun before [`enter`], and needs nothing but what it has open.
pub fn seclude() -> Result<(), SandboxError> {
    if capabilities::wanted() {
        capabilities::give_up();
        no_new_privileges().map_err(SandboxError::NoNewPrivileges)?;
        files::restrict(&Needs::default())?;
    }
    Ok(())
}

/// Gives up what is not needed: files by this thread and those that it starts, calls by all threads, capabilities by this
/// one. `works` says whether what must work still does; the capabilities that it takes stay in effect if not. What could not
/// be given up is told beside.
pub fn enter(needs: &Needs, works: impl FnMut() -> bool) -> (Sandbox, Vec<SandboxError>) {
    let mut troubles = Vec::new();
    let (capabilities, in_reserve) = give_up_capabilities(needs, works).unwrap_or_else(|error| {
        troubles.push(SandboxError::Capabilities(error));
        let (effective, permitted) = capabilities::now();
        (effective, permitted & !effective)
    });
    if let Err(error) = no_new_privileges() {
        troubles.push(SandboxError::NoNewPrivileges(error));
    }
    let files = files::restrict(needs).unwrap_or_else(|error| {
        troubles.push(error.into());
        Files::Not
    });
    if files != Files::Not {
        known::remember(&files::written(needs));
    }
    let system_calls = calls::restrict(needs).unwrap_or_else(|error| {
        troubles.push(error.into());
        false
    });
    let sandbox = Sandbox {
        capabilities: capabilities::names(capabilities),
        in_reserve: capabilities::names(in_reserve),
        files,
        system_calls,
    };
    (sandbox, troubles)
}

/// Gives what stays in effect, and in reserve.
fn give_up_capabilities(needs: &Needs, mut works: impl FnMut() -> bool) -> io::Result<(u64, u64)> {
    let (_, had) = capabilities::now();
    let reserve = capabilities::mask(&needs.in_reserve) & had;
    let mut effect = capabilities::mask(&needs.in_effect) & had;
    capabilities::limit(effect)?;
    // Before 5.19 tables can't be read without it.
    let bpf = capabilities::mask(&[privilege::BPF]) & had;
    if bpf != 0 && !works() {
        effect |= bpf;
        capabilities::limit(effect)?;
    }
    // Root owns the files and folders that it makes, but may have been given those of somebody else.
    let closed = |keep: Capability, closed: bool| match closed {
        true => capabilities::mask(&[keep]) & had,
        false => 0,
    };
    let folders = needs.write.iter().any(|folder| is_closed(folder));
    let files = needs.again.iter().any(|file| is_hidden(file));
    effect |= closed(privilege::DAC_OVERRIDE, folders);
    effect |= closed(privilege::DAC_READ_SEARCH, files);
    capabilities::settle(effect, reserve | effect)?;
    Ok((effect, reserve & !effect))
}

/// It can't be read.
fn is_hidden(file: &Path) -> bool {
    File::open(file).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Nothing can be written into this folder.
fn is_closed(folder: &Path) -> bool {
    tempfile::tempfile_in(folder)
        .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

fn no_new_privileges() -> io::Result<()> {
    // SAFETY: the call takes numbers only.
    match unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

impl Sandbox {
    /// In one line, for `-v`.
    pub fn line(&self) -> String {
        let list = |names: &[String]| match names.is_empty() {
            true => "none".to_owned(),
            false => names.join(", "),
        };
        let mut line = format!(
            "sandbox: capabilities in effect: {}",
            list(&self.capabilities)
        );
        if !self.in_reserve.is_empty() {
            line += &format!(
                "; in reserve, to attach and to load: {}",
                list(&self.in_reserve)
            );
        }
        line += match self.files {
            Files::Fully => "; files and connections: only what is needed",
            Files::Partly => {
                "; files and connections: only what is needed, as far as this kernel can"
            }
            Files::Not => "; files and connections: NOT restricted, this kernel has no landlock",
        };
        line += match self.system_calls {
            true => "; system calls: only what is needed",
            false => "; system calls: NOT restricted, there is no seccomp here",
        };
        line
    }
}

#[cfg(test)]
mod tests;
