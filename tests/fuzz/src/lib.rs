//! What must hold whatever the bytes are. Each target is a function that panics where it does not.
//!
//! `cargo xtask fuzz` lets libFuzzer look for such bytes; the tests here replay the corpus, without libFuzzer.

pub mod capture;
pub mod config;
mod cost;
pub mod explain;
pub mod filter;
pub mod history;
pub mod names;
pub mod packet;
pub mod report;

#[cfg(test)]
mod replay;
