//! Packets of one interface that come to userspace one by one, by whichever kind of socket.

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use crate::counters::Delta;
use crate::filter::Matcher;
use crate::source::af_packet::{AfPacket, RingError, RingStatistics};
use crate::source::af_xdp::AfXdp;

pub(super) enum Ring {
    Packet(AfPacket),
    Xdp(AfXdp),
}

impl Ring {
    pub(super) fn ifindex(&self) -> u32 {
        match self {
            Ring::Packet(ring) => ring.ifindex(),
            Ring::Xdp(ring) => ring.ifindex(),
        }
    }

    /// What came and what was lost so far.
    pub(super) fn statistics(&self) -> RingStatistics {
        match self {
            Ring::Packet(ring) => ring.statistics(),
            Ring::Xdp(ring) => ring.statistics(),
        }
    }

    /// Keeps as much of each packet as this filter wants, and not less than before.
    pub(super) fn widen(&self, filter: Option<&Matcher>) -> Result<(), RingError> {
        match self {
            Ring::Packet(ring) => ring.widen(filter),
            Ring::Xdp(_) => Ok(()), // has all of it
        }
    }

    /// Decides by this filter from now on, also of packets that are in the ring already: poll first.
    pub(super) fn set_filter(&mut self, filter: Option<Arc<Matcher>>) -> Result<(), RingError> {
        match self {
            Ring::Packet(ring) => ring.set_filter(filter),
            Ring::Xdp(ring) => {
                ring.set_filter(filter);
                Ok(())
            }
        }
    }

    pub(super) fn poll(&mut self, delta: &mut Delta) {
        match self {
            Ring::Packet(ring) => ring.poll(delta),
            Ring::Xdp(ring) => ring.poll(delta),
        }
    }

    /// The sockets that tell when the next packet comes, where the last look found none and they do.
    pub(super) fn when_idle(&self) -> Option<Vec<BorrowedFd<'_>>> {
        match self {
            Ring::Packet(_) => None,
            Ring::Xdp(ring) => ring.when_idle(),
        }
    }

    /// Captures nothing any more, and takes what is left.
    pub(super) fn finish(&mut self, delta: &mut Delta) -> Result<(), RingError> {
        match self {
            Ring::Packet(ring) => ring.finish(delta),
            Ring::Xdp(ring) => {
                ring.finish(delta);
                Ok(())
            }
        }
    }
}
