//! The decoders of names: what each promises of any bytes, besides that it does not panic.
//!
//! The same bytes give the same result; results and memory are bounded by the length of the input; what is cut off yields
//! part of what the whole yields, where that is promised.

pub mod book;
pub mod dhcp;
pub mod dns;
pub mod expect;
pub mod http;
pub mod quic;
#[cfg(test)]
mod reach;
mod seal;
pub mod signature;
mod talk;
pub mod tls;

/// The input cut off at up to 16 places, the shortest first; where depends on the bytes, so that a fuzzer reaches all.
fn cuts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    const CUTS: usize = 16;
    let step = bytes.len().div_ceil(CUTS).max(1);
    let start = mixed(bytes) as usize % step;
    (start..bytes.len()).step_by(step).map(|len| &bytes[..len])
}

/// A number that depends on all of the bytes (FNV-1a).
fn mixed(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Whether there is nothing, or the same.
fn none_or<T: PartialEq>(cut: &Option<T>, whole: &Option<T>) -> bool {
    cut.is_none() || cut == whole
}

/// Whether the part is one of the input, not only equal to one.
fn lies_in(part: &[u8], bytes: &[u8]) -> bool {
    let (part, bytes) = (part.as_ptr_range(), bytes.as_ptr_range());
    bytes.start <= part.start && part.end <= bytes.end
}
