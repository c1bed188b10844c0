//! Filters in the kernel: the same answer as everywhere, and no packet that nobody counts.

mod differential;
mod expressions;
mod frames;
mod refused;
mod reload;
mod roads;
mod segments;
