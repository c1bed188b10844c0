//! What a run gives up once everything is open.

use clap::Args;

#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Sandbox {
    /// Give nothing up once it counts: capabilities, files and system calls stay as they are
    #[arg(long)]
    pub no_sandbox: bool,
    /// Give up all capabilities for good: interfaces that come back are not counted, filters can't change
    #[arg(long)]
    pub strict_sandbox: bool,
}
