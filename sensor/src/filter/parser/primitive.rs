//! `[protocol] [side] [kind] id`, and the words that stand alone.

use super::words::{Unsupported, Word};
use super::{Last, Parser, Part, number, wireshark};
use crate::filter::ast::{Expr, Id, Kind, Primitive, Qualifiers, Side};
use crate::filter::error::FilterError;
use crate::filter::lexer::{self, Token};
use crate::filter::tree::Compare;

impl Parser<'_, '_, '_> {
    pub(super) fn primitive(&mut self) -> Result<Part, FilterError> {
        match self.peek().kind {
            lexer::Kind::Named => self.named(),
            lexer::Kind::Address | lexer::Kind::Escaped => self.inheriting(),
            lexer::Kind::Word => self.of_word(),
            _ => Err(self.no_expression()),
        }
    }

    fn of_word(&mut self) -> Result<Part, FilterError> {
        let token = self.peek().clone();
        match self.word() {
            None => self.unknown_word(&token),
            Some(Word::Protocol(_) | Word::Side(_) | Word::Kind(_)) => self.head(),
            Some(Word::Tag(kind)) => self.tag(kind),
            Some(Word::Cast(kind)) => {
                self.take();
                self.cast(None, kind, token.span.start)
            }
            Some(Word::Direction(word)) => {
                self.take();
                Ok(self.alone(word, &token))
            }
            Some(Word::Interface) => self.interface(),
            Some(Word::Greater) => self.length(Compare::GreaterOrEqual),
            Some(Word::Less) => self.length(Compare::LessOrEqual),
            Some(Word::Measure(measure)) => self.measure(measure),
            Some(Word::Unsupported(group)) => {
                self.check_measured(&token)?;
                Err(self.unsupported(&token, group))
            }
            Some(Word::And | Word::Or | Word::Not | Word::In | Word::Mask | Word::Length) => {
                Err(self.no_expression())
            }
        }
    }

    /// An id that inherits, or a protocol.
    fn unknown_word(&mut self, token: &Token) -> Result<Part, FilterError> {
        let text = self.text_of(token);
        if let Some(help) = wireshark::translated(self, text) {
            return Err(self.display_filter(token, help));
        }
        self.check_glued(token)?;
        let numeric =
            number::is_dotted(text) || lexer::is_mac(text) || number::range(text).is_some();
        let inherited = self
            .inherited
            .as_ref()
            .and_then(|qualifiers| qualifiers.kind);
        if numeric
            || text.contains('.')
            || matches!(inherited, Some(Kind::Port | Kind::PortRange | Kind::Proto))
        {
            self.check_misspelt(token)?;
            return self.inheriting();
        }
        self.check_unknown(token)?;
        self.take();
        Ok(self.alone(&text.to_ascii_lowercase(), token))
    }

    /// A word that says all by itself.
    pub(super) fn alone(&mut self, word: &str, token: &Token) -> Part {
        let qualifiers = Qualifiers {
            protocol: Some(word.into()),
            ..Qualifiers::default()
        };
        self.inherited = None;
        self.made(qualifiers, Id::None, token.span.start, self.end())
    }

    /// A primitive that ends here, whose id starts at `id`.
    pub(super) fn made(
        &mut self,
        qualifiers: Qualifiers,
        value: Id,
        start: usize,
        id: usize,
    ) -> Part {
        let span = start..self.end();
        self.last = Some(Last {
            qualifiers: qualifiers.clone(),
            span: span.clone(),
            id: id.min(span.end)..span.end,
        });
        Part::leaf(Expr::Primitive(Primitive {
            qualifiers,
            id: value,
            span,
        }))
    }

    fn head(&mut self) -> Result<Part, FilterError> {
        let first = self.peek().clone();
        let start = first.span.start;
        let mut qualifiers = Qualifiers::default();
        if let Some(Word::Protocol(protocol)) = self.word() {
            self.take();
            match self.word() {
                Some(Word::Side(_) | Word::Kind(_)) => qualifiers.protocol = Some(protocol.into()),
                Some(Word::Cast(kind)) => {
                    self.take();
                    return self.cast(Some(protocol.into()), kind, start);
                }
                _ => {
                    self.check_protocol_alone(&first)?;
                    let protocol = match protocol {
                        // By the word that was typed: reports call some packets `ppp`.
                        "ether" => self.text_of(&first).to_ascii_lowercase(),
                        protocol => protocol.into(),
                    };
                    return Ok(self.alone(&protocol, &first));
                }
            }
        }
        if let Some(Word::Side(side)) = self.word() {
            self.take();
            qualifiers.side = Some(self.sides(side));
        }
        if let Some(Word::Kind(kind)) = self.word() {
            if kind == Kind::Proto && qualifiers.side.is_some() {
                let span = start..self.peek().span.end;
                return Err(self
                    .error(span, "'proto' has neither source nor destination".into())
                    .help("leave out 'src' and 'dst'"));
            }
            self.take();
            qualifiers.kind = Some(kind);
        }
        self.inherited = Some(qualifiers.clone());
        self.ids(&qualifiers, start)
    }

    /// The whole of `src or dst`, whose first word is taken.
    fn sides(&mut self, first: Side) -> Side {
        let second = match self.word_of(self.ahead(1)) {
            Some(Word::Side(second)) if second != first => second,
            _ => return first,
        };
        let both = match self.joint() {
            Some(super::Joint::And) => Side::Both,
            Some(super::Joint::Or) => Side::Either,
            None => return first,
        };
        debug_assert_ne!(first, second);
        self.take();
        self.take();
        both
    }

    /// `ip broadcast`, whose words are taken.
    fn cast(
        &mut self,
        protocol: Option<String>,
        kind: Kind,
        start: usize,
    ) -> Result<Part, FilterError> {
        let qualifiers = Qualifiers {
            protocol,
            side: None,
            kind: Some(kind),
        };
        self.inherited = None;
        Ok(self.made(qualifiers, Id::None, start, self.end()))
    }

    /// `vlan`, `vlan 10`, `vlan (10)`, `vlan in {10, 20}`.
    fn tag(&mut self, kind: Kind) -> Result<Part, FilterError> {
        let word = self.take();
        let qualifiers = Qualifiers {
            kind: Some(kind),
            ..Qualifiers::default()
        };
        self.inherited = None;
        if self.word() == Some(Word::In) {
            return self.set(qualifiers, word.span.start);
        }
        let opened = (0..8)
            .take_while(|by| self.ahead(*by).kind == lexer::Kind::Symbol("("))
            .count();
        let token = self.ahead(opened).clone();
        let text = self.text_of(&token).to_owned();
        if token.kind != lexer::Kind::Word || !number::is_number(&text) {
            self.check_tag(&word)?;
            return Ok(self.made(qualifiers, Id::None, word.span.start, self.end()));
        }
        let number = self.number_of(&token)?;
        self.at += opened + 1;
        for _ in 0..opened {
            self.close(token.span.clone())?;
        }
        Ok(self.made(
            qualifiers,
            Id::Number(number),
            word.span.start,
            token.span.start,
        ))
    }

    fn interface(&mut self) -> Result<Part, FilterError> {
        let word = self.take();
        let qualifiers = Qualifiers {
            kind: Some(Kind::Interface),
            ..Qualifiers::default()
        };
        self.inherited = None;
        if self.word() == Some(Word::In) {
            return self.set(qualifiers, word.span.start);
        }
        let lexer::Kind::Raw(name) = self.peek().kind.clone() else {
            return Err(self.no_interface(&word));
        };
        let token = self.take();
        let id = Id::Text(self.slice(&name).into());
        Ok(self.made(qualifiers, id, word.span.start, token.span.start))
    }

    pub(super) fn unsupported(&self, token: &Token, group: &Unsupported) -> FilterError {
        let message = format!("'{}' {}", self.text_of(token), group.what);
        self.error(token.span.clone(), message).help(group.help)
    }
}
