//! Numbers: 32 bits as libpcap reads them, and the larger ones with a unit that flows are measured in.

use crate::filter::ast::Id;
use crate::filter::tree::Measure;

/// Digits, or `0x` and hexadecimal digits.
pub(super) fn is_number(word: &str) -> bool {
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(hex) => !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()),
        None => !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// `10`, `192.168`, `10.0.0.1`: one to three dots between decimal numbers, for libpcap; here at least one.
pub(super) fn is_dotted(word: &str) -> bool {
    (2..=4).contains(&word.split('.').count())
        && word
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// Decimal, octal (`017`) or hexadecimal (`0x1f`) in 32 bits; the error as libpcap says it.
pub(super) fn number(word: &str) -> Result<u32, String> {
    let (kind, digits, radix) = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(hex) => ("hexadecimal", hex, 16),
        None if word.len() > 1 && word.starts_with('0') => ("octal", &word[1..], 8),
        None => ("decimal", word, 10),
    };
    if let Some(wrong) = digits.chars().find(|c| !c.is_digit(radix)) {
        return Err(format!("the {kind} number {word} has the digit '{wrong}'"));
    }
    u32::from_str_radix(digits, radix)
        .map_err(|_| format!("the {kind} number {word} does not fit in 32 bits"))
}

/// `1-1023`; ends in the wrong order are turned, as libpcap does. `None` if it is no range of two numbers.
pub(super) fn range(word: &str) -> Option<Result<Id, String>> {
    let (first, last) = word.split_once('-')?;
    if !is_number(first) || !is_number(last) {
        return None;
    }
    Some(number(first).and_then(|first| number(last).map(|last| ordered(first, last))))
}

pub(super) fn ordered(first: u32, last: u32) -> Id {
    Id::Range(first.min(last), first.max(last))
}

/// `10M`, `1.5Gi`, `1000`, `10s`: bytes and packets in ones, durations in nanoseconds.
pub(super) fn quantity(measure: Measure, word: &str) -> Result<u64, String> {
    let digits = word
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(word.len());
    let (amount, unit) = word.split_at(digits);
    let known = units(measure);
    let Some((_, factor)) = known.iter().find(|(name, _)| *name == unit) else {
        let names: Vec<&str> = known
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !name.is_empty())
            .collect();
        return Err(match unit {
            "" => format!("a duration needs a unit: {}", names.join(", ")),
            _ => format!(
                "unknown unit '{unit}', expected one of {}",
                names.join(", ")
            ),
        });
    };
    scaled(amount, *factor).ok_or_else(|| match amount.parse::<f64>() {
        Ok(_) => format!("{word} does not fit in 64 bits"),
        Err(_) => format!("'{amount}' is no number"),
    })
}

/// `90m` of `1h30m`: durations have one unit.
pub(super) fn compound(word: &str) -> Option<String> {
    let (mut rest, mut sum, mut smallest) = (word, 0_u64, "");
    while !rest.is_empty() {
        let unit = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let end = rest[unit..]
            .find(|c: char| !c.is_ascii_alphabetic())
            .map_or(rest.len(), |length| unit + length);
        sum = sum.checked_add(quantity(Measure::Duration, &rest[..end]).ok()?)?;
        smallest = &rest[unit..end];
        rest = &rest[end..];
    }
    let one = quantity(Measure::Duration, &format!("1{smallest}")).ok()?;
    sum.is_multiple_of(one)
        .then(|| format!("{}{smallest}", sum / one))
}

/// Exact, but for digits behind the smallest unit.
fn scaled(amount: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "0"));
    if fraction.is_empty() || fraction.len() > 18 || fraction.contains('.') {
        return None;
    }
    let whole = u128::from(whole.parse::<u64>().ok()?) * u128::from(factor);
    let power = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(factor) / power;
    u64::try_from(whole + part).ok()
}

fn units(measure: Measure) -> &'static [(&'static str, u64)] {
    const MINUTE: u64 = 60_000_000_000;
    match measure {
        Measure::Bytes | Measure::Packets => &[
            ("", 1),
            ("k", 1_000),
            ("K", 1_000),
            ("M", 1_000_000),
            ("G", 1_000_000_000),
            ("T", 1_000_000_000_000),
            ("Ki", 1 << 10),
            ("Mi", 1 << 20),
            ("Gi", 1 << 30),
            ("Ti", 1 << 40),
        ],
        Measure::Duration => &[
            ("ns", 1),
            ("us", 1_000),
            ("ms", 1_000_000),
            ("s", 1_000_000_000),
            ("m", MINUTE),
            ("min", MINUTE),
            ("h", 60 * MINUTE),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_libpcap() {
        assert_eq!(number("0"), Ok(0));
        assert_eq!(number("010"), Ok(8));
        assert_eq!(number("0X1F"), Ok(31));
        assert_eq!(number("4294967295"), Ok(u32::MAX));
        assert_eq!(number("037777777777"), Ok(u32::MAX));
        for (word, error) in [
            (
                "4294967296",
                "the decimal number 4294967296 does not fit in 32 bits",
            ),
            (
                "0x100000000",
                "the hexadecimal number 0x100000000 does not fit in 32 bits",
            ),
            (
                "0040000000000",
                "the octal number 0040000000000 does not fit in 32 bits",
            ),
            ("09", "the octal number 09 has the digit '9'"),
        ] {
            assert_eq!(number(word), Err(error.into()));
        }
    }

    #[test]
    fn quantities_have_units() {
        let bytes = |word| quantity(Measure::Bytes, word);
        assert_eq!(bytes("10000000000"), Ok(10_000_000_000));
        assert_eq!(bytes("10M"), Ok(10_000_000));
        assert_eq!(bytes("1.5Ki"), Ok(1536));
        assert_eq!(bytes("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(bytes("0.1k"), Ok(100));
        assert!(bytes("18446744073709551616").is_err());
        assert!(bytes("20000000T").is_err_and(|error| error.contains("64 bits")));
        assert!(bytes("10s").is_err_and(|error| error.starts_with("unknown unit 's'")));
        assert!(
            bytes("1.2.3").is_err()
                && bytes(".5").is_err()
                && bytes("5.").is_err()
                && bytes("k").is_err()
        );
        let duration = |word| quantity(Measure::Duration, word);
        assert_eq!(duration("1.5s"), Ok(1_500_000_000));
        assert_eq!(duration("2h"), Ok(7_200_000_000_000));
        assert!(duration("10").is_err_and(|error| error.contains("needs a unit")));
    }
}
