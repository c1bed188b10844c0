//! What commands still need once their inputs and outputs are known, and giving up the rest.

use std::path::{Path, PathBuf};

use crate::cli;
use crate::config;
use crate::privilege::{self, Capability};
use crate::sandbox::{self, Needs};
use crate::sink::folder_of;
use crate::sink::ipfix::Transport;
use crate::source::live::Live;
use crate::status;

/// Where lists and settings may always lie.
const SETTINGS: &str = "/etc/sensor";

/// Of a command that reads what strangers wrote. The system's resolver may be any code: with it nothing is given up.
pub(super) fn enter(asked: cli::NoSandbox, inputs: &[PathBuf], written: Written, resolver: bool) {
    if resolver {
        return;
    }
    let needs = Needs {
        read: inputs.iter().map(|path| absolute(path)).collect(),
        write: [written.folders, written.around].concat(),
        connect: written.connect,
        ..Needs::default()
    };
    give_up(asked, needs);
}

fn give_up(asked: cli::NoSandbox, needs: Needs) {
    if asked.no_sandbox {
        return;
    }
    sandbox::begin();
    let needs = Needs {
        // Root may read what others wrote.
        in_effect: vec![privilege::DAC_OVERRIDE, privilege::DAC_READ_SEARCH],
        ..needs
    };
    let (_, troubles) = sandbox::enter(&needs, || true);
    for trouble in troubles {
        status::note(&format!("{trouble}; this command goes on without"));
    }
}

/// Of the view of a file. Lists may be named while it is looked at.
pub(super) fn enter_file(asked: cli::NoSandbox, input: &Path) {
    let needs = Needs {
        read: vec![absolute(input), PathBuf::from(SETTINGS)],
        again: config::files_read(),
        signals: true,
        ..Needs::default()
    };
    give_up(asked, needs);
}

/// Of the live view. It has no outputs but the terminal, which is open.
pub(super) fn enter_view(asked: cli::NoSandbox, live: &mut Live, verbose: bool) {
    if asked.no_sandbox {
        return;
    }
    let needs = Needs {
        signals: true,
        ..of_live(live, false)
    };
    let (sandbox, troubles) = sandbox::enter(&needs, || live.can_read());
    for trouble in troubles {
        status::warn(&format!("{trouble}; it goes on with what it has"));
    }
    if verbose {
        status::note(&sandbox.line());
    }
}

/// Of whoever counts live: what it takes to attach again, and to read settings and lists again. In strict mode nothing stays
/// in reserve.
pub(super) fn of_live(live: &Live, strict: bool) -> Needs {
    let (in_reserve, in_effect) = match strict {
        true => (Vec::new(), live.rights_to_end()),
        false => (with_old_form(live.rights_to_attach()), Vec::new()),
    };
    Needs {
        in_reserve,
        in_effect,
        read: vec![PathBuf::from(SETTINGS)],
        again: config::files_read(),
        bpf: live.bpf(strict),
        ..Needs::default()
    }
}

/// Where SYS_ADMIN stands for the capabilities that were split from it.
fn with_old_form(mut capabilities: Vec<Capability>) -> Vec<Capability> {
    if privilege::stands_on_sys_admin() {
        capabilities.push(privilege::SYS_ADMIN);
    }
    capabilities
}

/// Where outputs go.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// For several files.
    pub(super) folders: Vec<PathBuf>,
    /// Those of single files.
    pub(super) around: Vec<PathBuf>,
    /// Ports of collectors to which the connection may have to be made again.
    pub(super) connect: Vec<u16>,
}

impl Written {
    pub(super) fn of(asked: &cli::Outputs, capture: Option<&cli::Capture>) -> Self {
        let folders = [&asked.csv, &asked.charts.folders].into_iter().flatten();
        let folders = folders.chain(&asked.parquet.folder).cloned().collect();
        let files = [&asked.json, &asked.jsonl, &asked.html, &asked.packets];
        let files = files.into_iter().flatten();
        let files = files.chain(capture.and_then(|capture| capture.write.as_ref()));
        let files = files.filter(|path| path.as_os_str() != "-");
        let around = files.map(|file| folder_of(file).to_owned()).collect();
        let collectors = asked.ipfix.collectors.iter();
        let by_tcp = collectors.filter(|one| one.transport == Transport::Tcp);
        Written {
            folders,
            around,
            connect: by_tcp.map(|one| one.port).collect(),
        }
    }
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
