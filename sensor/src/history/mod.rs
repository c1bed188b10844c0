//! History: what was counted, kept as Parquet, and read again into the same [`Delta`] that every output is made of.
//!
//! # Writing
//!
//! [`Writer::part`] takes in each interval of a run, [`Writer::commit`] writes what came since the last one as a *set*: four
//! files, one in each of the tables `flows`, `buckets`, `accounting` and `names`, in the folder of the sensor's hour. A set is
//! there when all four are; nobody reads less.
//!
//! # Reading
//!
//! ```no_run
//! # use sensor::history::{self, Asked};
//! # fn example(config: sensor::counters::DeltaConfig) -> Result<(), history::HistoryError> {
//! let asked = Asked { from: None, to: None, config, by_flow: false, top_n: 10 };
//! let opened = history::open(&["reports".into()], &asked)?;
//! let report = sensor::report::build(&opened.delta, &opened.context);
//! # Ok(()) }
//! ```
//!
//! [`open`] takes folders: what `--parquet` was given, what `--out` was given (it has a folder `history`), or a single file of
//! a set; several sensors and runs are merged. `delta` is flushed and settled, with a trail where `config` asks for one, so
//! [`Delta::select`] works. [`Opened::troubles`] are sets that could not be read, which are left out whole: say them, and exit
//! with [`crate::failure::Exit::Input`]. [`is_history`] tells whether a path is for [`open`] or a report in JSON.

mod bits;
mod columns;
mod decode;
mod details;
mod encode;
mod flows;
mod gather;
mod keeper;
mod load;
mod merge;
mod meta;
mod name;
mod numbers;
mod open;
mod order;
mod pages;
mod parts;
mod places;
mod plan;
mod rows;
mod runs;
mod schema;
mod settle;
mod slots;
mod store;
mod summary;
mod tend;
#[cfg(test)]
mod tests;
mod words;
mod writer;

use std::io;
use std::path::PathBuf;

pub use keeper::Keeper;
pub use meta::Dropped;
pub use open::{Asked, Opened, is_history, open};
pub use plan::Policy;
pub use writer::{Beside, Config, Lengths, Writer, Written};

use crate::escape;
use crate::sink::SinkError;

#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("can't read {}: {error}", escape::path(path))]
    Read { path: PathBuf, error: io::Error },
    #[error("{} is damaged: {what}", escape::path(path))]
    Damaged { path: PathBuf, what: String },
    #[error(
        "{} is no file of sensor's history: it lacks the metadata `{}`",
        escape::path(path),
        meta::KEY
    )]
    NotHistory { path: PathBuf },
    #[error(
        "{} has schema {schema:?}, and this sensor reads {:?}: use a newer one",
        escape::path(path),
        meta::SCHEMA
    )]
    Schema { path: PathBuf, schema: String },
    #[error(
        "no history in {}: name the folder that --parquet or --out was given",
        escape::path(path)
    )]
    Nothing { path: PathBuf },
    #[error("can't write {} as Parquet: {what}", escape::path(path))]
    Encode { path: PathBuf, what: String },
    #[error("can't remove {}: {error}", escape::path(path))]
    Remove { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Sink(SinkError),
}
