//! Counting in the kernel, for real: in network namespaces that each test makes for itself. Needs root; says so where it
//! is not.
#![allow(clippy::unwrap_used, reason = "a test that panics names the line")]
#![allow(
    clippy::print_stdout,
    reason = "a test that leaves something out says what and why"
)]

mod af_xdp;
mod alike;
mod come_and_go;
mod conversations;
mod disk;
mod doctor;
mod faults;
mod filter;
mod followers;
mod gso;
mod guard;
mod handed;
mod harness;
mod history;
mod history_faults;
mod interfaces;
mod ipfix;
mod ladder;
mod layer3;
mod lifecycle;
mod names;
mod namespace;
mod packets;
mod polls;
mod privilege;
mod processes;
mod queues;
mod replay;
mod reports;
mod samples;
mod sandbox;
mod scarce;
mod serve;
mod service;
mod soak;
mod stalled;
mod stories;
#[path = "../support/mod.rs"]
mod support;
mod tap;
mod test_run;
mod top;
mod traffic;
mod written;
