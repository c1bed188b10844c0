//! The packet socket below the ring: each system call once, with the errno turned into what it means.

use super::block::Plain;
use super::ring::{RingConfig, RingError};
use crate::source::raw_socket::{self, check};
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::{self, NonNull};

/// An AF_PACKET socket that has been told to use TPACKET_V3 with virtio headers and listens to nothing yet.
#[derive(Debug)]
pub(super) struct PacketSocket {
    fd: OwnedFd,
}

/// What the kernel counted since it was asked the last time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NewCounts {
    pub(super) packets: u32,
    pub(super) drops: u32,
    pub(super) freezes: u32,
}

impl PacketSocket {
    pub(super) fn open() -> Result<Self, RingError> {
        // Protocol 0: a socket created with ETH_P_ALL would at once receive from every interface.
        let opened = raw_socket::open(libc::AF_PACKET, libc::SOCK_NONBLOCK);
        let fd = opened.map_err(|error| match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => RingError::NoPermission(error),
            _ => setup("packet socket")(error),
        })?;
        let socket = PacketSocket { fd };
        let version = libc::tpacket_versions::TPACKET_V3 as libc::c_int;
        socket
            .set(libc::SOL_PACKET, libc::PACKET_VERSION, &version)
            .map_err(setup("TPACKET_V3"))?;
        // Must come before the ring, whose layout depends on it.
        socket
            .set(libc::SOL_PACKET, libc::PACKET_VNET_HDR, &1)
            .map_err(setup("PACKET_VNET_HDR"))?;
        Ok(socket)
    }

    /// Keeps the first `snaplen` bytes of each packet from now on.
    pub(super) fn keep_only(&self, snaplen: u32) -> Result<(), RingError> {
        const RETURN_CONSTANT: u16 = 0x06; // BPF_RET | BPF_K
        let mut filter = libc::sock_filter {
            code: RETURN_CONSTANT,
            jt: 0,
            jf: 0,
            k: snaplen,
        };
        let program = libc::sock_fprog {
            len: 1,
            filter: &raw mut filter,
        };
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
            .map_err(setup("snaplen filter"))
    }

    /// Captures nothing any more. What is passing on other CPUs at this moment is in the ring when this returns.
    pub(super) fn keep_none(&self) -> Result<(), RingError> {
        self.keep_only(0)?;
        // Packets are received inside RCU read-side sections, and this waits for all that have begun. Where it is
        // refused (nohz_full), such a packet has as long as the ring takes to hand over its last block.
        // SAFETY: plain system call without pointers.
        unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_GLOBAL, 0, 0) };
        Ok(())
    }

    /// Makes the ring and maps it.
    pub(super) fn map_ring(&self, config: &RingConfig) -> Result<NonNull<u8>, RingError> {
        let &RingConfig {
            block_size,
            block_count,
            ..
        } = config;
        let refused = |source| RingError::Refused {
            block_count,
            block_size,
            source,
        };
        // The size of a frame means nothing in version 3, but the kernel checks that frames fill blocks evenly.
        let request = libc::tpacket_req3 {
            tp_block_size: block_size,
            tp_block_nr: block_count,
            tp_frame_size: block_size,
            tp_frame_nr: block_count,
            tp_retire_blk_tov: config.block_timeout_ms.max(1),
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        let bytes = usize::try_from(block_size)
            .ok()
            .and_then(|size| size.checked_mul(usize::try_from(block_count).ok()?))
            .filter(|&bytes| bytes > 0) // which would mean "remove the ring"
            .ok_or_else(|| refused(io::ErrorKind::InvalidInput.into()))?;
        self.set(libc::SOL_PACKET, libc::PACKET_RX_RING, &request)
            .map_err(refused)?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                access,
                libc::MAP_SHARED,
                self.fd.as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(refused(io::Error::last_os_error()));
        }
        NonNull::new(memory.cast()).ok_or_else(|| refused(io::ErrorKind::OutOfMemory.into()))
    }

    pub(super) fn make_promiscuous(&self, ifindex: u32) -> Result<(), RingError> {
        let membership = libc::packet_mreq {
            mr_ifindex: ifindex as libc::c_int,
            mr_type: libc::PACKET_MR_PROMISC as libc::c_ushort,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        self.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &membership)
            .map_err(on_interface(ifindex, "promiscuous mode"))
    }

    /// Begins to receive from the interface, or from all (0).
    pub(super) fn bind(&self, ifindex: u32) -> Result<(), RingError> {
        // SAFETY: sockaddr_ll is integers only, for which zero is valid.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = libc::AF_PACKET as libc::c_ushort;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = ifindex as libc::c_int;
        let len = size_of_val(&address) as libc::socklen_t;
        // SAFETY: pointer and length describe `address`.
        let status = unsafe { libc::bind(self.fd.as_raw_fd(), (&raw const address).cast(), len) };
        check(status).map_err(on_interface(ifindex, "bind"))
    }

    pub(super) fn statistics(&self) -> io::Result<NewCounts> {
        let mut counts = libc::tpacket_stats_v3 {
            tp_packets: 0,
            tp_drops: 0,
            tp_freeze_q_cnt: 0,
        };
        self.get(libc::SOL_PACKET, libc::PACKET_STATISTICS, &mut counts)?;
        Ok(NewCounts {
            packets: counts.tp_packets,
            drops: counts.tp_drops,
            freezes: counts.tp_freeze_q_cnt,
        })
    }

    pub(super) fn take_error(&self) -> Option<io::Error> {
        let mut errno: libc::c_int = 0;
        match self.get(libc::SOL_SOCKET, libc::SO_ERROR, &mut errno) {
            Ok(()) => (errno != 0).then(|| io::Error::from_raw_os_error(errno)),
            Err(error) => Some(error),
        }
    }

    fn set<T>(&self, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
        raw_socket::set(&self.fd, level, name, value)
    }

    fn get<T: Plain>(
        &self,
        level: libc::c_int,
        name: libc::c_int,
        value: &mut T,
    ) -> io::Result<()> {
        let mut len = size_of::<T>() as libc::socklen_t;
        // SAFETY: pointer and length describe `value`; the kernel writes no more than that, and any bytes are a T.
        check(unsafe {
            libc::getsockopt(
                self.fd.as_raw_fd(),
                level,
                name,
                ptr::from_mut(value).cast(),
                &raw mut len,
            )
        })
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn setup(what: &'static str) -> impl Fn(io::Error) -> RingError {
    move |source| RingError::Setup { what, source }
}

fn on_interface(ifindex: u32, what: &'static str) -> impl Fn(io::Error) -> RingError {
    move |source| match source.raw_os_error() {
        Some(libc::ENODEV) => RingError::NoSuchInterface { ifindex },
        _ => RingError::Setup { what, source },
    }
}
