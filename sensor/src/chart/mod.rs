//! Pictures of a report: which protocols, how much over time, and who talked. PNG and SVG, drawn from the [`Report`] alone:
//! the same report gives the same bytes, on every machine.

mod axis;
mod calendar;
mod canvas;
mod font;
mod frame;
mod palette;
mod plot;
mod png;
mod protocols;
mod rates;
mod scene;
mod series;
mod stacked;
mod svg;
mod talkers;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::escape;
use crate::report::Report;
use crate::sink::{SinkError, write_atomically};
use canvas::Canvas;
use frame::{Frame, Size};
use palette::Palette;
use scene::Scene;

#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    #[error("can't make folder {}: {error}", escape::path(path))]
    Folder { path: PathBuf, error: io::Error },
    #[error("can't draw the chart {chart}: {error}")]
    Draw { chart: &'static str, error: String },
    #[error(transparent)]
    Write(#[from] SinkError),
}

/// How charts are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub formats: Vec<Format>,
    pub themes: Vec<Theme>,
    /// Width and height in logical pixels; without it each chart has its own.
    pub size: Option<(u32, u32)>,
    /// Of PNG; at 96 a logical pixel is one of the file.
    pub dpi: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            formats: vec![Format::Png, Format::Svg],
            themes: vec![Theme::Light],
            size: None,
            dpi: 192,
        }
    }
}

impl Options {
    /// What stands in the way of drawing at all.
    pub fn check(&self) -> Result<(), String> {
        match self.size {
            Some((width, height)) if self.formats.contains(&Format::Png) => {
                png::check(png::pixels(width, height, self.dpi))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Png,
    Svg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Format::Png => "png",
            Format::Svg => "svg",
        }
    }
}

impl Theme {
    fn palette(self) -> &'static Palette {
        match self {
            Theme::Light => &palette::LIGHT,
            Theme::Dark => &palette::DARK,
        }
    }

    /// In names of files.
    fn suffix(self) -> &'static str {
        match self {
            Theme::Light => "",
            Theme::Dark => "-dark",
        }
    }
}

/// One chart: its file's name, its own size, and how it is drawn.
struct Chart {
    name: &'static str,
    size: fn(&Report) -> Size,
    draw: fn(&Report, &Frame) -> frame::Drawn,
}

const CHARTS: [Chart; 5] = [
    Chart {
        name: "protocols",
        size: protocols::size,
        draw: protocols::draw,
    },
    Chart {
        name: "bandwidth",
        size: rates::size,
        draw: rates::bandwidth,
    },
    Chart {
        name: "bandwidth-by-protocol",
        size: rates::size,
        draw: stacked::draw,
    },
    Chart {
        name: "packets",
        size: rates::size,
        draw: rates::packets,
    },
    Chart {
        name: "talkers",
        size: talkers::size,
        draw: talkers::draw,
    },
];

/// Writes all charts into `dir`, which is made if it is not there, and gives their paths.
pub fn write_all(
    report: &Report,
    dir: &Path,
    options: &Options,
) -> Result<Vec<PathBuf>, ChartError> {
    fs::create_dir_all(dir).map_err(|error| ChartError::Folder {
        path: dir.to_owned(),
        error,
    })?;
    let mut paths = Vec::new();
    for chart in &CHARTS {
        for theme in &options.themes {
            let scene = scene(chart, report, *theme, options.size)?;
            for format in &options.formats {
                let bytes =
                    encode(&scene, *format, options.dpi).map_err(|error| chart.error(error))?;
                let name = format!("{}{}.{}", chart.name, theme.suffix(), format.ending());
                let path = dir.join(name);
                write_atomically(&path, |to| to.write_all(&bytes))?;
                paths.push(path);
            }
        }
    }
    Ok(paths)
}

fn encode(scene: &Scene, format: Format, dpi: u32) -> Result<Vec<u8>, String> {
    match format {
        Format::Png => png::encode(scene, dpi),
        Format::Svg => Ok(svg::encode(scene).into_bytes()),
    }
}

impl Chart {
    fn error(&self, error: String) -> ChartError {
        ChartError::Draw {
            chart: self.name,
            error,
        }
    }
}

fn scene(
    chart: &Chart,
    report: &Report,
    theme: Theme,
    size: Option<(u32, u32)>,
) -> Result<Scene, ChartError> {
    let own = (chart.size)(report);
    let (width, height) = size.unwrap_or((own.width, own.height));
    let palette = theme.palette();
    let mut scene = Scene {
        width,
        height,
        paper: palette.paper,
        title: String::new(),
        shapes: Vec::new(),
    };
    let frame = Frame::new(Canvas { scene: &mut scene }, palette);
    let drawn = (chart.draw)(report, &frame);
    drop(frame);
    drawn.map_err(|error| chart.error(error.to_string()))?;
    scene.title = scene.said();
    Ok(scene)
}
