//! `sensor`: network traffic, counted exactly.
//!
//! Packets come from a [`source`], become [`counters`], and the counters a [`report`]; everything to the right of the
//! counters is a view of one `Report` value. The core has no clock and does no I/O: time is an argument.

pub mod agent;
pub mod chart;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod cost;
pub mod counters;
pub mod dashboard;
pub mod diff;
pub mod doctor;
pub mod enrich;
pub mod escape;
pub mod explain;
pub mod failure;
pub mod filter;
pub mod follow;
pub mod geo;
mod grouped;
pub mod history;
pub mod link;
pub mod memory;
pub mod moment;
pub mod names;
pub mod notify;
pub mod outputs;
pub mod privilege;
pub mod processes;
pub mod report;
pub mod resolve;
pub mod sandbox;
pub mod saved;
pub mod seeds;
pub mod serve;
pub mod sink;
pub mod source;
pub mod status;
pub mod top;
pub mod units;
