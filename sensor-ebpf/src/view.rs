//! Two ways to read a packet's headers in the kernel: in place, and from a copy where they are not linear in memory.

use aya_ebpf::bindings::{__sk_buff, xdp_md};
use sensor_common::view::{HEADER_WINDOW, PacketView};

/// Offsets that `forget` hands out are below this; no header walk gets that far (one extension header is 2048 at most).
const OFFSET_MASK: usize = 4095;
/// Length of the buffer for copies. Only the first HEADER_WINDOW bytes are used; the rest is for the verifier, which does
/// not connect a checked offset with a pointer that LLVM made of it before: it must see room for any offset.
pub(crate) const SCRATCH_LEN: usize = 8192;

/// A program's context.
pub(crate) trait Context: Copy {
    /// Any field whose value the verifier does not know.
    fn unknown(self) -> u32;
}

impl Context for *mut xdp_md {
    #[inline(always)]
    fn unknown(self) -> u32 {
        // SAFETY: the context is live while the program runs.
        unsafe { (&raw const (*self).rx_queue_index).read_volatile() }
    }
}

impl Context for *mut __sk_buff {
    #[inline(always)]
    fn unknown(self) -> u32 {
        // SAFETY: the context is live while the program runs.
        unsafe { (&raw const (*self).len).read_volatile() }
    }
}

/// The linear part of a packet.
pub(crate) struct Direct<C> {
    pub(crate) data: usize,
    pub(crate) data_end: usize,
    pub(crate) context: C,
}

impl<C: Context> PacketView for Direct<C> {
    #[inline(always)]
    fn at<const N: usize>(&self, offset: usize) -> Option<&[u8; N]> {
        if offset > HEADER_WINDOW - N {
            return None;
        }
        let start = self.data + offset;
        if start + N > self.data_end {
            return None;
        }
        // SAFETY: the range was compared with the packet's end; the verifier checks that it was.
        Some(unsafe { &*(start as *const [u8; N]) })
    }

    #[inline(always)]
    fn forget(&self, offset: usize) -> usize {
        forget(offset, self.context)
    }
}

/// A copy of the first bytes, in a map.
pub(crate) struct Copied<C> {
    pub(crate) bytes: *const u8,
    pub(crate) len: usize,
    pub(crate) context: C,
}

impl<C: Context> PacketView for Copied<C> {
    #[inline(always)]
    fn at<const N: usize>(&self, offset: usize) -> Option<&[u8; N]> {
        if offset > HEADER_WINDOW - N || offset + N > self.len {
            return None;
        }
        // SAFETY: the map's value is SCRATCH_LEN bytes long.
        Some(unsafe { &*self.bytes.add(offset).cast::<[u8; N]>() })
    }

    #[inline(always)]
    fn forget(&self, offset: usize) -> usize {
        forget(offset, self.context)
    }
}

/// The difference of two reads of one field is 0; the verifier can't know that.
#[inline(always)]
fn forget<C: Context>(offset: usize, context: C) -> usize {
    (offset + context.unknown() as usize - context.unknown() as usize) & OFFSET_MASK
}
