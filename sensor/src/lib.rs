pub mod counters;
pub mod link;
