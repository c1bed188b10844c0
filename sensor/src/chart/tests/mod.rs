//! What charts show, whether it fits, and that it stays as it is.

mod labels;
mod pictures;
mod reports;
mod series;
mod snapshots;
