//! What is wrong with an expression, and where.

use std::fmt;

use super::ast::Span;

/// An error of the language. [`fmt::Display`] shows the text with a caret under the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The text that the place is in: the expression, or the named filter or file that it came from.
    pub text: String,
    /// Where the text came from, if not from the command line: `@web`, `filters.txt`.
    pub origin: Option<String>,
    pub span: Span,
    /// What is wrong: `expected a port after 'port', found 'and'`.
    pub message: String,
    /// What to do: `did you mean 'port'?`.
    pub help: Option<String>,
}

impl std::error::Error for FilterError {}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)
    }
}
