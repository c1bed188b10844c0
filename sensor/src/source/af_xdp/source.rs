//! Counting by AF_XDP sockets, one for each receive queue of a mirror port.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use super::program::Program;
use super::queue::Queue;
use super::socket::{XskError, setup};
use super::umem::{FRAME, ROOM};
use crate::clock::Now;
use crate::counters::Delta;
use crate::filter::Matcher;
use crate::link::{self, Link};
use crate::source::af_packet::{Counter, Frame, RingStatistics};
use crate::source::kernel::drain::grace_period;

/// Frames of a queue where memory allows: at 1.6 million packets a second 16 Ki lost some whenever the scheduler had
/// something else to do, and 64 Ki none.
const MOST_FRAMES: u32 = 1 << 16;
const LEAST_FRAMES: u32 = 1 << 12;
/// Memory of all queues of an interface.
const BUDGET: usize = 512 << 20;
/// Two tags before the MTU's bytes, and the Ethernet header.
const LINK_LAYER: u32 = 14 + 8;
/// Packets are said to have come from another host (`sll_pkttype`).
const OTHER_HOST: u8 = libc::PACKET_OTHERHOST;

/// What sockets are opened for.
pub struct Want {
    pub native: bool,
    pub busy_poll: bool,
    pub counter: Counter,
}

/// One interface.
pub struct AfXdp {
    ifindex: u32,
    arphrd: u16,
    program: Program,
    queues: Vec<Queue>,
    counter: Counter,
    lost: u64,
    received: u64,
    copies_nothing: bool,
    busy_poll: bool,
    /// The last look found nothing.
    idle: bool,
    /// How much memory for how many packets.
    size: String,
}

impl AfXdp {
    pub fn open(link: &Link, want: Want) -> Result<Self, XskError> {
        let count = link::receive_queues(&link.name).unwrap_or(1);
        let frames = frames_of(count);
        let of_all = |error| match error {
            XskError::Memory { bytes, .. } => XskError::Memory {
                bytes: bytes * count as usize,
                queues: count,
            },
            other => other,
        };
        // Packets that span frames keep some drivers from writing into our memory: only where there are any.
        let segments = link.mtu + LINK_LAYER > ROOM as u32;
        let mut program = Program::prepare(count).map_err(setup("making the program's tables"))?;
        let mut queues = Vec::new();
        for number in 0..count {
            let queue = Queue::open((link.index, number), frames, segments, want.busy_poll);
            let queue = queue.map_err(of_all)?;
            program
                .give(number, queue.socket())
                .map_err(setup("handing a socket to the program"))?;
            queues.push(queue);
        }
        program
            .attach(link, want.native, segments)
            .map_err(|error| attaching(error, link, want.native))?;
        Ok(AfXdp {
            ifindex: link.index,
            arphrd: link.arphrd,
            program,
            copies_nothing: queues.iter().all(|queue| queue.socket().copies_nothing()),
            queues,
            counter: want.counter,
            busy_poll: want.busy_poll,
            idle: false,
            lost: 0,
            received: 0,
            size: format!("{count} x {frames} frames of {FRAME} bytes"),
        })
    }

    pub fn ifindex(&self) -> u32 {
        self.ifindex
    }

    /// The driver writes into our memory itself.
    pub fn copies_nothing(&self) -> bool {
        self.copies_nothing
    }

    /// As reports have it.
    pub fn mode(&self) -> &'static str {
        match self.copies_nothing {
            true => "zero-copy",
            false => "copy",
        }
    }

    /// Queues and memory, for people.
    pub fn size(&self) -> &str {
        &self.size
    }

    /// What came and what was lost so far, as a packet socket has it.
    pub fn statistics(&self) -> RingStatistics {
        RingStatistics {
            packets: self.received + self.lost,
            drops: self.lost,
            ..RingStatistics::default()
        }
    }

    /// Decides by this filter from now on, also of packets that are in the rings already: poll first.
    pub fn set_filter(&mut self, filter: Option<Arc<Matcher>>) {
        self.counter.set_filter(filter);
    }

    pub fn poll(&mut self, delta: &mut Delta) {
        // Each ring once, or with busy polling until the driver has no more; so that others have their turn.
        let turns = (0..MOST_TURNS).take_while(|_| self.drain(delta));
        self.idle = turns.count() == 0;
        delta.flush();
        self.note_losses(delta);
    }

    /// The sockets, where nothing came at the last look: they can be read when the next packet is there. Where the driver is
    /// to be polled, nothing comes by itself.
    pub fn when_idle(&self) -> Option<Vec<BorrowedFd<'_>>> {
        let sockets = || self.queues.iter().map(|queue| queue.socket().as_fd());
        (self.idle && !self.busy_poll).then(|| sockets().collect())
    }

    /// Detaches, and takes what is still in the rings.
    pub fn finish(&mut self, delta: &mut Delta) {
        self.program.detach();
        // Programs that run on other CPUs at this moment have handed their packets over by then. Where it is refused
        // (nohz_full), the packets of a moment may be missing.
        let _waited = grace_period();
        while self.drain(delta) {}
        delta.flush();
        self.note_losses(delta);
    }

    /// Says whether there was anything. No packet has a time of its own: they came since the last look, a millisecond ago.
    fn drain(&mut self, delta: &mut Delta) -> bool {
        let time_ns = Now::read().wall;
        let mut any = false;
        for queue in &mut self.queues {
            any |= queue.drain(|data| {
                self.received += 1;
                let frame = Frame {
                    data,
                    len: data.len() as u32,
                    time_ns,
                    ifindex: self.ifindex,
                    arphrd: self.arphrd,
                    packet_type: OTHER_HOST,
                    vlan: None,
                    gso_size: 0,
                    gso_kind: 0,
                };
                self.counter.count(&frame, delta);
            });
        }
        any
    }

    fn note_losses(&mut self, delta: &mut Delta) {
        let queues: u64 = self.queues.iter().map(Queue::lost).sum();
        let lost = queues + self.program.stranded().unwrap_or(0);
        delta.lost("af-xdp", lost.saturating_sub(self.lost));
        self.lost = self.lost.max(lost);
    }
}

/// Turns of one look.
const MOST_TURNS: usize = 4;

/// Bytes that one queue takes where there are few.
pub const MOST_MEMORY: usize = MOST_FRAMES as usize * FRAME;

/// A power of two.
fn frames_of(queues: u32) -> u32 {
    let share = BUDGET / FRAME / queues.max(1) as usize;
    let fits = share.checked_ilog2().map_or(0, |bits| 1 << bits);
    fits.clamp(LEAST_FRAMES, MOST_FRAMES)
}

/// What the errno of a failed attachment means for the user.
fn attaching(error: std::io::Error, link: &Link, native: bool) -> XskError {
    match error.raw_os_error() {
        Some(libc::EBUSY | libc::EEXIST) if link.xdp.is_some() => {
            setup("its XDP hook is taken by another program")(error)
        }
        Some(libc::EOPNOTSUPP) if native => {
            setup("its driver has no native XDP (--xdp-mode generic is slower)")(error)
        }
        Some(libc::ENOSPC) if let Some(why) = link::veth_without_xdp(link) => XskError::Veth(why),
        Some(libc::ENOMEM | libc::ENOSPC) => XskError::NoQueues(error),
        _ => setup("attaching XDP")(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_however_many_queues_there_are() {
        for (queues, frames) in [
            (0, 1 << 16),
            (1, 1 << 16),
            (4, 1 << 16),
            (5, 1 << 15),
            (64, 4096),
        ] {
            assert_eq!(frames_of(queues), frames, "{queues} queues");
        }
    }
}
