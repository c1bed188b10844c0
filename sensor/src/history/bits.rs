//! Numbers of so many bits each, one behind the other from the lowest bit on, as all of Parquet's encodings have them.

/// No number has more than `width` bits, 64 at most. The last byte is filled up with zeros.
pub(super) fn pack(values: impl IntoIterator<Item = u64>, width: u32, to: &mut Vec<u8>) {
    let (mut bits, mut filled) = (0u64, 0);
    for value in values {
        bits |= value << filled;
        filled += width;
        if filled >= u64::BITS {
            to.extend(bits.to_le_bytes());
            filled -= u64::BITS;
            // What of the value is not written yet.
            bits = match filled {
                0 => 0,
                _ => value >> (width - filled),
            };
        }
    }
    to.extend(&bits.to_le_bytes()[..filled.div_ceil(8) as usize]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_width_come_out_again() {
        for width in 0..=u64::BITS {
            let most = u64::MAX.checked_shr(u64::BITS - width).unwrap_or(0);
            let numbers: Vec<u64> = (1..=77u64)
                .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) & most)
                .collect();
            let mut bytes = Vec::new();
            pack(numbers.iter().copied(), width, &mut bytes);
            assert_eq!(bytes.len(), (77 * width as usize).div_ceil(8));
            let bit = |at: usize| u64::from(bytes[at / 8] >> (at % 8) & 1);
            for (place, number) in numbers.iter().enumerate() {
                let from = place * width as usize;
                let read = (0..width as usize).map(|n| bit(from + n) << n);
                assert_eq!(read.sum::<u64>(), *number, "{place} of {width} bits");
            }
        }
    }
}
