//! What a run shows to others while it goes on: a page, its report, metrics. Read-only, on loopback unless a token guards it.
//!
//! Each address has a thread with a runtime of its own: the counting waits for no client. [`Board`] stands between: those
//! who count say that there is more, clients ask for the newest, and it is built when somebody looks, once for all of them.

mod board;
mod events;
mod feed;
mod follower;
mod guard;
mod limits;
pub mod metrics;
mod page;
mod server;
#[cfg(test)]
mod tests;
mod token;

pub use board::{Board, Show, Shown};
pub use follower::of_run;
pub use server::{Doors, Server};
pub use token::Token;
