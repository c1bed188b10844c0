//! Counting in the kernel: XDP and TC programs fill tables, the agent reads them.

pub mod attach;
mod clock;
pub mod drain;
mod mapping;
pub mod object;
