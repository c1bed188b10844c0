//! What the integration crates share: captures made by hand, and what a report must always be.
//!
//! Each crate includes it by `#[path]` and uses its own part of it.
#![allow(dead_code, reason = "every integration crate uses a part of it only")]

pub(crate) mod baseline;
pub(crate) mod browser;
pub(crate) mod capture;
pub(crate) mod collector;
pub(crate) mod document;
pub(crate) mod labels;
pub(crate) mod packets;
pub(crate) mod report;
pub(crate) mod schema;
pub(crate) mod shell;
pub(crate) mod tmux;
