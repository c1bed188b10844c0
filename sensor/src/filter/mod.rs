//! One filter language for every road: packets in the kernel, from a packet socket and from files, and flows of reports.
//!
//! Text becomes an [`ast`] (grammar), the ast a [`tree`] (meaning), and the tree a plan (what is decided where).
//! `docs/filter.md` is the language on one page.

mod advice;
pub mod ast;
mod capability;
mod compile;
mod error;
pub mod evaluate;
mod expression;
pub mod flow;
mod lexer;
mod library;
mod lower;
#[cfg(test)]
mod naive;
pub mod names;
mod normal;
mod parser;
pub mod plan;
pub mod prefix_table;
mod print;
pub mod program;
pub mod selection;
pub(crate) mod suggest;
pub mod tree;

pub use capability::{kernel_refuses, reads_tags};
pub use compile::TooBig;
pub use error::FilterError;
pub use evaluate::Matcher;
pub use expression::Filter;
pub use library::{Library, Nothing};
pub use lower::lower;
pub use parser::parse;
pub use plan::Plan;
pub use selection::Selection;
