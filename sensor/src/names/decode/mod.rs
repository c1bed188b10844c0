//! Decoders of payloads. Each looks at the bytes of one message, as far as they were captured, and never fails on any:
//! what is cut off yields what came before the cut. No allocation without a bound, no recursion without one.

#[cfg(test)]
mod corpus;
pub mod dhcp;
pub mod dns;
pub mod expect;
pub mod http;
pub mod quic;
pub mod signature;
pub mod tls;
