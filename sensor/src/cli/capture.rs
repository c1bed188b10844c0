//! What may be typed of packets that are written out again, as tcpdump has it.

use std::path::PathBuf;

use clap::Args;

use crate::sink::capture::MOST;

/// Whole packets, of a live run or of other captures.
#[derive(Clone, Debug, Default, Args)]
pub struct Capture {
    /// Write the packets that are counted to a capture file: pcapng; by the ending .pcap; compressed by .zst or .gz;
    /// - is standard output
    #[arg(short = 'w', long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Bytes of each packet that -w writes; 0 = all
    #[arg(short, long, value_name = "BYTES", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=i64::from(MOST)))]
    pub snaplen: u32,
    /// Another file once one is larger than so many millions of bytes (or 500k, 100m, 2g of powers of 1024)
    #[arg(short = 'C', long, value_name = "SIZE", value_parser = size)]
    pub rotate_size: Option<RotateSize>,
    /// Another file after so many seconds; its name may have its time in it: web1-%Y%m%dT%H%M%SZ.pcapng
    #[arg(short = 'G', long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub rotate_seconds: Option<u32>,
    /// With -C: so many files, then the first again; with -G: end after so many
    #[arg(short = 'W', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rotate_count: Option<u32>,
}

/// Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotateSize(pub u64);

fn size(text: &str) -> Result<RotateSize, String> {
    let digits = text.len()
        - text
            .trim_start_matches(|letter: char| letter.is_ascii_digit())
            .len();
    let (number, unit) = text.split_at(digits);
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" => Some(1_000_000),
        "k" | "kb" => Some(1 << 10),
        "m" | "mb" => Some(1 << 20),
        "g" | "gb" => Some(1 << 30),
        _ => None,
    };
    let bytes = number.parse::<u64>().ok().zip(unit);
    bytes
        .and_then(|(number, unit)| number.checked_mul(unit))
        .filter(|bytes| *bytes > 0)
        .map(RotateSize)
        .ok_or_else(|| {
            "it must be a number of millions of bytes, or one with a unit of 1024: 500k, 100m, 2g"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_tcpdump() {
        for (text, bytes) in [
            ("1", 1_000_000),
            ("3k", 3072),
            ("3KB", 3072),
            ("2m", 2 << 20),
            ("1G", 1 << 30),
        ] {
            assert_eq!(size(text), Ok(RotateSize(bytes)), "{text}");
        }
        for bad in ["", "0", "k", "-1", "1.5", "1t", "99999999999g", "1 m"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
