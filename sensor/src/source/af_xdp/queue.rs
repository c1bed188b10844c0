//! One receive queue of the interface: its socket, its memory, and the two rings between us and the kernel.

use super::ring::Ring;
use super::socket::{Mapping, Socket, Statistics, XskError};
use super::umem::{FRAME, Umem, bytes, frame_of};

/// Frames that go back to the kernel together.
const BATCH: u32 = 64;

pub(super) struct Queue {
    fill: Ring<u64>,
    received: Ring<libc::xdp_desc>,
    /// Bytes of a packet that goes on in the next frame.
    begun: Vec<u8>,
    busy: bool,
    /// Descriptors that led outside the memory. Never seen to be other than 0.
    unreadable: u64,
    socket: Socket,
    umem: Umem,
    _mappings: [Mapping; 2],
}

impl Queue {
    /// All frames are with the kernel, and packets come as soon as the program hands them over.
    pub(super) fn open(
        (ifindex, queue): (u32, u32),
        frames: u32,
        segments: bool,
        busy: bool,
    ) -> Result<Self, XskError> {
        let umem = Umem::new(frames).map_err(|_| XskError::Memory {
            bytes: bytes(frames),
            queues: 1,
        })?;
        let socket = Socket::open(&umem)?;
        let mappings = socket.rings(frames)?;
        // SAFETY: the mappings are kept as long as the rings, with as many entries of these types as was asked for; this is
        // our side of both.
        let (mut fill, received) =
            unsafe { (Ring::new(mappings[0].parts), Ring::new(mappings[1].parts)) };
        for number in 0..frames {
            fill.put(number, u64::from(number) * FRAME as u64);
        }
        fill.give(frames);
        socket.bind(ifindex, queue, segments)?;
        if busy {
            socket.poll_busily()?;
        }
        Ok(Queue {
            fill,
            received,
            begun: Vec::new(),
            busy,
            unreadable: 0,
            socket,
            umem,
            _mappings: mappings,
        })
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Hands every packet that is there to `each`, and gives its frames back. Says whether there were any.
    pub(super) fn drain(&mut self, mut each: impl FnMut(&[u8])) -> bool {
        if self.busy {
            self.socket.wake();
        }
        let ready = self.received.ready();
        let mut left = ready;
        while left > 0 {
            let count = left.min(BATCH);
            self.drain_batch(count, &mut each);
            left -= count;
        }
        if self.fill.needs_wakeup() {
            self.socket.wake();
        }
        ready > 0
    }

    fn drain_batch(&mut self, count: u32, each: &mut impl FnMut(&[u8])) {
        // There is: every frame is in one place only.
        let room = self.fill.room();
        for number in 0..count {
            let descriptor = self.received.at(number);
            let goes_on = descriptor.options & libc::XDP_PKT_CONTD != 0;
            match self.umem.packet(descriptor.addr, descriptor.len) {
                Some(bytes) if !goes_on && self.begun.is_empty() => each(bytes),
                Some(bytes) => self.begun.extend_from_slice(bytes),
                None => self.unreadable += 1,
            }
            if !goes_on && !self.begun.is_empty() {
                each(&self.begun);
                self.begun.clear();
            }
            if number < room {
                self.fill.put(number, frame_of(descriptor.addr));
            }
        }
        self.received.take(count);
        self.fill.give(count.min(room));
    }

    /// Packets that it lost since the start; what can't be asked is 0.
    pub(super) fn lost(&self) -> u64 {
        let Statistics { dropped, ring_full } = self.socket.statistics().unwrap_or_default();
        dropped + ring_full + self.unreadable
    }
}
