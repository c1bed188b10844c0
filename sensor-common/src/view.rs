//! How the parser reads a packet: one trait, so that the same lines run over packet pointers in the kernel and over
//! slices in userspace.

/// Headers are read within this many bytes from the start of the packet, on every road. The kernel's fallback copy is
/// this long, and the verifier needs a bound on offsets; 512 bytes hold any stack of headers seen in practice.
pub const HEADER_WINDOW: usize = 512;

/// Bytes of one packet, as far as they were captured.
pub trait PacketView {
    /// `N` bytes (two or more: LLVM writes the bounds check of a single byte in a form that the verifier can't read)
    /// from `offset` on, or `None` where they are not all there or lie beyond [`HEADER_WINDOW`].
    fn at<const N: usize>(&self, offset: usize) -> Option<&[u8; N]>;

    /// The same offset, of which the verifier knows only that it is within [`HEADER_WINDOW`].
    ///
    /// The verifier follows every known value of an offset separately; after optional headers of different lengths that
    /// multiplies the paths it must walk. Userspace has nothing to forget.
    #[inline(always)]
    fn forget(&self, offset: usize) -> usize {
        offset
    }
}

/// A packet in memory.
#[derive(Clone, Copy, Debug)]
pub struct SliceView<'a>(pub &'a [u8]);

impl PacketView for SliceView<'_> {
    #[inline(always)]
    fn at<const N: usize>(&self, offset: usize) -> Option<&[u8; N]> {
        if offset > HEADER_WINDOW - N {
            return None;
        }
        self.0.get(offset..)?.first_chunk()
    }
}

/// The big-endian 16-bit number at `index`. `index + 2 <= N` is checked when it is compiled.
#[inline(always)]
pub fn be16<const INDEX: usize, const N: usize>(bytes: &[u8; N]) -> u16 {
    u16::from_be(word::<u16, INDEX, N>(bytes))
}

/// Four bytes at `INDEX` as they lie in memory (native order).
#[inline(always)]
pub fn raw32<const INDEX: usize, const N: usize>(bytes: &[u8; N]) -> u32 {
    word::<u32, INDEX, N>(bytes)
}

/// Eight bytes at `INDEX` as they lie in memory (native order).
#[inline(always)]
pub fn raw64<const INDEX: usize, const N: usize>(bytes: &[u8; N]) -> u64 {
    word::<u64, INDEX, N>(bytes)
}

#[inline(always)]
fn word<T: Copy, const INDEX: usize, const N: usize>(bytes: &[u8; N]) -> T {
    const { assert!(INDEX + size_of::<T>() <= N) };
    let pointer = bytes.as_ptr().wrapping_add(INDEX).cast::<T>();
    // LLVM's BPF backend turns a read that may be unaligned into single bytes and shifts, which costs more than the
    // whole flow lookup (measured: +20 ns); the kernel's BPF machine reads unaligned words as one load.
    #[cfg(target_arch = "bpf")]
    // SAFETY: the range is inside `bytes` (asserted above), T is a plain integer, and BPF loads need no alignment.
    return unsafe { *pointer };
    #[cfg(not(target_arch = "bpf"))]
    // SAFETY: the range is inside `bytes` (asserted above) and T is a plain integer.
    return unsafe { pointer.read_unaligned() };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_gives_only_what_it_has() {
        let view = SliceView(&[1, 2, 3, 4]);
        assert_eq!(view.at::<4>(0), Some(&[1, 2, 3, 4]));
        assert_eq!(view.at::<4>(1), None);
        assert_eq!(view.at::<2>(4), None);
        assert_eq!(view.at::<2>(usize::MAX - 1), None);
    }

    #[test]
    fn nothing_is_read_beyond_the_window() {
        let long = [7; HEADER_WINDOW + 8];
        let view = SliceView(&long);
        assert!(view.at::<8>(HEADER_WINDOW - 8).is_some());
        assert!(view.at::<8>(HEADER_WINDOW - 7).is_none());
    }

    #[test]
    fn words_are_read_in_the_right_order() {
        let bytes = [0x12, 0x34, 0x56, 0x78, 1, 2, 3, 4, 5];
        assert_eq!(be16::<0, 9>(&bytes), 0x1234);
        assert_eq!(raw32::<1, 9>(&bytes).to_ne_bytes(), [0x34, 0x56, 0x78, 1]);
        assert_eq!(
            raw64::<1, 9>(&bytes).to_ne_bytes(),
            [0x34, 0x56, 0x78, 1, 2, 3, 4, 5]
        );
    }
}
