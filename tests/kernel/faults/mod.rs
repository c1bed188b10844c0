//! What goes wrong around a run, and what is left of its counts: all of them.

mod flood;
mod kill;
mod links;
mod others;
mod stall;
mod streams;
