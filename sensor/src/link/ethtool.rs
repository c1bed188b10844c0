//! The name of an interface's driver, which decides whether it has native XDP, and what work the interface takes off the
//! CPU. Netlink doesn't tell them; the ethtool ioctl does, for the network namespace of the thread.

use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::Link;

/// The driver of the interface, e.g. `virtio_net`, `veth`, `mlx5_core`. `None` when there is no such interface or it
/// has no driver to speak of (`lo`).
pub fn driver(name: &str) -> Option<String> {
    let mut info = DriverInfo {
        cmd: GET_DRIVER_INFO,
        driver: [0; 32],
        rest: [0; 160],
    };
    // SAFETY: ETHTOOL_GDRVINFO fills a struct ethtool_drvinfo.
    unsafe { ask(name, &mut info) }?;
    let end = info
        .driver
        .iter()
        .position(|&b| b == 0)
        .unwrap_or(info.driver.len());
    let driver = String::from_utf8_lossy(info.driver.get(..end)?).into_owned();
    (!driver.is_empty()).then_some(driver)
}

/// Whether packets that arrive lose their outer 802.1Q tag (`rx-vlan-offload`) before an XDP program sees them; sockets
/// and TC programs are told of it beside the packet. `None` when it can't be found out.
pub fn takes_vlan_tags_off(name: &str) -> Option<bool> {
    Some(value(name, GET_FLAGS)? & FLAG_RX_VLAN != 0)
}

/// What is done to packets before they are counted, or after; `None` where it can't be found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offloads {
    /// Arriving segments are merged, by the kernel.
    pub gro: Option<bool>,
    /// The same by the hardware: how many there were is lost to XDP.
    pub lro: Option<bool>,
    /// Leaving packets stay unsegmented up to the driver.
    pub gso: Option<bool>,
    /// The same up to the hardware.
    pub tso: Option<bool>,
    /// See [`takes_vlan_tags_off`].
    pub rx_vlan: Option<bool>,
}

pub fn offloads(name: &str) -> Offloads {
    let flags = value(name, GET_FLAGS);
    let on = |command| value(name, command).map(|value| value != 0);
    Offloads {
        gro: on(GET_GRO),
        lro: flags.map(|flags| flags & FLAG_LRO != 0),
        gso: on(GET_GSO),
        tso: on(GET_TSO),
        rx_vlan: flags.map(|flags| flags & FLAG_RX_VLAN != 0),
    }
}

/// Queues that packets arrive by: as many CPUs share the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveQueues {
    /// In use.
    pub now: u32,
    pub most: u32,
    /// They send too: what `ethtool -L` calls combined.
    pub combined: bool,
}

/// Receive queues in use. `None` where the driver does not tell.
pub fn receive_queues(name: &str) -> Option<u32> {
    queues(name).map(|queues| queues.now)
}

/// Why a veth interface has no XDP, where it has none; the kernel says ENOSPC, and for other kinds there are other reasons.
pub fn veth_without_xdp(link: &Link) -> Option<String> {
    let (name, receive) = (&link.name, receive_queues(&link.name).unwrap_or(1));
    (link.kind.as_deref() == Some("veth")).then(|| {
        format!(
            "veth has XDP only with as many receive queues as its peer has transmit queues, and {name} has {receive}: \
             ethtool -L {name} rx N, or at the peer ethtool -L PEER tx {receive}"
        )
    })
}

/// `None` where the driver does not tell.
pub fn queues(name: &str) -> Option<ReceiveQueues> {
    let mut channels = Channels {
        cmd: GET_CHANNELS,
        most: [0; 4],
        rx: 0,
        tx: 0,
        other: 0,
        combined: 0,
    };
    // SAFETY: ETHTOOL_GCHANNELS fills a struct ethtool_channels.
    unsafe { ask(name, &mut channels) }?;
    let now = channels.rx.saturating_add(channels.combined);
    let [most_rx, _, _, most_combined] = channels.most;
    let combined = most_combined > 0;
    (now > 0).then_some(ReceiveQueues {
        now,
        most: if combined { most_combined } else { most_rx },
        combined,
    })
}

/// For the commands that fill a struct ethtool_value.
fn value(name: &str, cmd: u32) -> Option<u32> {
    let mut value = Value { cmd, data: 0 };
    // SAFETY: our callers name commands that fill a struct ethtool_value.
    unsafe { ask(name, &mut value) }?;
    Some(value.data)
}

/// Has the kernel fill `answer`, which begins with the command's number.
///
/// # Safety
///
/// `answer` is the `#[repr(C)]` form of the struct that this command fills: the kernel writes as much as that has.
unsafe fn ask<T>(name: &str, answer: &mut T) -> Option<()> {
    // SAFETY: ifreq is plain data for which zero is valid.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() >= request.ifr_name.len() || bytes.contains(&0) {
        return None;
    }
    for (to, &from) in request.ifr_name.iter_mut().zip(bytes) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_data = (&raw mut *answer).cast();
    let socket = any_socket()?;
    // SAFETY: `request` is a valid ifreq whose data points to the command's struct, as our caller promises; both outlive
    // the call.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL as _, &raw mut request) };
    (status == 0).then_some(())
}

const SIOCETHTOOL: libc::c_ulong = 0x8946;
const GET_DRIVER_INFO: u32 = 3; // ETHTOOL_GDRVINFO
const GET_FLAGS: u32 = 0x25; // ETHTOOL_GFLAGS
const GET_TSO: u32 = 0x1e; // ETHTOOL_GTSO
const GET_GSO: u32 = 0x23; // ETHTOOL_GGSO
const GET_GRO: u32 = 0x2b; // ETHTOOL_GGRO
const GET_CHANNELS: u32 = 0x3c; // ETHTOOL_GCHANNELS
const FLAG_RX_VLAN: u32 = 1 << 8; // ETH_FLAG_RXVLAN
const FLAG_LRO: u32 = 1 << 15; // ETH_FLAG_LRO

/// struct ethtool_drvinfo
#[repr(C)]
struct DriverInfo {
    cmd: u32,
    driver: [u8; 32],
    /// Versions, bus address and sizes: 4 names of 32 bytes, 12 reserved, five numbers.
    rest: [u8; 160],
}

const _: () = assert!(size_of::<DriverInfo>() == 196);

/// struct ethtool_value
#[repr(C)]
struct Value {
    cmd: u32,
    data: u32,
}

/// struct ethtool_channels
#[repr(C)]
struct Channels {
    cmd: u32,
    /// The most that there can be of each.
    most: [u32; 4],
    rx: u32,
    tx: u32,
    other: u32,
    combined: u32,
}

const _: () = assert!(size_of::<Channels>() == 36);

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
    fn of_names_that_no_interface_can_have_nothing_is_known() {
        for name in ["", "a\0b", "sixteen-bytes-xx", "no-such-if"] {
            assert_eq!(driver(name), None, "{name:?}");
            assert_eq!(takes_vlan_tags_off(name), None, "{name:?}");
        }
    }

    #[test]
    fn loopback_keeps_tags_and_veth_takes_them_off() {
        assert_eq!(takes_vlan_tags_off("lo"), Some(false));
        let Some(pair) = crate::link::netns::VethPair::new() else {
            return;
        };
        let taken = pair.a.run(|| takes_vlan_tags_off("veth0"));
        assert_eq!(taken, Some(true));
    }

    #[test]
    fn offloads_are_those_that_were_switched() {
        let Some(pair) = crate::link::netns::VethPair::new() else {
            return;
        };
        let before = pair.a.run(|| offloads("veth0"));
        assert_eq!((before.tso, before.lro), (Some(true), Some(false)));
        assert_eq!(before.rx_vlan, Some(true));
        let queues = pair.a.run(|| queues("veth0")).unwrap();
        assert_eq!(queues.now, 1);
        assert!(queues.most >= 1, "{queues:?}");
        assert_eq!(offloads("no-such-if"), Offloads::default());
    }
}
