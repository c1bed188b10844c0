//! The memory that the kernel fills with packets and that we read: a TPACKET_V3 ring.
//!
//! The kernel fills one block after the other and hands a block over when it is full or its time is up. We walk its
//! frames where they lie and give it back, so a packet costs no system call and no copy.

use super::block::{self, Frame};
use super::socket::PacketSocket;
use libc::{TP_STATUS_KERNEL, TP_STATUS_USER};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What to capture and how much memory to spend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingConfig {
    /// 0 = all interfaces.
    pub ifindex: u32,
    /// A multiple of the page size. Frames never span blocks, so below 1 MiB a super-packet of 64 KiB wastes much of one.
    pub block_size: u32,
    pub block_count: u32,
    /// A block that isn't full is handed over after this time, within two of them at the latest.
    pub block_timeout_ms: u32,
    /// Bytes of each packet to keep, 0 = all. `Frame::len` tells the whole length in any case, so keeping headers only
    /// makes the ring far cheaper.
    pub snaplen: u32,
    /// Receive what isn't addressed to this host, too. Only possible on a single interface.
    pub promiscuous: bool,
}

impl RingConfig {
    /// 64 MiB, which held every packet at 1.2 million a second, with the headers of each.
    pub fn new(ifindex: u32) -> Self {
        RingConfig {
            ifindex,
            block_size: 1 << 20,
            block_count: 64,
            block_timeout_ms: 50,
            snaplen: 256,
            promiscuous: false,
        }
    }
}

/// What the kernel and we counted since the ring was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RingStatistics {
    /// Packets that the kernel wanted to put into the ring, those that it dropped included.
    pub packets: u64,
    /// Packets for which there was no room, or whose kind of GSO the kernel can't describe: lost.
    pub drops: u64,
    /// How often the kernel stood still because we held all blocks.
    pub freezes: u64,
    /// Frames that the kernel promised and that did not lie within their block: lost. Never seen to be other than 0.
    pub unreadable: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum RingError {
    #[error(
        "no permission to capture packets: CAP_NET_RAW is missing; run as root or grant cap_net_raw with setcap"
    )]
    NoPermission(#[source] io::Error),
    #[error("no interface with index {ifindex}; it may have been deleted")]
    NoSuchInterface { ifindex: u32 },
    #[error("promiscuous mode needs one interface; name it or leave promiscuous mode off")]
    PromiscuousOnAll,
    #[error(
        "the kernel refused a ring of {block_count} blocks of {block_size} bytes: {source}; ask for a smaller one, with blocks of whole pages"
    )]
    Refused {
        block_count: u32,
        block_size: u32,
        source: io::Error,
    },
    #[error("can't set up packet capture: {what}: {source}")]
    Setup {
        what: &'static str,
        source: io::Error,
    },
}

/// A receive ring. Its descriptor is readable while a block is ready.
///
/// With tokio: `AsyncFd::register_with_interest(ring, Interest::READABLE)`, then `readable_mut`, [`Ring::drain`] until
/// it hands out nothing, and `clear_ready`. The descriptor stays the same while the ring lives, which is what makes
/// registering it safe.
#[derive(Debug)]
pub struct Ring {
    socket: PacketSocket,
    memory: NonNull<u8>,
    block_size: usize,
    block_count: usize,
    /// The block that the kernel hands over next.
    next: usize,
    block_timeout: Duration,
    /// Frames that came out of the ring, readable or not.
    delivered: u64,
    unreadable: u64,
    packets: AtomicU64,
    drops: AtomicU64,
    freezes: AtomicU64,
}

// SAFETY: the mapping belongs to this value alone and isn't tied to a thread.
unsafe impl Send for Ring {}
// SAFETY: through a shared reference only system calls on the descriptor and atomics are reachable, not the mapping.
unsafe impl Sync for Ring {}

impl Ring {
    /// Starts capturing. On an interface that is down this succeeds, packets flow as soon as it is up, and
    /// [`Ring::take_error`] says ENETDOWN.
    pub fn open(config: &RingConfig) -> Result<Ring, RingError> {
        if config.promiscuous && config.ifindex == 0 {
            return Err(RingError::PromiscuousOnAll);
        }
        let socket = PacketSocket::open()?;
        if config.snaplen != 0 {
            socket.keep_only(config.snaplen)?;
        }
        let memory = socket.map_ring(config)?;
        let ring = Ring {
            socket,
            memory,
            block_size: config.block_size as usize,
            block_count: config.block_count as usize,
            next: 0,
            block_timeout: Duration::from_millis(config.block_timeout_ms.max(1).into()),
            delivered: 0,
            unreadable: 0,
            packets: AtomicU64::new(0),
            drops: AtomicU64::new(0),
            freezes: AtomicU64::new(0),
        };
        if config.promiscuous {
            ring.socket.make_promiscuous(config.ifindex)?;
        }
        // The last step: until here the socket listens to nothing, so that nothing of other interfaces slips in.
        ring.socket.bind(config.ifindex)?;
        Ok(ring)
    }

    /// Keeps the first `snaplen` bytes of each packet from now on.
    pub fn keep_only(&self, snaplen: u32) -> Result<(), RingError> {
        self.socket.keep_only(snaplen)
    }

    /// Hands every frame of at most `max_blocks` ready blocks to `f` and gives the blocks back to the kernel. Returns
    /// the number of frames; 0 means that no block is ready.
    pub fn drain(&mut self, max_blocks: usize, mut f: impl FnMut(Frame<'_>)) -> usize {
        let mut frames = 0;
        for _ in 0..max_blocks {
            if self.status().load(Ordering::Acquire) & TP_STATUS_USER == 0 {
                break;
            }
            let walked = block::walk(self.ready_block(), &mut f);
            self.status().store(TP_STATUS_KERNEL, Ordering::Release);
            self.next = (self.next + 1) % self.block_count;
            self.delivered += walked.frames as u64 + walked.unreadable;
            self.unreadable += walked.unreadable;
            frames += walked.frames;
        }
        frames
    }

    /// Stops capturing, waits for the block that the kernel is still filling, and hands out everything that was
    /// captured. Blocks the thread for about one block timeout, and three at most (and at least 0.2 s before giving up).
    ///
    /// Without it: one to two block timeouts after the last packet, every captured frame is readable by [`Ring::drain`].
    pub fn drain_all(&mut self, mut f: impl FnMut(Frame<'_>)) -> Result<usize, RingError> {
        self.socket.keep_none()?;
        let deadline = Instant::now() + (self.block_timeout * 3).max(Duration::from_millis(200));
        let mut frames = 0;
        loop {
            // Asked before draining: what it counts has been captured, so a drain that falls short must go on.
            let statistics = self.statistics();
            let captured = statistics.packets.saturating_sub(statistics.drops);
            frames += self.drain(usize::MAX, &mut f);
            if self.delivered >= captured || Instant::now() >= deadline {
                return Ok(frames);
            }
            thread::sleep(self.block_timeout.min(Duration::from_millis(10)));
        }
    }

    /// Totals since the ring was opened; `packets - drops` is what [`Ring::drain`] has handed out or will.
    pub fn statistics(&self) -> RingStatistics {
        // The kernel starts again from 0 with each answer, so each answer is added by whoever got it.
        let new = self.socket.statistics().unwrap_or_default();
        let add = |total: &AtomicU64, new: u32| {
            total.fetch_add(new.into(), Ordering::Relaxed) + u64::from(new)
        };
        RingStatistics {
            packets: add(&self.packets, new.packets),
            drops: add(&self.drops, new.drops),
            freezes: add(&self.freezes, new.freezes),
            unreadable: self.unreadable,
        }
    }

    /// What is wrong with the socket, told once. ENETDOWN: the interface was switched off (it goes on by itself when
    /// it is switched on again) or deleted (it doesn't, even if one of the same name comes back).
    pub fn take_error(&self) -> Option<io::Error> {
        self.socket.take_error()
    }

    /// The status word of the next block, which the kernel writes on its own.
    fn status(&self) -> &AtomicU32 {
        // SAFETY: `next` is below the number of blocks, so the word lies in the mapping, which lives as long as self;
        // blocks begin at pages, so it is aligned; and nobody accesses it other than atomically while it can change:
        // `ready_block` reads it only while the kernel leaves the block alone.
        unsafe {
            AtomicU32::from_ptr(
                self.memory
                    .as_ptr()
                    .add(self.next * self.block_size + block::STATUS_OFFSET)
                    .cast(),
            )
        }
    }

    /// The bytes of the next block, to be read only when its status says that it is ours.
    fn ready_block(&self) -> &[u8] {
        // SAFETY: `next` is below the number of blocks, so the block lies in the mapping, which lives as long as self.
        // The kernel doesn't write to a block that it has handed over, and only `drain`, which holds self exclusively,
        // gives it back.
        unsafe {
            std::slice::from_raw_parts(
                self.memory.as_ptr().add(self.next * self.block_size),
                self.block_size,
            )
        }
    }
}

impl AsRawFd for Ring {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_fd().as_raw_fd()
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping was made with this address and length, and nothing can refer to it any more.
        unsafe {
            libc::munmap(
                self.memory.as_ptr().cast(),
                self.block_size * self.block_count,
            )
        };
    }
}
