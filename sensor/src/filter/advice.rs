//! Advice that can be followed: what a help says to write is understood, or it isn't said.
//!
//! Helps are put together from what was typed, and that may be wrong in more than one place.

use super::ast::Expr;
use super::error::FilterError;
use super::library::Library;
use super::{lower, parser};

const WRITE: &str = "write '";
const GENERAL: &str = "'host', 'net', 'port' or 'interface' stands before what it names; 'and' or 'or' joins two expressions";

/// The error with a help that is none itself.
pub(super) fn sound(mut error: FilterError, library: &dyn Library) -> FilterError {
    let is_wrong = |help: &String| {
        written(help).is_some_and(|text| !is_understood(text, &WithoutFiles(library)))
    };
    if error.help.as_ref().is_some_and(is_wrong) {
        error.help = Some(GENERAL.into());
    }
    error
}

/// The expression that the help says to write.
fn written(help: &str) -> Option<&str> {
    let text = help.strip_prefix(WRITE)?;
    Some(text.split_once('\'').map_or("", |(text, _)| text))
}

fn is_understood(text: &str, library: &dyn Library) -> bool {
    parser::read(text, library)
        .is_ok_and(|expr| expr != Expr::Everything && lower::meaning(&expr, text, library).is_ok())
}

/// Whether a file can be read is another question.
struct WithoutFiles<'a>(&'a dyn Library);

impl Library for WithoutFiles<'_> {
    fn named(&self, name: &str) -> Option<&str> {
        self.0.named(name)
    }

    fn names(&self) -> Vec<&str> {
        self.0.names()
    }

    fn list(&self, _: &str) -> Result<String, String> {
        Ok(String::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Nothing;

    #[test]
    fn a_help_that_is_a_mistake_is_not_given() {
        let with = |help: &str| FilterError {
            text: String::new(),
            origin: None,
            span: 0..0,
            message: String::new(),
            help: Some(help.into()),
        };
        for help in [
            "write 'port 80' for one",
            "write 'net in file x'",
            "did you mean 'x'?",
        ] {
            assert_eq!(sound(with(help), &Nothing), with(help));
        }
        for help in [
            "write 'prot or 3'",
            "write 'net 10.0.0.0/33'",
            "write ''",
            "write 'port 8",
        ] {
            assert_eq!(sound(with(help), &Nothing), with(GENERAL));
        }
    }
}
