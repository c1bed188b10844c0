//! Where packets come from. Every source yields the same [`crate::counters::Delta`].

pub mod af_packet;
pub mod file;
pub mod kernel;
