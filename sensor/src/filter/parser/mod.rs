//! Words to an expression, by the grammar of pcap-filter(7) and what goes beyond it.
//!
//! Recursive descent with the habits of libpcap's grammar: `and` and `or` bind equally tight, what follows them may be
//! an id alone that inherits the qualifiers before it, and parentheses are transparent to that. A parenthesis may turn
//! out to hold an expression or a number (`(80 or 443)`, `(ip[0] & 15) * 4 = 20`), so both are read by one function.

mod constants;
mod id;
mod misplaced;
mod mistakes;
mod named;
mod number;
mod primitive;
mod relation;
mod set;
#[cfg(test)]
mod tests;
mod unknown;
mod wireshark;
mod words;

use super::advice::sound;
use super::ast::{Expr, MAX_DEPTH, Qualifiers, Span};
use super::error::FilterError;
use super::lexer::{self, Kind, Token};
use super::library::Library;
use relation::Value;
use words::Word;

/// Bytes of an expression or a named filter.
pub(super) const MAX_TEXT: usize = 64 * 1024;
/// Levels of parentheses, `not` and named filters together.
const MAX_NESTING: usize = 64;
/// Words of the expression and all that named filters bring in: they could double at every level.
const MAX_TOKENS: usize = 256 * 1024;

/// Reads an expression; an empty one is [`Expr::Everything`].
pub fn parse(text: &str, library: &dyn Library) -> Result<Expr, FilterError> {
    read(text, library).map_err(|error| sound(error, library))
}

/// Without a look at the advice.
pub(super) fn read(text: &str, library: &dyn Library) -> Result<Expr, FilterError> {
    let mut shared = Shared {
        library,
        calls: Vec::new(),
        nesting: 0,
        tokens: 0,
    };
    whole(text, None, &mut shared).map(|part| part.expr)
}

/// What a text and the named filters in it have in common.
struct Shared<'a> {
    library: &'a dyn Library,
    /// The named filters that are being read, the outermost first.
    calls: Vec<String>,
    nesting: usize,
    tokens: usize,
}

fn whole(text: &str, origin: Option<String>, shared: &mut Shared<'_>) -> Result<Part, FilterError> {
    if text.len() > MAX_TEXT {
        return Err(too_long(text, origin));
    }
    let tokens = lexer::tokens(text);
    shared.tokens += tokens.len();
    let mut parser = Parser {
        text,
        origin,
        tokens,
        at: 0,
        inherited: None,
        last: None,
        calculating: 0,
        shared,
    };
    if parser.shared.tokens > MAX_TOKENS {
        let message = "the named filters together are too long".into();
        return Err(parser
            .error(0..text.len(), message)
            .help("put addresses and ports into files: 'net in file blocklist.txt'"));
    }
    if parser.peek().kind == Kind::End {
        return Ok(Part::leaf(Expr::Everything));
    }
    let operand = parser.chain()?;
    let part = parser.settle(operand)?;
    match parser.peek().kind {
        Kind::End => Ok(part),
        _ => Err(parser.after_primitive()),
    }
}

fn too_long(text: &str, origin: Option<String>) -> FilterError {
    let shown = &text[..text.floor_char_boundary(80)];
    FilterError {
        text: shown.into(),
        origin,
        span: 0..shown.len(),
        message: format!(
            "the filter has {} bytes, at most {MAX_TEXT} are read",
            text.len()
        ),
        help: Some("put long lists into a file: 'net in file blocklist.txt'".into()),
    }
}

struct Parser<'t, 's, 'l> {
    text: &'t str,
    origin: Option<String>,
    tokens: Vec<Token>,
    at: usize,
    /// What an id alone would mean here.
    inherited: Option<Qualifiers>,
    /// The primitive before, to explain what is wrong behind it.
    last: Option<Last>,
    /// Levels of the calculation that is being read.
    calculating: usize,
    shared: &'s mut Shared<'l>,
}

struct Last {
    qualifiers: Qualifiers,
    span: Span,
    /// Empty if it has none.
    id: Span,
}

/// An expression and how deep it is.
struct Part {
    expr: Expr,
    depth: usize,
}

impl Part {
    fn leaf(expr: Expr) -> Self {
        Self { expr, depth: 1 }
    }
}

/// What a parenthesis can hold.
enum Operand {
    Part(Part),
    Value(Value),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

impl<'t> Parser<'t, '_, '_> {
    /// `a and b or c`. A value alone is handed back as one, for what follows the parenthesis around it.
    fn chain(&mut self) -> Result<Operand, FilterError> {
        let first = self.term()?;
        if matches!(first, Operand::Value(_)) && self.is_symbol(")") {
            return Ok(first);
        }
        let first = self.settle(first)?;
        self.joined(first, |parser| {
            let operand = parser.term()?;
            parser.settle(operand)
        })
        .map(Operand::Part)
    }

    /// Whatever `next` reads behind each `and` and `or`; a chain of one of them is one node.
    fn joined(
        &mut self,
        mut left: Part,
        next: impl Fn(&mut Self) -> Result<Part, FilterError>,
    ) -> Result<Part, FilterError> {
        let mut open = None;
        while let Some(joint) = self.joint() {
            let span = self.take().span;
            if let Kind::End = self.peek().kind {
                return Err(self.dangling(span));
            }
            let right = next(self)?;
            match &mut left.expr {
                Expr::And(parts) | Expr::Or(parts) if open == Some(joint) => {
                    parts.push(right.expr);
                    left.depth = left.depth.max(1 + right.depth);
                }
                _ => {
                    let parts = vec![left.expr, right.expr];
                    let depth = 1 + left.depth.max(right.depth);
                    let expr = match joint {
                        Joint::And => Expr::And(parts),
                        Joint::Or => Expr::Or(parts),
                    };
                    left = Part { expr, depth };
                    open = Some(joint);
                }
            }
            self.check_depth(left.depth, span)?;
        }
        Ok(left)
    }

    /// What was read from `start` on is done: nothing is inherited from it.
    fn done(&mut self, start: usize) {
        let end = self.end();
        self.inherited = None;
        self.last = Some(Last {
            qualifiers: Qualifiers::default(),
            span: start..end,
            id: end..end,
        });
    }

    fn joint(&self) -> Option<Joint> {
        match self.peek().kind {
            Kind::Symbol("&&") => Some(Joint::And),
            Kind::Symbol("||") => Some(Joint::Or),
            _ => match self.word() {
                Some(Word::And) => Some(Joint::And),
                Some(Word::Or) => Some(Joint::Or),
                _ => None,
            },
        }
    }

    fn term(&mut self) -> Result<Operand, FilterError> {
        if self.is_not() {
            let start = self.take().span.start;
            let inner = self.nested(|parser| {
                let operand = parser.term()?;
                parser.settle(operand)
            })?;
            return self.negated(inner, start).map(Operand::Part);
        }
        if self.is_symbol("(") {
            return match self.parenthesis()? {
                Operand::Value(value) => self.compared(value),
                part => Ok(part),
            };
        }
        if self.starts_value() {
            let value = self.arithmetic(0)?;
            return self.compared(value);
        }
        self.primitive().map(Operand::Part)
    }

    fn negated(&self, inner: Part, start: usize) -> Result<Part, FilterError> {
        let depth = inner.depth + 1;
        let span = start..self.end();
        self.check_depth(depth, start..start)?;
        let expr = Expr::Not(Box::new(inner.expr), span);
        Ok(Part { expr, depth })
    }

    fn parenthesis(&mut self) -> Result<Operand, FilterError> {
        let outer = self.inherited.clone();
        let open = self.take().span;
        let operand = self.nested(Self::chain)?;
        self.close(open)?;
        if let Operand::Part(_) = operand {
            self.inherited = outer;
        }
        Ok(operand)
    }

    fn close(&mut self, open: Span) -> Result<(), FilterError> {
        if self.is_symbol(")") {
            self.take();
            return Ok(());
        }
        match self.peek().kind {
            Kind::End => Err(self
                .error(open, "this '(' is never closed".into())
                .help("add ')'")),
            _ => Err(self.after_primitive()),
        }
    }

    /// A number alone is an id.
    fn settle(&mut self, operand: Operand) -> Result<Part, FilterError> {
        match operand {
            Operand::Part(part) => Ok(part),
            Operand::Value(value) => self.number_alone(value),
        }
    }

    /// One level deeper.
    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, FilterError>,
    ) -> Result<T, FilterError> {
        if self.shared.nesting >= MAX_NESTING {
            let span = self.peek().span.clone();
            return Err(self
                .error(span, format!("nested deeper than {MAX_NESTING} levels"))
                .help("take out parentheses or 'not' that change nothing"));
        }
        self.shared.nesting += 1;
        let read = read(self);
        self.shared.nesting -= 1;
        read
    }

    fn check_depth(&self, depth: usize, span: Span) -> Result<(), FilterError> {
        if depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(self
            .error(span, format!("deeper than {MAX_DEPTH} levels: each change between 'and' and 'or' is one"))
            .help("put what belongs together in parentheses: '(host a and port 1) or (host b and port 2)'"))
    }

    fn peek(&self) -> &Token {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> &Token {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.at + by).min(last)]
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += usize::from(token.kind != Kind::End);
        token
    }

    /// The end of the token before.
    fn end(&self) -> usize {
        self.at
            .checked_sub(1)
            .map_or(0, |at| self.tokens[at].span.end)
    }

    fn text_of(&self, token: &Token) -> &'t str {
        self.slice(&token.span)
    }

    fn slice(&self, span: &Span) -> &'t str {
        self.text.get(span.clone()).unwrap_or("")
    }

    fn word(&self) -> Option<Word> {
        self.word_of(self.peek())
    }

    fn word_of(&self, token: &Token) -> Option<Word> {
        match token.kind {
            Kind::Word => words::keyword(self.text_of(token)),
            _ => None,
        }
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek().kind, Kind::Symbol(found) if found == symbol)
    }

    fn is_not(&self) -> bool {
        self.is_symbol("!") || self.word() == Some(Word::Not)
    }
}
