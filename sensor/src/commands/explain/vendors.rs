//! Who made a device, from the lists of MAC prefixes that other packages install. Where there is none, nothing is said.

use std::collections::HashMap;
use std::fs;

use crate::explain::Vendors;

/// IEEE's own text, or tables of `prefix name`.
pub(super) const LISTS: [&str; 5] = [
    "/usr/share/ieee-data/oui.txt",
    "/usr/share/hwdata/oui.txt",
    "/var/lib/ieee-data/oui.txt",
    "/usr/share/nmap/nmap-mac-prefixes",
    "/usr/share/wireshark/manuf",
];
/// The real lists have 2 to 7 MB.
const LARGEST: u64 = 32 << 20;

#[derive(Default)]
pub(super) struct SystemVendors {
    /// Read when the first address asks; `None` inside: there is no list.
    list: Option<Option<Vec<u8>>>,
    known: HashMap<[u8; 3], Option<String>>,
}

impl Vendors for SystemVendors {
    fn vendor(&mut self, prefix: [u8; 3]) -> Option<String> {
        if let Some(known) = self.known.get(&prefix) {
            return known.clone();
        }
        let list = self.list.get_or_insert_with(read);
        let found = list.as_deref().and_then(|list| find(list, prefix));
        self.known.insert(prefix, found.clone());
        found
    }
}

fn read() -> Option<Vec<u8>> {
    LISTS.into_iter().find_map(|path| {
        let metadata = fs::metadata(path).ok()?;
        let fits = metadata.is_file() && metadata.len() <= LARGEST;
        fits.then(|| fs::read(path).ok()).flatten()
    })
}

/// The line that begins with the prefix, however it is written: `00-1B-21   (hex)`, `001B21`, `00:1B:21`.
fn find(list: &[u8], prefix: [u8; 3]) -> Option<String> {
    const LONGEST: usize = 40;
    let [a, b, c] = prefix;
    let plain = format!("{a:02X}{b:02X}{c:02X}");
    list.split(|byte| *byte == b'\n').find_map(|line| {
        let start = String::from_utf8_lossy(line.get(..line.len().min(160))?);
        let (number, name) = start.trim().split_once(char::is_whitespace)?;
        let digits = number.chars().filter(char::is_ascii_hexdigit);
        let same = number.len() <= 8 && digits.map(|c| c.to_ascii_uppercase()).eq(plain.chars());
        let name = name
            .trim()
            .trim_start_matches("(hex)")
            .trim_start_matches("(base 16)");
        // Wireshark has a short name, then a long one.
        let name = name.trim().rsplit('\t').next().unwrap_or(name).trim();
        (same && !name.is_empty()).then(|| name.chars().take(LONGEST).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_found_in_every_kind_of_list() {
        let ieee = b"OUI/MA-L\n00-1B-21   (hex)\t\tIntel Corporate\n001B21     (base 16)\t\tIntel Corporate\n";
        let nmap = b"# comment\n001B20 TPI\n001B21 Intel Corporate\n";
        let wireshark = b"00:1B:21\tIntelCor\tIntel Corporate\n";
        for list in [&ieee[..], nmap, wireshark] {
            let found = find(list, [0x00, 0x1b, 0x21]);
            assert_eq!(found.as_deref(), Some("Intel Corporate"));
            assert_eq!(find(list, [0x00, 0x1b, 0x22]), None);
        }
    }
}
