//! From the programs' ticks (jiffies) to wall-clock time.

/// Values of the kernel's HZ in use.
const FREQUENCIES: [u64; 7] = [100, 128, 250, 256, 300, 1000, 1024];

/// A moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub ticks: u32,
    /// Nanoseconds of the monotonic clock.
    pub monotonic: i64,
    /// Nanoseconds since the Unix epoch.
    pub wall: i64,
}

/// Knows how long a tick is, from two moments that lie far enough apart.
#[derive(Clone, Copy, Debug)]
pub struct TickClock {
    start: Moment,
    now: Moment,
    tick: i64,
}

impl TickClock {
    pub fn new(start: Moment) -> Self {
        TickClock {
            start,
            now: start,
            tick: 4_000_000,
        }
    }

    pub fn advance(&mut self, now: Moment) {
        self.now = now;
        let ticks = u64::from(now.ticks.wrapping_sub(self.start.ticks));
        let nanoseconds = u64::try_from(now.monotonic - self.start.monotonic).unwrap_or(0);
        if nanoseconds < 20_000_000 {
            return;
        }
        let measured = ticks.saturating_mul(1_000_000_000) / nanoseconds;
        if let Some(frequency) = FREQUENCIES
            .into_iter()
            .min_by_key(|known| known.abs_diff(measured))
        {
            self.tick = 1_000_000_000 / frequency as i64;
        }
    }

    /// Wall-clock time of a tick in the past, exact to one tick.
    pub fn wall(&self, ticks: u32) -> i64 {
        let ago = self.now.ticks.wrapping_sub(ticks) as i32;
        self.now
            .wall
            .saturating_sub(i64::from(ago).saturating_mul(self.tick))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn the_frequency_is_found_and_ticks_wrap() {
        for frequency in FREQUENCIES {
            let start = Moment {
                ticks: u32::MAX - 3,
                monotonic: 0,
                wall: 1_000 * MS,
            };
            let mut clock = TickClock::new(start);
            let ticks = start.ticks.wrapping_add(frequency as u32);
            clock.advance(Moment {
                ticks,
                monotonic: 1_000 * MS,
                wall: 2_000 * MS,
            });
            let error = clock.wall(start.ticks) - 1_000 * MS;
            assert!(error.abs() < MS, "{frequency} Hz: {error} ns");
            assert_eq!(clock.wall(ticks), 2_000 * MS);
        }
    }

    #[test]
    fn moments_too_close_together_change_nothing() {
        let start = Moment {
            ticks: 5,
            monotonic: 0,
            wall: 0,
        };
        let mut clock = TickClock::new(start);
        clock.advance(Moment {
            ticks: 9,
            monotonic: MS,
            wall: MS,
        });
        assert_eq!(clock.wall(8), MS - 4 * MS);
    }
}
