//! Pages of the manual and completions, for those who make packages.

use std::path::PathBuf;

use clap::Args;

#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  sensor pages /tmp/pages && man /tmp/pages/sensor-run.1")]
pub struct Pages {
    /// Folder for sensor.1, a page for each command, and completions: sensor.bash, _sensor (zsh), sensor.fish
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}
