//! Where months begin: for axes so long that people count in months and years.

const DAY: i128 = 86_400_000_000_000;

/// Months since the year 0 in which `nanoseconds` since the epoch lie.
pub(super) fn month_of(nanoseconds: i64) -> i64 {
    let days = i128::from(nanoseconds).div_euclid(DAY) as i64;
    // A month has 28 days at least: so this is too early by some, and never too late.
    let mut month = 1970 * 12 + days.div_euclid(31) - if days < 0 { 12 * 12 } else { 0 };
    while day_of(month + 1) <= days {
        month += 1;
    }
    month
}

/// Nanoseconds since the epoch at which the month begins, if they have room.
pub(super) fn start_of(month: i64) -> Option<i64> {
    i64::try_from(i128::from(day_of(month)) * DAY).ok()
}

/// Days from the epoch to the first of the month: Howard Hinnant's `days_from_civil`.
fn day_of(month: i64) -> i64 {
    // Years begin in March, so that the odd day is at their end.
    let march = month - 2;
    let (year, month) = (march.div_euclid(12), march.rem_euclid(12));
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Time;

    #[test]
    fn months_begin_on_their_first_day() {
        for month in (1678 * 12..2262 * 12).step_by(7) {
            let start = start_of(month).unwrap();
            let expected = format!("{:04}-{:02}-01 00:00:00", month / 12, month % 12 + 1);
            assert_eq!(Time(start).strftime("%Y-%m-%d %H:%M:%S"), expected);
            assert_eq!((month_of(start), month_of(start - 1)), (month, month - 1));
        }
        assert_eq!(month_of(i64::MIN), 1677 * 12 + 8);
        assert_eq!(month_of(i64::MAX), 2262 * 12 + 3);
        assert_eq!(start_of(1677 * 12 + 8), None);
    }
}
