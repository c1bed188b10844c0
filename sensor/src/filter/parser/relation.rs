//! `tcp[13] & 2 != 0`, `len > 100`, `bytes > 10M`.
//!
//! Precedence is that of libpcap's grammar, where `&` and `|` bind tighter than comparisons, and where `%` and `^` were
//! given none: what stands on their right is taken whole (`a % b + c` is `a % (b + c)`).

use super::constants::{self, constant};
use super::number;
use super::words::Word;
use super::{Operand, Parser, Part};
use crate::filter::ast::{Arithmetic, Expr, Operator, Relation, Span};
use crate::filter::error::FilterError;
use crate::filter::lexer::{Kind, Token};
use crate::filter::suggest::nearest;
use crate::filter::tree::{Compare, Measure};

/// Arithmetic that may yet turn out to be an id.
pub(super) struct Value {
    pub(super) arithmetic: Arithmetic,
    pub(super) depth: usize,
    pub(super) span: Span,
}

/// Levels of one side of a comparison.
const MAX_OPERATIONS: usize = 128;

impl Parser<'_, '_, '_> {
    /// Whether what follows can only be a number or arithmetic.
    pub(super) fn starts_value(&self) -> bool {
        let token = self.peek();
        match token.kind {
            Kind::Symbol("-") => true,
            Kind::Word => {
                let text = self.text_of(token);
                !crate::filter::lexer::is_mac(text)
                    && (number::is_number(text)
                        || constant(text).is_some()
                        || self.word() == Some(Word::Length)
                        || self.ahead(1).kind == Kind::Symbol("["))
            }
            _ => false,
        }
    }

    /// A relation if a comparison follows, else the value as it is. What follows a parenthesis may go on calculating.
    pub(super) fn compared(&mut self, value: Value) -> Result<Operand, FilterError> {
        let left = self.climb(value, 0)?;
        let Some(compare) = self.compare()? else {
            return Ok(Operand::Value(left));
        };
        let right = self.arithmetic(0)?;
        if self.compare()?.is_some() {
            return Err(self.compared_twice(&left, &right));
        }
        self.done(left.span.start);
        let depth = 1 + left.depth.max(right.depth);
        let span = left.span.start..right.span.end;
        let expr = Expr::Relation(Relation {
            left: left.arithmetic,
            compare,
            right: right.arithmetic,
            span,
        });
        Ok(Operand::Part(Part { expr, depth }))
    }

    /// `greater 100`, `less 100`.
    pub(super) fn length(&mut self, compare: Compare) -> Result<Part, FilterError> {
        let word = self.take();
        let token = self.peek().clone();
        let right = match token.kind {
            Kind::Word if number::is_number(self.text_of(&token)) => self.plain_number()?,
            _ => {
                let example = format!("a length in bytes after '{}'", self.text_of(&word));
                let help = format!("write '{} 100'", self.text_of(&word));
                return Err(self.unexpected(&example).or_help(help));
            }
        };
        self.done(word.span.start);
        Ok(Part {
            expr: Expr::Relation(Relation {
                left: Arithmetic::Length,
                compare,
                right: Arithmetic::Number(right),
                span: word.span.start..self.end(),
            }),
            depth: 2,
        })
    }

    /// `bytes > 10M`.
    pub(super) fn measure(&mut self, measure: Measure) -> Result<Part, FilterError> {
        let word = self.take();
        let Some(compare) = self.compare()? else {
            let name = self.text_of(&word);
            return Err(self
                .unexpected(&format!("a comparison after '{name}'"))
                .or_help(format!("write '{name} > {}'", example(measure))));
        };
        let token = self.peek().clone();
        if token.kind != Kind::Word
            || !self
                .text_of(&token)
                .starts_with(|c: char| c.is_ascii_digit())
        {
            let name = self.text_of(&word);
            return Err(self
                .unexpected(&format!("an amount like {}", example(measure)))
                .or_help(format!("write '{name} > {}'", example(measure))));
        }
        self.take();
        let mut amount = self.text_of(&token).to_owned();
        let unit = self.text_of(self.peek());
        if amount.ends_with(|c: char| c.is_ascii_digit())
            && number::quantity(measure, &format!("{amount}{unit}")).is_ok()
        {
            amount.push_str(unit);
            self.take();
        }
        let value = number::quantity(measure, &amount).map_err(|message| {
            let name = self.text_of(&word);
            let sum = (measure == Measure::Duration)
                .then(|| number::compound(&amount))
                .flatten();
            let amount = sum.unwrap_or_else(|| example(measure).into());
            let sign = self.slice(&(word.span.end..token.span.start)).trim();
            self.error(token.span.clone(), message)
                .help(format!("write '{name} {sign} {amount}'"))
        })?;
        self.done(word.span.start);
        Ok(Part::leaf(Expr::Measure {
            measure,
            compare,
            value,
            span: word.span.start..self.end(),
        }))
    }

    pub(super) fn arithmetic(&mut self, min: u8) -> Result<Value, FilterError> {
        let left = self.calculated(Self::unary)?;
        self.climb(left, min)
    }

    /// Operators that bind at least as tight as `min`, and those without precedence.
    fn climb(&mut self, mut left: Value, min: u8) -> Result<Value, FilterError> {
        while let Some((operator, precedence)) = operator(self.peek()) {
            if precedence.is_some_and(|precedence| precedence < min) {
                break;
            }
            let sign = self.take().span;
            let right = self.calculated(|parser| {
                parser.arithmetic(precedence.map_or(0, |precedence| precedence + 1))
            })?;
            left = self.operation(operator, left, right, sign)?;
        }
        Ok(left)
    }

    /// One level deeper within a calculation.
    fn calculated<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, FilterError>,
    ) -> Result<T, FilterError> {
        if self.calculating >= MAX_OPERATIONS {
            let span = self.peek().span.clone();
            return Err(self
                .error(span, "the calculation is nested too deep".into())
                .help("take out parentheses that change nothing"));
        }
        self.calculating += 1;
        let read = read(self);
        self.calculating -= 1;
        read
    }

    fn operation(
        &self,
        operator: Operator,
        left: Value,
        right: Value,
        sign: Span,
    ) -> Result<Value, FilterError> {
        let depth = 1 + left.depth.max(right.depth);
        if depth > MAX_OPERATIONS {
            let message = format!("more than {MAX_OPERATIONS} operations in a row");
            return Err(self
                .error(sign, message)
                .help("calculate constants yourself"));
        }
        Ok(Value {
            span: left.span.start..right.span.end,
            arithmetic: Arithmetic::Operation {
                operator,
                left: Box::new(left.arithmetic),
                right: Box::new(right.arithmetic),
            },
            depth,
        })
    }

    fn unary(&mut self) -> Result<Value, FilterError> {
        let token = self.peek().clone();
        let leaf = |arithmetic, span| Value {
            arithmetic,
            depth: 1,
            span,
        };
        match token.kind {
            Kind::Symbol("-") => {
                self.take();
                let inner = self.calculated(|parser| parser.arithmetic(UNARY))?;
                let zero = leaf(Arithmetic::Number(0), token.span.clone());
                self.operation(Operator::Subtract, zero, inner, token.span)
            }
            Kind::Symbol("(") => {
                self.take();
                let inner = self.calculated(|parser| parser.arithmetic(0))?;
                self.close(token.span)?;
                Ok(inner)
            }
            Kind::Word => {
                let text = self.text_of(&token);
                if let Some(value) = constant(text) {
                    self.take();
                    return Ok(leaf(Arithmetic::Number(value), token.span));
                }
                if number::is_number(text) {
                    let value = self.plain_number()?;
                    return Ok(leaf(Arithmetic::Number(value), token.span));
                }
                if self.word() == Some(Word::Length) {
                    self.take();
                    return Ok(leaf(Arithmetic::Length, token.span));
                }
                if self.ahead(1).kind == Kind::Symbol("[") {
                    return self.bytes();
                }
                Err(self.no_value(&token))
            }
            _ => Err(self.no_value(&token)),
        }
    }

    /// `protocol[offset:size]`.
    fn bytes(&mut self) -> Result<Value, FilterError> {
        let word = self.take();
        let protocol = match self.word_of(&word) {
            Some(Word::Protocol(protocol)) => protocol.to_owned(),
            Some(Word::Unsupported(group)) => return Err(self.unsupported(&word, group)),
            Some(_) => {
                let message = format!("'{}' has no bytes to compare", self.text_of(&word));
                return Err(self
                    .error(word.span, message)
                    .help("name a protocol: 'tcp[13]', 'ip[8]', 'ether[0]'"));
            }
            None => self.text_of(&word).to_ascii_lowercase(),
        };
        let open = self.take().span;
        let offset = self.arithmetic(0)?;
        let mut size = 1;
        if self.is_symbol(":") {
            self.take();
            size = self.size()?;
        }
        if !self.is_symbol("]") {
            let error = match self.peek().kind {
                Kind::End => self.error(open, "this '[' is never closed".into()),
                _ => self.unexpected("']' or ':'"),
            };
            return Err(error.or_help("write 'ip[2:2] > 100' for two bytes from offset 2"));
        }
        self.take();
        let span = word.span.start..self.end();
        Ok(Value {
            arithmetic: Arithmetic::Bytes {
                protocol,
                offset: Box::new(offset.arithmetic),
                size,
                span: span.clone(),
            },
            depth: offset.depth + 1,
            span,
        })
    }

    fn size(&mut self) -> Result<u8, FilterError> {
        let token = self.peek().clone();
        let size = match token.kind {
            Kind::Word => number::number(self.text_of(&token)).unwrap_or(0),
            _ => 0,
        };
        match u8::try_from(size) {
            Ok(size @ (1 | 2 | 4)) => {
                self.take();
                Ok(size)
            }
            _ => Err(self
                .unexpected("1, 2 or 4 bytes")
                .or_help("write 'ip[2:2] > 100' for two bytes from offset 2")),
        }
    }

    fn plain_number(&mut self) -> Result<u32, FilterError> {
        let token = self.take();
        self.number_of(&token)
    }

    fn no_value(&self, token: &Token) -> FilterError {
        let error = self.unexpected("a number, 'len' or bytes like 'tcp[13]'");
        if token.kind != Kind::Word {
            return error.or_help("write a comparison like 'len > 100' or 'tcp[13] & 2 != 0'");
        }
        let text = self.text_of(token).to_ascii_lowercase();
        let flag = ["tcp-", "icmp-", "tcp"]
            .iter()
            .map(|start| format!("{start}{text}"));
        match flag.into_iter().find(|name| constant(name).is_some()) {
            Some(name) => error.or_help(format!("did you mean '{name}'?")),
            None => match nearest(&text, constants::names()) {
                Some(name) => error.or_help(format!("did you mean '{name}'?")),
                None => error.or_help(no_value_help(&text)),
            },
        }
    }

    /// The comparison that follows, if one does.
    fn compare(&mut self) -> Result<Option<Compare>, FilterError> {
        let compare = match self.peek().kind {
            Kind::Symbol("=" | "==") => Compare::Equal,
            Kind::Symbol("!=") => Compare::NotEqual,
            Kind::Symbol("<") => Compare::Less,
            Kind::Symbol("<=") => Compare::LessOrEqual,
            Kind::Symbol(">") => Compare::Greater,
            Kind::Symbol(">=") => Compare::GreaterOrEqual,
            Kind::Symbol(wrong @ ("===" | "!==" | "<>" | "=>" | "=<" | "~=" | "~")) => {
                let right = match wrong {
                    "=>" => ">=",
                    "=<" => "<=",
                    "===" | "~" => "=",
                    _ => "!=",
                };
                let span = self.peek().span.clone();
                return Err(self
                    .error(span, format!("'{wrong}' is no comparison"))
                    .help(format!("did you mean '{right}'?")));
            }
            _ => return Ok(None),
        };
        self.take();
        Ok(Some(compare))
    }

    fn compared_twice(&self, left: &Value, right: &Value) -> FilterError {
        let (from, to) = (self.slice(&left.span), self.slice(&right.span));
        let span = left.span.start..self.end();
        self.error(span, "a comparison has two sides".into())
            .help(format!(
                "join two comparisons: '{from} < {to} and {to} < ...'"
            ))
    }
}

fn no_value_help(text: &str) -> &'static str {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return "write the whole number: units belong to 'bytes', 'packets' and 'duration'";
    }
    "only numbers can be compared: 'len > 100', 'ip[8] < 5'"
}

fn example(measure: Measure) -> &'static str {
    match measure {
        Measure::Bytes => "10M",
        Measure::Packets => "1000",
        Measure::Duration => "10s",
    }
}

const UNARY: u8 = 7;

/// The operator and how tight it binds; `None` where the grammar of libpcap forgot to say.
fn operator(token: &Token) -> Option<(Operator, Option<u8>)> {
    let Kind::Symbol(sign) = token.kind else {
        return None;
    };
    Some(match sign {
        "|" => (Operator::Or, Some(2)),
        "&" => (Operator::And, Some(3)),
        "<<" => (Operator::ShiftLeft, Some(4)),
        ">>" => (Operator::ShiftRight, Some(4)),
        "+" => (Operator::Add, Some(5)),
        "-" => (Operator::Subtract, Some(5)),
        "*" => (Operator::Multiply, Some(6)),
        "/" => (Operator::Divide, Some(6)),
        "%" => (Operator::Modulo, None),
        "^" => (Operator::Xor, None),
        _ => return None,
    })
}
