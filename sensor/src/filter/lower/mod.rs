//! What was typed becomes what is meant: each primitive a test, or several, on the packet's outermost headers.
//!
//! The syntax lets much through that has no meaning (`arp port 80`, `ip6 host 10.0.0.1`, port 65536): it is refused here,
//! with the reason, as libpcap does.

mod address;
mod hosts;
mod list;
mod ports;
mod primitive;
mod problem;
mod protocols;
mod relation;
mod simplify;
mod tags;
#[cfg(test)]
mod tests;

use self::problem::Problem;
use super::advice::sound;
use super::ast::{Expr, Id, Primitive, Span};
use super::error::FilterError;
use super::library::Library;
use super::tree::{Test, Tree};

/// The meaning of an expression that was parsed from `text`; `library` has the files of lists.
pub fn lower(expr: &Expr, text: &str, library: &dyn Library) -> Result<Tree, FilterError> {
    meaning(expr, text, library).map_err(|error| sound(error, library))
}

/// Without a look at the advice.
pub(super) fn meaning(expr: &Expr, text: &str, library: &dyn Library) -> Result<Tree, FilterError> {
    let context = Context {
        text,
        origin: None,
        library,
    };
    context.expr(expr)
}

/// Whether a word that means nothing has an explanation of its own.
pub(super) fn is_explained(word: &str) -> bool {
    protocols::is_explained(word)
}

/// What every part of an expression may need.
struct Context<'a> {
    text: &'a str,
    /// The named filter that the text is of.
    origin: Option<String>,
    library: &'a dyn Library,
}

impl Context<'_> {
    fn expr(&self, expr: &Expr) -> Result<Tree, FilterError> {
        match expr {
            Expr::Everything => Ok(Tree::True),
            Expr::Not(inner, _) => Ok(simplify::not(self.expr(inner)?)),
            Expr::And(parts) => Ok(simplify::all(self.exprs(parts)?)),
            Expr::Or(parts) => Ok(simplify::any(self.exprs(parts)?)),
            Expr::Primitive(primitive) => primitive::lower(self, primitive),
            Expr::Relation(relation) => relation::lower(self, relation),
            Expr::Measure {
                measure,
                compare,
                value,
                ..
            } => Ok(Tree::Test(Test::Measure(*measure, *compare, *value))),
            Expr::Named {
                name, text, expr, ..
            } => {
                let inner = Context {
                    text,
                    origin: Some(format!("@{name}")),
                    library: self.library,
                };
                inner.expr(expr)
            }
        }
    }

    fn exprs(&self, parts: &[Expr]) -> Result<Vec<Tree>, FilterError> {
        parts.iter().map(|part| self.expr(part)).collect()
    }

    /// Where the id of a primitive stands, for what is wrong with it alone.
    fn id_span(&self, primitive: &Primitive) -> Span {
        let whole = primitive.span.clone();
        let typed = self.text.get(whole.clone()).unwrap_or_default();
        match primitive.id {
            Id::Number(_) | Id::Range(..) | Id::Text(_) => {
                let last = typed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
                // What is left when there is a blank within quotes or behind a dash is still its end.
                whole.start + last..whole.end
            }
            _ => whole,
        }
    }

    fn error(&self, problem: Problem, span: &Span) -> FilterError {
        FilterError {
            origin: self.origin.clone(),
            ..problem.at(self.text, span)
        }
    }
}
