//! From the programs' ticks (jiffies) to wall-clock time.

/// A moment on both clocks, and how long a tick is.
#[derive(Clone, Copy, Debug)]
pub struct TickClock {
    ticks: u32,
    /// Nanoseconds since the Unix epoch.
    wall: i64,
    /// Nanoseconds.
    tick: i64,
}

impl TickClock {
    /// `ticks` and `wall` are the same moment.
    pub fn new(ticks: u32, wall: i64, tick: i64) -> Self {
        TickClock { ticks, wall, tick }
    }

    pub fn advance(&mut self, ticks: u32, wall: i64) {
        (self.ticks, self.wall) = (ticks, wall);
    }

    /// Wall-clock time of a tick less than 2^31 ticks away, exact to one tick.
    pub fn wall(&self, ticks: u32) -> i64 {
        let ago = self.ticks.wrapping_sub(ticks) as i32;
        let ago = i64::from(ago).saturating_mul(self.tick);
        self.wall.saturating_sub(ago)
    }
}

/// How long a tick is: the coarse clocks advance once a tick, and say so.
pub(super) fn tick() -> i64 {
    let mut resolution = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes one timespec.
    unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC_COARSE, &raw mut resolution) };
    resolution.tv_nsec.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn ticks_wrap_and_may_lie_ahead() {
        let mut clock = TickClock::new(u32::MAX - 3, 1_000 * MS, 4 * MS);
        assert_eq!(clock.wall(u32::MAX - 3), 1_000 * MS);
        assert_eq!(clock.wall(u32::MAX - 5), 992 * MS);
        assert_eq!(clock.wall(2), 1_024 * MS);
        clock.advance(2, 5_000 * MS);
        assert_eq!(clock.wall(u32::MAX - 3), 4_976 * MS);
    }

    #[test]
    fn a_tick_is_that_of_a_frequency_in_use() {
        let frequency = 1_000_000_000 / tick();
        assert!((24..=1024).contains(&frequency), "{frequency} Hz");
    }
}
