//! How long history is kept.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// Of a live run: flows and buckets of all periods, as Parquet.
#[derive(Clone, Debug, Args)]
pub struct History {
    /// Remove history once it is as old as this: 12h, 30d; 0 = never
    #[arg(long, value_name = "TIME", default_value = "366d", value_parser = age)]
    pub keep: Duration,
    /// Remove the oldest history once all of it is larger than this: 500MiB, 10GiB; 0 = never
    #[arg(long, value_name = "SIZE", default_value = "10GiB", value_parser = size)]
    pub keep_size: Size,
    /// Keep no history in --out, reports alone
    #[arg(long, conflicts_with = "parquet")]
    pub no_history: bool,
}

/// Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// Of files and live.
#[derive(Clone, Debug, Default, Args)]
pub struct Parquet {
    /// Keep flows and buckets as Parquet in this folder, beside what is there already; default of `run`: `history` in --out
    #[arg(id = "parquet", long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Time that a row of flows in Parquet is of, a multiple of --interval, 1h at the most; default: 1m of `read`, --interval
    /// of `run`
    #[arg(long, value_name = "TIME", value_parser = row)]
    pub parquet_flows: Option<Duration>,
}

fn row(text: &str) -> Result<Duration, String> {
    super::parse_time(text)
        .filter(|time| (Duration::from_millis(10)..=Duration::from_secs(3600)).contains(time))
        .ok_or_else(|| "it must be from 10ms to 1h, with a unit: 1s, 10s, 1m, 1h".to_owned())
}

fn age(text: &str) -> Result<Duration, String> {
    let parsed = match text.strip_suffix('d') {
        Some(days) => days
            .parse::<u32>()
            .ok()
            .map(|days| Duration::from_secs(u64::from(days) * 86_400)),
        None if text == "0" => Some(Duration::ZERO),
        None => super::parse_time(text),
    };
    parsed
        .filter(|time| *time <= Duration::from_secs(200 * 366 * 86_400))
        .ok_or_else(|| "it must be 0 for ever, or a time with a unit: 12h, 30d, 366d".to_owned())
}

fn size(text: &str) -> Result<Size, String> {
    const UNITS: [(&str, u32); 8] = [
        ("KiB", 10),
        ("MiB", 20),
        ("GiB", 30),
        ("TiB", 40),
        ("K", 10),
        ("M", 20),
        ("G", 30),
        ("T", 40),
    ];
    let (number, shift) = UNITS
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)))
        .unwrap_or((text, 0));
    let bytes = number.trim().parse::<u64>().ok();
    bytes
        .and_then(|bytes| bytes.checked_mul(1 << shift).map(Size))
        .ok_or_else(|| "it must be bytes, or a number with a unit: 500MiB, 10GiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_days_and_sizes_have_units() {
        assert_eq!(age("30d"), Ok(Duration::from_secs(30 * 86_400)));
        assert_eq!(age("90m"), Ok(Duration::from_secs(5400)));
        assert_eq!(age("0"), Ok(Duration::ZERO));
        assert_eq!(size("10GiB"), Ok(Size(10 << 30)));
        assert_eq!(size("512"), Ok(Size(512)));
        for bad in ["", "d", "-1d", "10", "1y", "999999999d"] {
            assert!(age(bad).is_err(), "{bad}");
        }
        for bad in ["", "GiB", "-1", "1.5GiB", "99999999999TiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
