//! How fast datagrams go out. A collector reads them from a buffer of some hundred kilobytes, and what comes while that is full
//! is lost: a minute's flows must not come in a millisecond.

/// What may go out at once, in nanoseconds of the rate.
const BURST: i64 = 10_000_000;

pub(super) struct Pace {
    /// Nanoseconds for each record; `None` = as fast as it goes.
    per_record: Option<i64>,
    /// When all that was let through will have gone out at the rate; nanoseconds, monotonic.
    busy_until: i64,
}

impl Pace {
    /// Records a second, 0 = any number.
    pub(super) fn new(rate: u32) -> Self {
        Pace {
            per_record: (rate > 0).then(|| 1_000_000_000 / i64::from(rate)),
            busy_until: i64::MIN,
        }
    }

    /// How many nanoseconds to wait before a message with this many records may go out.
    pub(super) fn wait(&mut self, records: u32, now: i64) -> i64 {
        let Some(per_record) = self.per_record else {
            return 0;
        };
        let start = self.busy_until.max(now - BURST);
        let wait = (start - now).max(0);
        self.busy_until = start.saturating_add(i64::from(records) * per_record);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_has_more_than_its_rate_and_a_burst() {
        let mut pace = Pace::new(20_000);
        let mut now = 5;
        let start = now;
        let mut sent = 0;
        while now < start + 1_000_000_000 {
            now += pace.wait(19, now);
            sent += 19;
        }
        assert!((20_000..=20_250).contains(&sent), "{sent}");
        // Silence earns no more than a burst: ten milliseconds, 200 records.
        now += 3_600_000_000_000;
        let at_once = (0..1_000).take_while(|_| pace.wait(19, now) == 0).count();
        assert_eq!(at_once, 11);
    }

    #[test]
    fn no_rate_is_no_wait() {
        let mut pace = Pace::new(0);
        assert!((0..10_000).all(|_| pace.wait(1_000, 7) == 0));
    }
}
