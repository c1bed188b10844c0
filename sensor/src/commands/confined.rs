//! What commands still need once their inputs and outputs are known, and giving up the rest.

use std::path::{Path, PathBuf};

use crate::cli;
use crate::privilege;
use crate::sandbox::{self, Needs};
use crate::sink::folder_of;
use crate::sink::ipfix::Transport;
use crate::status;

/// Of a command that reads what strangers wrote.
pub(super) fn enter(asked: cli::NoSandbox, inputs: &[PathBuf], outputs: Option<&cli::Outputs>) {
    if asked.no_sandbox {
        return;
    }
    sandbox::begin();
    let (folders, files) = outputs.map(written).unwrap_or_default();
    let needs = Needs {
        // Root may read what others wrote.
        in_effect: vec![privilege::DAC_OVERRIDE, privilege::DAC_READ_SEARCH],
        read: inputs.iter().map(|path| absolute(path)).collect(),
        write: [folders, files].concat(),
        connect: outputs.map(collectors).unwrap_or_default(),
        ..Needs::default()
    };
    let (_, troubles) = sandbox::enter(&needs, || true);
    for trouble in troubles {
        status::note(&format!("{trouble}; this command goes on without"));
    }
}

/// Folders for several files, and those of single files.
pub(super) fn written(asked: &cli::Outputs) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let folders = [&asked.csv, &asked.charts.folders].into_iter().flatten();
    let folders = folders.chain(&asked.parquet.folder).cloned().collect();
    let files = [&asked.json, &asked.jsonl, &asked.html, &asked.packets];
    let files = files.into_iter().flatten();
    let files = files.filter(|path| path.as_os_str() != "-");
    let around = files.map(|file| folder_of(file).to_owned()).collect();
    (folders, around)
}

/// Ports of collectors to which the connection may have to be made again.
pub(super) fn collectors(asked: &cli::Outputs) -> Vec<u16> {
    let collectors = asked.ipfix.collectors.iter();
    let by_tcp = collectors.filter(|one| one.transport == Transport::Tcp);
    by_tcp.map(|one| one.port).collect()
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
