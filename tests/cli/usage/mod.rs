//! What is typed wrong, asked for in vain, or runs in an unkind place: each ends with its exit code and a sentence that
//! helps.

mod arguments;
mod config;
mod inputs;
mod live;
mod outputs;
mod serving;
mod terminal;

use std::path::PathBuf;

use tempfile::TempDir;

use crate::harness::file_in;
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet_ip, udp};

/// A folder with a good capture of one packet in it.
fn folder_with_capture() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path(), "good.pcap", &capture());
    (folder, path)
}

fn capture() -> Vec<u8> {
    let packet = ethernet_ip(&udp(at("10.0.0.1:1000"), at("10.0.0.2:53"), 10));
    Pcap::default().write(&[Record::new(1_700_000_000_000_000_000, packet)])
}
