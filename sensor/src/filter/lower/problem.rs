//! What is wrong with a word, said where its place is not known yet.

use crate::filter::ast::Span;
use crate::filter::error::{FilterError, LONGEST_TEXT};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Problem {
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Help where there is none yet.
    pub(super) fn or_help(self, help: &str) -> Self {
        match self.help {
            Some(_) => self,
            None => self.help(help),
        }
    }

    /// With its place in `text`.
    pub(super) fn at(self, text: &str, span: &Span) -> FilterError {
        FilterError {
            text: text.to_owned(),
            origin: None,
            span: span.clone(),
            message: shortened(self.message),
            help: self.help.map(shortened),
        }
    }

    /// A whole line of a list.
    pub(super) fn in_line(self, path: &str, number: usize, line: &str) -> FilterError {
        FilterError {
            origin: Some(format!("{path}, line {number}")),
            ..self.at(line, &(0..line.len()))
        }
    }
}

/// What was typed may be long and stands at the start: what is wrong with it, at the end, is kept.
fn shortened(text: String) -> String {
    let length = text.chars().count();
    if length <= LONGEST_TEXT {
        return text;
    }
    let start = text.chars().take(LONGEST_TEXT / 4);
    let end = text.chars().skip(length - LONGEST_TEXT / 2);
    start.chain("...".chars()).chain(end).collect()
}
