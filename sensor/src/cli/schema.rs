//! Schemas of the JSON that we write.

use clap::{Args, ValueEnum};

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  sensor schema > sensor.report.1.json\n  sensor schema bucket\n  sensor schema diff\nIn words: docs/fields.md"
)]
pub struct Schema {
    /// What it is about: what --json writes, a line of --jsonl, or what doctor --json and diff --json write
    #[arg(value_enum, value_name = "OF", default_value_t = SchemaOf::Report)]
    pub of: SchemaOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    Report,
    Bucket,
    Doctor,
    Diff,
}
