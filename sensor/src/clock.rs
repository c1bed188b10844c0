//! The edge where time comes in. Everything else takes it as an argument.

/// A moment on both clocks, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since the Unix epoch; may jump.
    pub wall: i64,
    /// Since some start; never jumps.
    pub monotonic: i64,
}

impl Now {
    pub fn read() -> Self {
        Now {
            wall: clock(libc::CLOCK_REALTIME),
            monotonic: clock(libc::CLOCK_MONOTONIC),
        }
    }
}

fn clock(id: libc::clockid_t) -> i64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes one timespec.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    time.tv_sec
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec)
}
