//! Pictures of a report: which protocols, how much over time, and who talked. PNG, drawn from the [`Report`] alone.

mod axis;
mod bandwidth;
mod canvas;
mod font;
mod frame;
mod palette;
mod protocols;
mod talkers;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::report::Report;
use crate::sink::{SinkError, write_atomically};
use frame::{Frame, Size};

#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    #[error("can't make folder {}: {error}", path.display())]
    Folder { path: PathBuf, error: io::Error },
    #[error("can't draw {chart}: {error}")]
    Draw { chart: &'static str, error: String },
    #[error(transparent)]
    Write(#[from] SinkError),
}

/// One chart: its file's name, how large it is for a report, and how it is drawn.
struct Chart {
    name: &'static str,
    size: fn(&Report) -> Size,
    draw: fn(&Report, &Frame) -> frame::Drawn,
}

const CHARTS: [Chart; 3] = [
    Chart {
        name: "protocols.png",
        size: protocols::size,
        draw: protocols::draw,
    },
    Chart {
        name: "bandwidth.png",
        size: bandwidth::size,
        draw: bandwidth::draw,
    },
    Chart {
        name: "talkers.png",
        size: talkers::size,
        draw: talkers::draw,
    },
];

/// Writes all charts into `dir`, which is made if it is not there, and gives their paths.
pub fn write_all(report: &Report, dir: &Path) -> Result<Vec<PathBuf>, ChartError> {
    fs::create_dir_all(dir).map_err(|error| ChartError::Folder {
        path: dir.to_owned(),
        error,
    })?;
    let mut paths = Vec::new();
    for chart in &CHARTS {
        let png = render(chart, report)?;
        let path = dir.join(chart.name);
        write_atomically(&path, |to| to.write_all(&png))?;
        paths.push(path);
    }
    Ok(paths)
}

fn render(chart: &Chart, report: &Report) -> Result<Vec<u8>, ChartError> {
    canvas::png((chart.size)(report), |frame| (chart.draw)(report, frame)).map_err(|error| {
        ChartError::Draw {
            chart: chart.name,
            error,
        }
    })
}
