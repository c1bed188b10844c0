//! What commands still need once their inputs and outputs are known, and giving up the rest.

use std::path::{Path, PathBuf};

use crate::cli;
use crate::privilege;
use crate::sandbox::{self, Needs};
use crate::sink::folder_of;
use crate::sink::ipfix::Transport;
use crate::status;

/// Of a command that reads what strangers wrote. The system's resolver may be any code: with it nothing is given up.
pub(super) fn enter(asked: cli::NoSandbox, inputs: &[PathBuf], written: Written, resolver: bool) {
    if asked.no_sandbox || resolver {
        return;
    }
    sandbox::begin();
    let needs = Needs {
        // Root may read what others wrote.
        in_effect: vec![privilege::DAC_OVERRIDE, privilege::DAC_READ_SEARCH],
        read: inputs.iter().map(|path| absolute(path)).collect(),
        write: [written.folders, written.around].concat(),
        connect: written.connect,
        ..Needs::default()
    };
    let (_, troubles) = sandbox::enter(&needs, || true);
    for trouble in troubles {
        status::note(&format!("{trouble}; this command goes on without"));
    }
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
