//! Whole packets of a mirror port by AF_XDP: the driver puts them into memory of ours, and the host gets none of them.
//!
//! Own code over the system calls instead of a crate: it only receives, which is little, and a crate would bring what sends.

mod program;
mod queue;
mod ring;
mod socket;
mod source;
mod umem;

pub use socket::XskError;
pub use source::{AfXdp, MOST_MEMORY, Want};
