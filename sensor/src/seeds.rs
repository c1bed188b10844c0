//! Secret numbers for the flow hash.

use sensor_common::flow::HashSeeds;

/// Whoever can't guess them can't craft flows that collide.
pub fn random() -> HashSeeds {
    let mut seeds = HashSeeds::default();
    let bytes = size_of_val(&seeds);
    // SAFETY: the buffer is as long as said.
    let got = unsafe { libc::getrandom(seeds.as_mut_ptr().cast(), bytes, 0) };
    if usize::try_from(got) != Ok(bytes) {
        // Never seen on kernels that this runs on; the address of the stack is random enough to go on with.
        let address = std::ptr::from_ref(&seeds) as u64;
        seeds = std::array::from_fn(|i| {
            address
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(11 * i as u32)
        });
    }
    seeds
}
