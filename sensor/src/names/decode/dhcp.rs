//! DHCP (RFC 2131, 2132) and DHCPv6 (RFC 8415): the name that a client gives itself.

use std::net::IpAddr;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// Option 12 or 81; DHCPv6 option 39.
    pub host_name: Option<String>,
    /// The client's address: that of the answer (`yiaddr`), the one it has (`ciaddr`) or asks for (option 50); DHCPv6's IA
    /// address.
    pub address: Option<IpAddr>,
    /// The server agrees (ACK, Reply), or the client uses the address already.
    pub settled: bool,
    /// DHCP's xid, DHCPv6's transaction id: a request's name belongs to the answer's address.
    pub transaction: u32,
}

pub fn dhcp(bytes: &[u8]) -> Option<Lease> {
    let _ = bytes;
    None
}

pub fn dhcpv6(bytes: &[u8]) -> Option<Lease> {
    let _ = bytes;
    None
}
