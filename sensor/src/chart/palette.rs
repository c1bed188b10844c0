//! Colours: dark grey ink, and nine that stay apart for colour-blind eyes (Paul Tol's "muted" scheme).

use plotters::style::RGBColor;

pub(super) const INK: RGBColor = RGBColor(0x33, 0x37, 0x3d);
pub(super) const FAINT: RGBColor = RGBColor(0x6b, 0x72, 0x7b);
pub(super) const GRID: RGBColor = RGBColor(0xe3, 0xe6, 0xea);
pub(super) const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);
pub(super) const GAP: RGBColor = RGBColor(0xf1, 0xf2, 0xf4);
pub(super) const LINE: RGBColor = COLOURS[0];
pub(super) const PEAK: RGBColor = COLOURS[6];
pub(super) const SENT: RGBColor = COLOURS[0];
pub(super) const RECEIVED: RGBColor = COLOURS[1];
pub(super) const OTHER: RGBColor = RGBColor(0xbb, 0xbf, 0xc4);

const COLOURS: [RGBColor; 9] = [
    RGBColor(0x33, 0x22, 0x88),
    RGBColor(0x88, 0xcc, 0xee),
    RGBColor(0x44, 0xaa, 0x99),
    RGBColor(0x11, 0x77, 0x33),
    RGBColor(0x99, 0x99, 0x33),
    RGBColor(0xdd, 0xcc, 0x77),
    RGBColor(0xcc, 0x66, 0x77),
    RGBColor(0x88, 0x22, 0x55),
    RGBColor(0xaa, 0x44, 0x99),
];

/// How many protocols can be told apart by colour.
pub(super) const MOST: usize = COLOURS.len();

/// Colours for `names`, all different up to [`MOST`] of them. A name has the same colour in every chart, unless a name
/// before it has taken that.
pub(super) fn of_protocols(names: &[&str]) -> Vec<RGBColor> {
    let mut taken = [false; MOST];
    let mut choose = |name: &&str| {
        if *name == "other" {
            return OTHER;
        }
        let wanted = favourite(name);
        let free = (0..MOST)
            .map(|step| (wanted + step) % MOST)
            .find(|place| !taken[*place]);
        let place = free.unwrap_or(wanted);
        taken[place] = true;
        COLOURS[place]
    };
    names.iter().map(&mut choose).collect()
}

/// The protocols that are seen most have colours of their own, the rest share by a hash of the name.
fn favourite(name: &str) -> usize {
    const COMMON: [&str; MOST] = [
        "https", "quic", "http", "tcp", "udp", "dns", "ssh", "icmp", "smb",
    ];
    let hash = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    COMMON
        .iter()
        .position(|common| *common == name)
        .unwrap_or_else(|| name.bytes().fold(0x811c_9dc5, hash) as usize % MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_fixed_and_never_shared_while_there_are_enough() {
        let of = |names: &[&str]| -> Vec<(u8, u8, u8)> {
            let colours = of_protocols(names);
            colours.iter().map(|c| (c.0, c.1, c.2)).collect()
        };
        assert_eq!(of(&["dns", "https"]), {
            let mut turned = of(&["https", "dns"]);
            turned.reverse();
            turned
        });
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "other"];
        let mut colours = of(&names);
        colours.sort_unstable();
        colours.dedup();
        assert_eq!(colours.len(), names.len());
        assert_eq!(of(&names), of(&names));
    }
}
