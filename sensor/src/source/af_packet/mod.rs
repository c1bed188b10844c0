//! Live capture without eBPF: an own AF_PACKET receive ring, read without copying and without a C library.
//!
//! It sees both directions of an interface, and with PACKET_VNET_HDR it is told how many packets a GSO super-packet
//! becomes on the wire, which libpcap isn't.

mod block;
mod judge;
mod listener;
mod ring;
mod socket;
mod source;

pub use block::{Frame, Vlan};
pub use listener::Listener;
pub use ring::{Ring, RingConfig, RingError, RingStatistics};
pub use source::{AfPacket, Counter, Want};

#[cfg(test)]
mod tests;
