//! The command line from outside: what is typed, what comes out, with which exit code.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]
#![allow(
    clippy::print_stdout,
    reason = "what was skipped or excused is said where tests are read"
)]

mod confined;
mod corpus;
mod dashboard;
mod docs;
mod doctor;
mod engines;
mod explain;
mod fields;
mod filter;
mod fleet;
mod guard;
mod harness;
mod history;
mod hostile;
mod ipfix;
mod labels;
mod libpcap;
mod meanwhile;
mod mirrored;
mod package;
mod packets;
mod read;
mod reliability;
mod saved;
mod schema;
mod service;
mod stories;
#[path = "../support/mod.rs"]
mod support;
mod tables;
mod top;
mod usage;
mod written;
