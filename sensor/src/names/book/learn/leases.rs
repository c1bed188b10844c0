//! Host names of DHCP, whose name and address may come in different messages.

use sensor_common::application::Application;

use super::super::bounded::Bounded;
use super::super::{Book, addresses};
use crate::names::decode::dhcp::{self, Lease};
use crate::names::{NameSource, Sample};

/// Names that wait for their address.
#[derive(Clone, Debug)]
pub(in crate::names::book) struct Leases {
    /// By protocol and transaction.
    waiting: Bounded<(Application, u32), Waiting>,
    pub(in crate::names::book) put_out: u64,
}

#[derive(Clone, Debug, Default)]
struct Waiting {
    name: String,
    /// The address has come, and may come again.
    met: bool,
}

impl Leases {
    pub(in crate::names::book) fn new(most: usize) -> Self {
        Leases {
            waiting: Bounded::new(most),
            put_out: 0,
        }
    }
}

impl Book {
    pub(super) fn lease(&mut self, sample: &Sample<'_>, application: Application) {
        let lease = match application {
            Application::Dhcp => dhcp::dhcp(sample.payload),
            _ => dhcp::dhcpv6(sample.payload),
        };
        if let Some(lease) = lease {
            self.take_lease(application, &lease);
        }
    }

    fn take_lease(&mut self, application: Application, lease: &Lease) {
        let transaction = (application, lease.transaction);
        if let Some(name) = &lease.host_name {
            let (waiting, out) = self.leases.waiting.entry(transaction);
            addresses::cut(name).clone_into(&mut waiting.name);
            self.leases.put_out += u64::from(out.is_some_and(|(_, out)| !out.met));
        }
        if let (true, Some(addr)) = (lease.settled, lease.address)
            && let Some(waiting) = self.leases.waiting.get_mut(&transaction)
        {
            waiting.met = true;
            self.addresses.name(addr, &waiting.name, NameSource::Dhcp);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_an_address_meet_by_their_transaction() {
        let mut book = Book::new(8);
        let addr = "192.0.2.7".parse().unwrap();
        let request = Lease {
            host_name: Some("printer".into()),
            address: Some(addr),
            settled: false,
            transaction: 7,
        };
        book.take_lease(Application::Dhcp, &request);
        assert_eq!(book.of_address(addr), &[]);
        let answer = Lease {
            host_name: None,
            settled: true,
            ..request
        };
        book.take_lease(Application::Dhcpv6, &answer);
        assert_eq!(book.of_address(addr), &[]);
        book.take_lease(Application::Dhcp, &answer);
        let [name] = book.of_address(addr) else {
            panic!("one name");
        };
        assert_eq!((&*name.text, name.source), ("printer", NameSource::Dhcp));
    }

    #[test]
    fn names_that_never_met_an_address_are_counted_when_they_go() {
        let mut book = Book::new(8);
        let mut lease = Lease {
            host_name: Some("printer".into()),
            address: None,
            settled: false,
            transaction: 0,
        };
        for transaction in 0..20_000 {
            lease.transaction = transaction;
            book.take_lease(Application::Dhcp, &lease);
        }
        assert_eq!(book.put_out().names, 20_000 - 4096);
    }
}
