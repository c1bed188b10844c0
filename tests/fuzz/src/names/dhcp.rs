//! DHCP and DHCPv6.

use sensor::names::decode::dhcp::{self, Lease};

use super::cuts;
use crate::cost::bounded;

/// A value of 255 bytes, each shown as `\xff`.
const NAME: usize = 255 * 4;
/// Before DHCP's options.
const HEAD: usize = 240;

/// Panics if the decoders do not do with these bytes what they promise.
pub fn check(bytes: &[u8]) {
    let whole = read(dhcp::dhcp, bytes);
    for cut in cuts(bytes) {
        let part = read(dhcp::dhcp, cut);
        // All that may be missing are options.
        assert_eq!(part.is_some(), whole.is_some() && cut.len() >= HEAD);
        same_transaction(part.as_ref(), whole.as_ref());
    }
    assert!(whole.iter().all(|lease| is_kind(lease, false)));

    let whole = read(dhcp::dhcpv6, bytes);
    for cut in cuts(bytes) {
        let part = read(dhcp::dhcpv6, cut);
        assert!(part.is_none() || whole.is_some());
        same_transaction(part.as_ref(), whole.as_ref());
        // The first address counts, so it stays what it is.
        let [part, whole] = [&part, &whole].map(|one| one.as_ref().and_then(|one| one.address));
        assert!(part.is_none() || part == whole, "{part:?} {whole:?}");
    }
    assert!(whole.iter().all(|lease| is_kind(lease, true)));
}

fn read(decode: fn(&[u8]) -> Option<Lease>, bytes: &[u8]) -> Option<Lease> {
    let most = (4 << 10) + bytes.len() * 64;
    let lease = bounded(bytes.len(), most, || decode(bytes));
    assert_eq!(lease, decode(bytes));
    if let Some(lease) = &lease {
        let name = lease.host_name.as_ref();
        assert!(name.is_none_or(|name| (1..=NAME).contains(&name.len())));
        assert!(!lease.settled || lease.address.is_some(), "{lease:?}");
    }
    lease
}

fn is_kind(lease: &Lease, ipv6: bool) -> bool {
    lease.address.is_none_or(|addr| addr.is_ipv6() == ipv6)
}

fn same_transaction(part: Option<&Lease>, whole: Option<&Lease>) {
    if let (Some(part), Some(whole)) = (part, whole) {
        assert_eq!(part.transaction, whole.transaction);
    }
}
