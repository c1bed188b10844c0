//! The memory that packets arrive in, cut into frames of one size.

use std::io;
use std::ptr::{self, NonNull};

/// A frame has room for a header of the kernel's and this much of a packet: all of it, but for jumbo frames.
pub(super) const FRAME: usize = 2048;
/// Bytes before each packet that are the kernel's (XDP_PACKET_HEADROOM).
const HEADROOM: usize = 256;
pub(super) const ROOM: usize = FRAME - HEADROOM;

pub(super) struct Umem {
    memory: NonNull<u8>,
    frames: u32,
}

// SAFETY: the mapping belongs to this value alone and isn't tied to a thread.
unsafe impl Send for Umem {}

impl Umem {
    pub(super) fn new(frames: u32) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let memory = unsafe { libc::mmap(ptr::null_mut(), bytes(frames), access, kind, -1, 0) };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Umem { memory, frames })
    }

    pub(super) fn frames(&self) -> u32 {
        self.frames
    }

    pub(super) fn address(&self) -> u64 {
        self.memory.as_ptr() as u64
    }

    pub(super) fn bytes(&self) -> usize {
        bytes(self.frames)
    }

    /// Bytes of a packet; `None` where they don't lie within the memory.
    pub(super) fn packet(&self, at: u64, len: u32) -> Option<&[u8]> {
        let at = usize::try_from(at).ok()?;
        let end = at.checked_add(len as usize)?;
        if end > self.bytes() {
            return None;
        }
        // SAFETY: the range lies within the mapping, which lives as long as self; the kernel does not write to a frame
        // between handing it over and getting it back, which takes self's queue exclusively.
        Some(unsafe { std::slice::from_raw_parts(self.memory.as_ptr().add(at), len as usize) })
    }
}

/// Where the frame begins that holds this address.
pub(super) fn frame_of(at: u64) -> u64 {
    at / FRAME as u64 * FRAME as u64
}

pub(super) fn bytes(frames: u32) -> usize {
    frames as usize * FRAME
}

impl Drop for Umem {
    fn drop(&mut self) {
        // SAFETY: the mapping was made with this address and length, and nothing can refer to it any more. The kernel keeps
        // the pages that it still needs.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.bytes()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_memory_is_a_packet() {
        let umem = Umem::new(2).unwrap();
        let end = umem.bytes() as u64;
        assert_eq!(umem.packet(256, 4).unwrap(), [0; 4]);
        assert!(umem.packet(end - 4, 4).is_some());
        for (at, len) in [(end - 3, 4), (end, 1), (u64::MAX, 1), (u64::MAX, u32::MAX)] {
            assert!(umem.packet(at, len).is_none(), "{at} {len}");
        }
        assert_eq!(frame_of(FRAME as u64 + 256), FRAME as u64);
    }
}
