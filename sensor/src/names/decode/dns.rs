//! DNS (RFC 1035), mDNS (RFC 6762), LLMNR (RFC 4795) and the NetBIOS name service (RFC 1002): names asked and answered.

use std::net::IpAddr;

/// What one message says, as far as it was captured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub id: u16,
    pub response: bool,
    /// RCODE.
    pub code: u8,
    pub questions: Vec<Question>,
    /// Of all sections, in the order of the message; only the kinds that name something.
    pub records: Vec<Record>,
    /// It was cut off, or is damaged, behind what is here.
    pub cut: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub name: String,
    /// QTYPE.
    pub kind: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub name: String,
    /// Seconds.
    pub ttl: u32,
    pub data: Data,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// A or AAAA; NB of the NetBIOS name service.
    Address(IpAddr),
    Cname(String),
    /// PTR.
    Pointer(String),
}

/// DNS, mDNS, LLMNR: the message without the two bytes of length that TCP puts before it. `None` if it can't be one.
pub fn message(bytes: &[u8]) -> Option<Message> {
    let _ = bytes;
    None
}

/// The NetBIOS name service, with names decoded (`WORKGROUP<1d>` becomes `WORKGROUP`).
pub fn netbios(bytes: &[u8]) -> Option<Message> {
    let _ = bytes;
    None
}
