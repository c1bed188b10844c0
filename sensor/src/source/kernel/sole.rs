//! One sensor at a time on an interface's clsact hooks.
//!
//! A filter there has no owner: whoever comes next can't tell that of a sensor which counts from one that a killed sensor
//! left. So a sensor that counts holds an abstract socket by the interface's index; the kernel keeps the names of each
//! network namespace apart, and gives them back however the sensor ends.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Held while filters of an interface are ours.
pub(super) type Sole = Arc<UnixDatagram>;

/// Both ways of an interface, and the object that follows after a reload, share one.
static HELD: Mutex<BTreeMap<u32, Weak<UnixDatagram>>> = Mutex::new(BTreeMap::new());

/// `Ok(None)` where sockets can't be had: that must not cost the counts. `Err`: another sensor holds it.
pub(super) fn hold(ifindex: u32) -> Result<Option<Sole>, Taken> {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sole) = held.get(&ifindex).and_then(Weak::upgrade) {
        return Ok(Some(sole));
    }
    match bind(ifindex) {
        Ok(socket) => {
            let sole = Arc::new(socket);
            held.insert(ifindex, Arc::downgrade(&sole));
            Ok(Some(sole))
        }
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(Taken),
        Err(_) => Ok(None),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another sensor counts it by clsact, where before Linux 6.6 there is room for one")]
pub(super) struct Taken;

fn bind(ifindex: u32) -> io::Result<UnixDatagram> {
    let name = format!("sensor-clsact-{ifindex}");
    UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_shares_it_and_another_is_told() {
        const NOBODY: u32 = 0x7fff_fff0;
        let first = hold(NOBODY).unwrap().unwrap();
        let second = hold(NOBODY).unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        drop((first, second));
        let other = bind(NOBODY).unwrap();
        assert_eq!(hold(NOBODY).unwrap_err(), Taken);
        drop(other);
        assert!(hold(NOBODY).unwrap().is_some());
    }
}
