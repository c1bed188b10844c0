//! Options of the pictures.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

#[derive(Clone, Debug, PartialEq, Args)]
pub struct Charts {
    /// Write charts: protocols, bandwidth (also by protocol), packets, talkers
    #[arg(long = "charts", value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Formats of the charts
    #[arg(long = "chart-format", value_enum, value_name = "FORMAT", value_delimiter = ',', default_values_t = [ChartFormat::Png, ChartFormat::Svg])]
    pub formats: Vec<ChartFormat>,
    /// Colours of the charts; dark ones have `-dark` in their names
    #[arg(long = "chart-theme", value_enum, value_name = "THEME", default_value_t = ChartTheme::Light)]
    pub theme: ChartTheme,
    /// Width and height of every chart in pixels at 96 dots per inch; default: each its own, talkers as high as their list
    #[arg(long = "chart-size", value_name = "WxH")]
    pub size: Option<ChartSize>,
    /// Dots per inch of PNG; 96 = one pixel of the file for one of the size
    #[arg(long = "chart-dpi", value_name = "N", default_value_t = 192, value_parser = clap::value_parser!(u32).range(48..=600))]
    pub dpi: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ChartFormat {
    Png,
    Svg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ChartTheme {
    Light,
    Dark,
    Both,
}

/// `900x420`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChartSize {
    pub width: u32,
    pub height: u32,
}

impl FromStr for ChartSize {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once(['x', 'X', '×']);
        let parsed = parts.and_then(|(width, height)| {
            let width = width.trim().parse().ok()?;
            let height = height.trim().parse().ok()?;
            Some(ChartSize { width, height })
        });
        parsed
            .filter(|size| {
                (480..=4000).contains(&size.width) && (270..=4000).contains(&size.height)
            })
            .ok_or("it must be width and height, from 480x270 to 4000x4000: 900x420")
    }
}

impl fmt::Display for ChartSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_two_numbers_in_a_range() {
        let size = ChartSize {
            width: 900,
            height: 420,
        };
        assert_eq!("900x420".parse(), Ok(size));
        assert_eq!(size.to_string(), "900x420");
        for bad in [
            "", "900", "900x", "x420", "479x420", "900x269", "4001x400", "-900x420", "9e2x420",
        ] {
            assert!(bad.parse::<ChartSize>().is_err(), "{bad}");
        }
    }
}
