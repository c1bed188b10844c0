//! The AF_XDP socket: each system call once, with the errno turned into what it means.

use std::io;
use std::mem;
use std::num::NonZero;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};

use super::ring::Parts;
use super::umem::{FRAME, Umem};
use crate::source::raw_socket::{self, check};

/// Busy polling (asm-generic/socket.h).
const SO_BUSY_POLL: libc::c_int = 46;
const SO_PREFER_BUSY_POLL: libc::c_int = 69;
const SO_BUSY_POLL_BUDGET: libc::c_int = 70;
/// Microseconds and packets of one turn.
const BUSY_FOR: libc::c_int = 20;
const BUSY_PACKETS: libc::c_int = 64;

#[derive(Debug, thiserror::Error)]
pub enum XskError {
    #[error(
        "no permission to open an AF_XDP socket: CAP_NET_RAW is missing; run as root or grant cap_net_raw with setcap"
    )]
    NoPermission(#[source] io::Error),
    #[error("this kernel has no AF_XDP: {0}")]
    NoAfXdp(#[source] io::Error),
    #[error(
        "{} MiB of memory must be locked for {}, and the limit is too low: raise it (ulimit -l {}, LimitMEMLOCK={} of a unit), or grant cap_ipc_lock",
                .bytes >> 20, receive_queues(*.queues), .bytes >> 10, .bytes
    )]
    Memory { bytes: usize, queues: u32 },
    #[error("receive queue {queue} belongs to another AF_XDP socket: end that program")]
    Taken { queue: u32 },
    #[error("there is no receive queue {queue}: its driver has fewer than it says")]
    NoQueue { queue: u32 },
    #[error(
        "its driver has no memory or queues left for XDP: {0}; try fewer queues, as in: ethtool -L IF combined 1"
    )]
    NoQueues(#[source] io::Error),
    #[error("{0}")]
    Veth(String),
    #[error("{what}: {source}")]
    Setup {
        what: &'static str,
        source: io::Error,
    },
}

fn receive_queues(count: u32) -> String {
    match count {
        1 => "its receive queue".to_owned(),
        count => format!("its {count} receive queues"),
    }
}

pub(super) struct Socket {
    fd: OwnedFd,
}

/// What the kernel counted since the socket was opened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Statistics {
    /// Packets for which there was no frame, or that were too long for one.
    pub(super) dropped: u64,
    /// Packets for which there was no place in the ring.
    pub(super) ring_full: u64,
}

impl Socket {
    /// Bound to nothing, with `umem` registered.
    pub(super) fn open(umem: &Umem) -> Result<Self, XskError> {
        let fd = raw_socket::open(libc::AF_XDP, 0).map_err(|error| match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => XskError::NoPermission(error),
            Some(libc::EAFNOSUPPORT) => XskError::NoAfXdp(error),
            _ => setup("AF_XDP socket")(error),
        })?;
        let socket = Socket { fd };
        let registration = libc::xdp_umem_reg {
            addr: umem.address(),
            len: umem.bytes() as u64,
            chunk_size: FRAME as u32,
            headroom: 0,
            flags: 0,
            tx_metadata_len: 0,
        };
        let registered = socket.set(libc::SOL_XDP, libc::XDP_UMEM_REG, &registration);
        registered.map_err(|error| match error.raw_os_error() {
            Some(libc::ENOBUFS | libc::ENOMEM) => XskError::Memory {
                bytes: umem.bytes(),
                queues: 1,
            },
            _ => setup("registering memory")(error),
        })?;
        // Nothing is sent, but the kernel wants to know where it would say that it was.
        let size = umem.frames();
        for (ring, size) in [
            (libc::XDP_UMEM_FILL_RING, size),
            (libc::XDP_UMEM_COMPLETION_RING, 1),
            (libc::XDP_RX_RING, size),
        ] {
            let made = socket.set(libc::SOL_XDP, ring, &size);
            made.map_err(setup("making a ring"))?;
        }
        Ok(socket)
    }

    /// Maps the fill ring and the receive ring.
    pub(super) fn rings(&self, size: u32) -> Result<[Mapping; 2], XskError> {
        // SAFETY: integers only, for which zero is valid.
        let mut offsets: libc::xdp_mmap_offsets = unsafe { mem::zeroed() };
        self.get(libc::SOL_XDP, libc::XDP_MMAP_OFFSETS, &mut offsets)
            .map_err(setup("asking where the rings are"))?;
        let map = |offsets: &libc::xdp_ring_offset, entry: usize, page: i64| {
            let mapping = Mapping::new(self.fd.as_raw_fd(), (offsets, entry, size), page);
            mapping.map_err(setup("mapping a ring"))
        };
        let fill_page = libc::XDP_UMEM_PGOFF_FILL_RING as i64;
        let descriptor = size_of::<libc::xdp_desc>();
        Ok([
            map(&offsets.fr, size_of::<u64>(), fill_page)?,
            map(&offsets.rx, descriptor, libc::XDP_PGOFF_RX_RING)?,
        ])
    }

    /// Receives from this queue from now on, without a copy where the driver can. `segments`: packets may span frames.
    pub(super) fn bind(&self, ifindex: u32, queue: u32, segments: bool) -> Result<(), XskError> {
        let address = libc::sockaddr_xdp {
            sxdp_family: libc::AF_XDP as u16,
            sxdp_flags: libc::XDP_USE_NEED_WAKEUP | if segments { libc::XDP_USE_SG } else { 0 },
            sxdp_ifindex: ifindex,
            sxdp_queue_id: queue,
            sxdp_shared_umem_fd: 0,
        };
        let len = size_of_val(&address) as libc::socklen_t;
        // SAFETY: pointer and length describe `address`.
        let status = unsafe { libc::bind(self.fd.as_raw_fd(), (&raw const address).cast(), len) };
        check(status).map_err(|error| match error.raw_os_error() {
            Some(libc::EBUSY) => XskError::Taken { queue },
            Some(libc::EINVAL) if !segments => XskError::NoQueue { queue },
            Some(libc::ENOMEM | libc::ENOSPC) => XskError::NoQueues(error),
            _ => setup("binding to a queue")(error),
        })
    }

    /// The driver writes into our memory itself.
    pub(super) fn copies_nothing(&self) -> bool {
        let mut options = libc::xdp_options { flags: 0 };
        self.get(libc::SOL_XDP, libc::XDP_OPTIONS, &mut options)
            .is_ok_and(|()| options.flags & libc::XDP_OPTIONS_ZEROCOPY != 0)
    }

    /// The driver is polled by whoever reads, and not by interrupts.
    pub(super) fn poll_busily(&self) -> Result<(), XskError> {
        for (option, value) in [
            (SO_PREFER_BUSY_POLL, 1),
            (SO_BUSY_POLL, BUSY_FOR),
            (SO_BUSY_POLL_BUDGET, BUSY_PACKETS),
        ] {
            self.set(libc::SOL_SOCKET, option, &value)
                .map_err(setup("busy polling (Linux 5.11 and CAP_NET_ADMIN)"))?;
        }
        Ok(())
    }

    /// Has the kernel look for packets, and for frames to put them into.
    pub(super) fn wake(&self) {
        let flags = libc::MSG_DONTWAIT;
        // SAFETY: a buffer of no bytes is never written to. What can't be had now is tried again with the next packets.
        unsafe { libc::recv(self.fd.as_raw_fd(), ptr::null_mut(), 0, flags) };
    }

    pub(super) fn statistics(&self) -> io::Result<Statistics> {
        // SAFETY: integers only, for which zero is valid.
        let mut counts: libc::xdp_statistics = unsafe { mem::zeroed() };
        self.get(libc::SOL_XDP, libc::XDP_STATISTICS, &mut counts)?;
        Ok(Statistics {
            dropped: counts.rx_dropped,
            ring_full: counts.rx_ring_full,
        })
    }

    fn set<T>(&self, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
        raw_socket::set(&self.fd, level, name, value)
    }

    /// Structures of integers only, of which any bytes are one.
    fn get<T>(&self, level: libc::c_int, name: libc::c_int, value: &mut T) -> io::Result<()> {
        let mut len = size_of::<T>() as libc::socklen_t;
        let value = ptr::from_mut(value).cast();
        // SAFETY: pointer and length describe `value`; the kernel writes no more than that.
        check(unsafe { libc::getsockopt(self.fd.as_raw_fd(), level, name, value, &raw mut len) })
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// A ring of a socket, mapped.
pub(super) struct Mapping {
    memory: NonNull<u8>,
    len: NonZero<usize>,
    pub(super) parts: Parts,
}

// SAFETY: the mapping belongs to this value alone and isn't tied to a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// `(offsets, entry, size)`: where its parts are, bytes of an entry, and how many there are.
    fn new(
        fd: RawFd,
        (offsets, entry, size): (&libc::xdp_ring_offset, usize, u32),
        page: i64,
    ) -> io::Result<Self> {
        let words = [offsets.producer, offsets.consumer, offsets.flags];
        let entries = offsets.desc as usize + entry * size as usize;
        let end = words
            .map(|word| word as usize + size_of::<u32>())
            .into_iter();
        let len = end.max().unwrap_or(0).max(entries);
        let len = NonZero::new(len).ok_or(io::ErrorKind::InvalidData)?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_SHARED | libc::MAP_POPULATE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let memory = unsafe { libc::mmap(ptr::null_mut(), len.get(), access, kind, fd, page) };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory: NonNull<u8> = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: all of them lie within the mapping, whose length was made of them.
        let at = |offset: u64| unsafe { memory.add(offset as usize) };
        let [producer, consumer, flags] = words.map(|word| at(word).cast());
        Ok(Mapping {
            memory,
            len,
            parts: Parts {
                producer,
                consumer,
                flags,
                entries: at(offsets.desc),
                size,
            },
        })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping was made with this address and length, and nothing can refer to it any more.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.len.get()) };
    }
}

pub(super) fn setup(what: &'static str) -> impl Fn(io::Error) -> XskError {
    move |source| XskError::Setup { what, source }
}
