//! Numbers as people read them: SI units, thousands separators, durations. Shared by text and charts.

/// `1.23 GB`: three digits that count, decimal (SI) multiples.
pub fn bytes(count: u64) -> String {
    scaled(count as f64, "B")
}

/// `456 Mbit/s`.
pub fn bits_per_sec(rate: f64) -> String {
    scaled(rate, "bit/s")
}

/// `12.3 kpkt/s`.
pub fn packets_per_sec(rate: f64) -> String {
    scaled(rate, "pkt/s")
}

/// `62.3 M`, where a heading says of what.
pub fn short(value: f64) -> String {
    scaled(value, "").trim_end().to_owned()
}

/// `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 packet`, `1,234 packets`.
pub fn packets(number: u64) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} packet{plural}", count(number))
}

/// `12.3 %`; what is not nothing is never shown as nothing, and what is not all never as all.
pub fn percent(value: f64) -> String {
    match value {
        v if v > 0.0 && v < 0.05 => "<0.1 %".into(),
        v if (99.95..100.0).contains(&v) => ">99.9 %".into(),
        v => format!("{v:.1} %"),
    }
}

/// `950 ms`, `12.3 s`, `5 min 3 s`, `2 h 5 min`, `3 d 4 h`.
pub fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return match seconds {
            s if s <= 0.0 => "0 s".into(),
            s if s < 59.95 => scaled_time(s),
            _ => "1 min".into(),
        };
    }
    let whole = seconds.round() as u64;
    let (big, small, unit, sub) = match whole {
        0..3600 => (whole / 60, whole % 60, "min", "s"),
        3600..86_400 => (whole / 3600, whole % 3600 / 60, "h", "min"),
        _ => (whole / 86_400, whole % 86_400 / 3600, "d", "h"),
    };
    match small {
        0 => format!("{} {unit}", count(big)),
        _ => format!("{} {unit} {small} {sub}", count(big)),
    }
}

fn scaled_time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 0.9995 => (s, "s"),
        s if s >= 0.000_999_5 => (s * 1e3, "ms"),
        s if s >= 0.000_000_999_5 => (s * 1e6, "µs"),
        s => (s * 1e9, "ns"),
    };
    if value.fract() == 0.0 {
        return format!("{value:.0} {unit}");
    }
    format!("{} {unit}", three_digits(value))
}

/// Three significant digits and a prefix; whole numbers below 1000 stay whole.
fn scaled(value: f64, unit: &str) -> String {
    const PREFIXES: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    let mut value = value.max(0.0);
    if value > 0.0 && value < 0.005 {
        return format!("<0.01 {unit}");
    }
    let mut place = 0;
    while value >= 999.5 && place + 1 < PREFIXES.len() {
        value /= 1000.0;
        place += 1;
    }
    let prefix = PREFIXES[place];
    if place == 0 && value.fract() == 0.0 {
        return format!("{value:.0} {unit}");
    }
    format!("{} {prefix}{unit}", three_digits(value))
}

fn three_digits(value: f64) -> String {
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_digits_and_round_into_the_next_unit() {
        let pairs = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (9994, "9.99 kB"),
            (9996, "10.0 kB"),
            (99_960, "100 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (1_234_567_890, "1.23 GB"),
            (u64::MAX, "18.4 EB"),
        ];
        for (number, text) in pairs {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn rates() {
        assert_eq!(bits_per_sec(456e6), "456 Mbit/s");
        assert_eq!(bits_per_sec(0.0), "0 bit/s");
        assert_eq!(bits_per_sec(0.034), "0.03 bit/s");
        assert_eq!(bits_per_sec(0.004), "<0.01 bit/s");
        assert_eq!(bits_per_sec(12.34), "12.3 bit/s");
        assert_eq!(packets_per_sec(14_880_952.0), "14.9 Mpkt/s");
        assert_eq!(
            (short(62_345_678.0), short(0.0)),
            ("62.3 M".into(), "0".into())
        );
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        let pairs = [(0, "0"), (999, "999"), (1000, "1,000"), (12_345, "12,345")];
        for (number, text) in pairs {
            assert_eq!(count(number), text);
        }
        assert_eq!(
            (packets(1), packets(0)),
            ("1 packet".into(), "0 packets".into())
        );
        assert_eq!(packets(1234), "1,234 packets");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn percents_round_neither_to_nothing_nor_to_all() {
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(percent(0.01), "<0.1 %");
        assert_eq!(percent(12.34), "12.3 %");
        assert_eq!(percent(99.99), ">99.9 %");
        assert_eq!(percent(100.0), "100.0 %");
    }

    #[test]
    fn durations_choose_two_units() {
        let pairs = [
            (0.0, "0 s"),
            (1.5e-9, "1.50 ns"),
            (1.0, "1 s"),
            (0.25, "250 ms"),
            (0.95, "950 ms"),
            (12.34, "12.3 s"),
            (59.99, "1 min"),
            (60.0, "1 min"),
            (303.0, "5 min 3 s"),
            (7500.0, "2 h 5 min"),
            (273_600.0, "3 d 4 h"),
            (18_446_744_073.0, "213,503 d 23 h"),
        ];
        for (seconds, text) in pairs {
            assert_eq!(duration(seconds), text);
        }
    }
}
