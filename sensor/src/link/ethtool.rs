//! The name of an interface's driver, which decides whether it has native XDP. Netlink doesn't tell it; the ethtool
//! ioctl does, for the network namespace of the thread.

use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// The driver of the interface, e.g. `virtio_net`, `veth`, `mlx5_core`. `None` when there is no such interface or it
/// has no driver to speak of (`lo`).
pub fn driver(name: &str) -> Option<String> {
    let mut info = DriverInfo {
        cmd: GET_DRIVER_INFO,
        driver: [0; 32],
        rest: [0; 160],
    };
    // SAFETY: ifreq is plain data for which zero is valid.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() >= request.ifr_name.len() || bytes.contains(&0) {
        return None;
    }
    for (to, &from) in request.ifr_name.iter_mut().zip(bytes) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_data = (&raw mut info).cast();
    let socket = any_socket()?;
    // SAFETY: `request` is a valid ifreq whose data points to a struct ethtool_drvinfo; both outlive the call, and the
    // kernel writes no more than that struct.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL as _, &raw mut request) };
    let end = info
        .driver
        .iter()
        .position(|&b| b == 0)
        .unwrap_or(info.driver.len());
    let driver = String::from_utf8_lossy(info.driver.get(..end)?).into_owned();
    (status == 0 && !driver.is_empty()).then_some(driver)
}

const SIOCETHTOOL: libc::c_ulong = 0x8946;
const GET_DRIVER_INFO: u32 = 3; // ETHTOOL_GDRVINFO

/// struct ethtool_drvinfo
#[repr(C)]
struct DriverInfo {
    cmd: u32,
    driver: [u8; 32],
    /// Versions, bus address and sizes: 4 names of 32 bytes, 12 reserved, five numbers.
    rest: [u8; 160],
}

const _: () = assert!(size_of::<DriverInfo>() == 196);

/// Interface ioctls work on sockets of any family.
fn any_socket() -> Option<OwnedFd> {
    [libc::AF_INET, libc::AF_UNIX]
        .into_iter()
        .find_map(|family| {
            // SAFETY: plain system call without pointers.
            let fd = unsafe { libc::socket(family, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
            // SAFETY: the kernel just gave us this descriptor, nobody else owns it.
            (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_interface_can_have_have_no_driver() {
        for name in ["", "a\0b", "sixteen-bytes-xx", "no-such-if"] {
            assert_eq!(driver(name), None, "{name:?}");
        }
    }
}
