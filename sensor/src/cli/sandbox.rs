//! What a command gives up once everything is open.

use clap::Args;

/// Of a live run.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Sandbox {
    #[command(flatten)]
    pub not: NoSandbox,
    /// Give up all capabilities for good: interfaces that come back are not counted, filters can't change
    #[arg(long)]
    pub strict_sandbox: bool,
}

#[derive(Clone, Copy, Debug, Default, Args)]
pub struct NoSandbox {
    /// Give nothing up once everything is open: capabilities, files and system calls stay as they are
    #[arg(long)]
    pub no_sandbox: bool,
}
