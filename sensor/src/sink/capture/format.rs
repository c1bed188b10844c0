//! What kind of file a name asks for.

use std::ffi::OsStr;
use std::path::Path;

/// How packets are laid out in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Microseconds are not enough: the variant with nanoseconds.
    Pcap,
    PcapNg,
}

/// How it is made smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

/// By the ending of the name: `.pcap`, or anything else for pcapng; with `.gz` or `.zst` behind it compressed.
pub(super) fn of(path: &Path) -> (Layout, Option<Compression>) {
    let ending = |path: &Path| path.extension().and_then(OsStr::to_str).map(str::to_owned);
    let compression = match ending(path).as_deref() {
        Some("gz") => Some(Compression::Gzip),
        Some("zst") => Some(Compression::Zstd),
        _ => None,
    };
    let inner = match compression {
        Some(_) => path.with_extension(""),
        None => path.to_owned(),
    };
    let layout = match ending(&inner).as_deref() {
        Some("pcap") => Layout::Pcap,
        _ => Layout::PcapNg,
    };
    (layout, compression)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides() {
        for (name, expected) in [
            ("a.pcap", (Layout::Pcap, None)),
            ("a.pcapng", (Layout::PcapNg, None)),
            ("a", (Layout::PcapNg, None)),
            ("-", (Layout::PcapNg, None)),
            ("pcap", (Layout::PcapNg, None)),
            ("x/a.pcap.gz", (Layout::Pcap, Some(Compression::Gzip))),
            ("a.pcapng.zst", (Layout::PcapNg, Some(Compression::Zstd))),
            ("a.zst", (Layout::PcapNg, Some(Compression::Zstd))),
        ] {
            assert_eq!(of(Path::new(name)), expected, "{name}");
        }
    }
}
