//! One filter language for every road: packets in the kernel, from a packet socket and from files, and flows of reports.
//!
//! Text becomes an [`ast`] (grammar), the ast a [`tree`] (meaning), and the tree a plan (what is decided where).
//! `docs/filter.md` is the language on one page.

pub mod ast;
mod error;
mod lexer;
mod library;
mod parser;
pub mod prefix_table;
pub mod program;
pub(crate) mod suggest;
pub mod tree;

pub use error::FilterError;
pub use library::{Library, Nothing};
pub use parser::parse;
