//! Colours of the light and the dark theme: ink, paper, and nine that stay apart for colour-blind eyes.

use plotters::style::RGBColor;

/// All colours of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Palette {
    pub(super) ink: RGBColor,
    pub(super) faint: RGBColor,
    pub(super) grid: RGBColor,
    pub(super) paper: RGBColor,
    /// Behind the time in which nobody looked.
    pub(super) gap: RGBColor,
    pub(super) other: RGBColor,
    colours: [RGBColor; MOST],
}

/// How many protocols can be told apart by colour.
pub(super) const MOST: usize = 9;

/// Paul Tol's "muted" scheme.
pub(super) const LIGHT: Palette = Palette {
    ink: RGBColor(0x2b, 0x2f, 0x36),
    faint: RGBColor(0x60, 0x67, 0x70),
    grid: RGBColor(0xe3, 0xe6, 0xea),
    paper: RGBColor(0xff, 0xff, 0xff),
    gap: RGBColor(0xee, 0xef, 0xf1),
    other: RGBColor(0xd0, 0xd3, 0xd7),
    colours: [
        RGBColor(0x33, 0x22, 0x88),
        RGBColor(0x88, 0xcc, 0xee),
        RGBColor(0x44, 0xaa, 0x99),
        RGBColor(0x11, 0x77, 0x33),
        RGBColor(0x99, 0x99, 0x33),
        RGBColor(0xdd, 0xcc, 0x77),
        RGBColor(0xcc, 0x66, 0x77),
        RGBColor(0x88, 0x22, 0x55),
        RGBColor(0xaa, 0x44, 0x99),
    ],
};

/// The same hues, moved until they are as far apart on dark paper.
pub(super) const DARK: Palette = Palette {
    ink: RGBColor(0xe6, 0xe9, 0xed),
    faint: RGBColor(0x9d, 0xa5, 0xaf),
    grid: RGBColor(0x2e, 0x34, 0x3c),
    paper: RGBColor(0x15, 0x19, 0x1f),
    gap: RGBColor(0x24, 0x29, 0x30),
    other: RGBColor(0x7a, 0x82, 0x8c),
    colours: [
        RGBColor(0x63, 0x6e, 0xf9),
        RGBColor(0x91, 0xe6, 0xfd),
        RGBColor(0x4f, 0xcf, 0xae),
        RGBColor(0x2b, 0x73, 0x21),
        RGBColor(0x8c, 0xb6, 0x35),
        RGBColor(0xde, 0xea, 0x92),
        RGBColor(0xda, 0x86, 0x70),
        RGBColor(0x8e, 0x4b, 0xa2),
        RGBColor(0xb6, 0x98, 0xff),
    ],
};

impl Palette {
    /// Of a line that has no rival, and of what comes in.
    pub(super) fn line(&self) -> RGBColor {
        self.colours[0]
    }

    pub(super) fn egress(&self) -> RGBColor {
        self.colours[2]
    }

    pub(super) fn peak(&self) -> RGBColor {
        self.colours[6]
    }

    pub(super) fn sent(&self) -> RGBColor {
        self.colours[0]
    }

    pub(super) fn received(&self) -> RGBColor {
        self.colours[1]
    }

    /// Colours for `names`, all different up to [`MOST`] of them. A name has the same colour in every chart, unless a
    /// name before it has taken that.
    pub(super) fn of_protocols(&self, names: &[&str]) -> Vec<RGBColor> {
        let mut taken = [false; MOST];
        let mut choose = |name: &&str| {
            if *name == "other" {
                return self.other;
            }
            let wanted = favourite(name);
            let free = (0..MOST)
                .map(|step| (wanted + step) % MOST)
                .find(|place| !taken[*place]);
            let place = free.unwrap_or(wanted);
            taken[place] = true;
            self.colours[place]
        };
        names.iter().map(&mut choose).collect()
    }
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
#[path = "palette_tests.rs"]
mod tests;
