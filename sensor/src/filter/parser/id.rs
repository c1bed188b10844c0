//! What stands behind `host`, `net`, `port`, `portrange` and `proto`, alone or in parentheses.

use super::words::Word;
use super::{Parser, Part, number};
use crate::filter::ast::{Id, Kind, Qualifiers};
use crate::filter::error::FilterError;
use crate::filter::lexer::{self, Token};

impl Parser<'_, '_, '_> {
    /// `80`, `(80 or 443)`, `not 80`, `in {80, 443}` behind qualifiers that start at `start`.
    pub(super) fn ids(
        &mut self,
        qualifiers: &Qualifiers,
        start: usize,
    ) -> Result<Part, FilterError> {
        match self.word() {
            Some(Word::In) => self.set(qualifiers.clone(), start),
            _ => self.item(qualifiers, start),
        }
    }

    fn item(&mut self, qualifiers: &Qualifiers, start: usize) -> Result<Part, FilterError> {
        if self.is_symbol("(") {
            let open = self.take().span;
            let group = self.nested(|parser| {
                let start = parser.peek().span.start;
                let first = parser.item(qualifiers, start)?;
                parser.joined(first, |parser| {
                    parser.item(qualifiers, parser.peek().span.start)
                })
            })?;
            self.close(open)?;
            return Ok(group);
        }
        if self.is_not() {
            let start = self.take().span.start;
            if self.word() == Some(Word::In) {
                return Err(self.not_in(qualifiers, start));
            }
            let inner = self.nested(|parser| parser.item(qualifiers, parser.peek().span.start))?;
            return self.negated(inner, start);
        }
        let mut qualifiers = qualifiers.clone();
        let at = self.peek().span.start;
        let id = self.id(&mut qualifiers)?;
        Ok(self.made(qualifiers, id, start, at))
    }

    /// An id without qualifiers of its own.
    pub(super) fn inheriting(&mut self) -> Result<Part, FilterError> {
        let token = self.peek().clone();
        let qualifiers = match self.inherited.clone() {
            Some(qualifiers) => qualifiers,
            None => self.usual(&token)?,
        };
        self.inherited = Some(qualifiers.clone());
        self.item(&qualifiers, token.span.start)
    }

    /// What an id means where nothing is said.
    fn usual(&self, token: &Token) -> Result<Qualifiers, FilterError> {
        let text = self.text_of(token);
        if token.kind == lexer::Kind::Escaped || number::range(text).is_some() {
            return Err(self.needs_kind(token));
        }
        let network = self.ahead(1).kind == lexer::Kind::Symbol("/")
            || self.word_of(self.ahead(1)) == Some(Word::Mask);
        Ok(Qualifiers {
            protocol: lexer::is_mac(text).then(|| "ether".into()),
            side: None,
            kind: Some(if network { Kind::Net } else { Kind::Host }),
        })
    }

    /// One id. A network behind a side alone makes the kind `net`.
    pub(super) fn id(&mut self, qualifiers: &mut Qualifiers) -> Result<Id, FilterError> {
        match qualifiers.kind {
            Some(Kind::Port) => self.port(qualifiers, false),
            Some(Kind::PortRange) => self.port(qualifiers, true),
            Some(Kind::Proto) => self.protocol(qualifiers),
            _ => self.address(qualifiers),
        }
    }

    pub(super) fn port(
        &mut self,
        qualifiers: &Qualifiers,
        ranges: bool,
    ) -> Result<Id, FilterError> {
        let token = self.peek().clone();
        let text = self.text_of(&token);
        match token.kind {
            lexer::Kind::Escaped => {
                self.take();
                Ok(Id::Text(unescaped(text)))
            }
            lexer::Kind::Word if number::is_number(text) => self.number_or_range(ranges),
            lexer::Kind::Word if number::range(text).is_some() && !ranges => {
                Err(self.range_as_port(&token))
            }
            lexer::Kind::Word if number::range(text).is_some() => self.number_or_range(ranges),
            lexer::Kind::Word
                if is_name(self.word()) && !is_address(text) && !text.contains("..") =>
            {
                self.take();
                Ok(Id::Text(text.into()))
            }
            _ => Err(self.no_id(qualifiers)),
        }
    }

    /// `80`, and `6000-6008` or `6000 - 6008` if that may be.
    pub(super) fn number_or_range(&mut self, ranges: bool) -> Result<Id, FilterError> {
        let token = self.take();
        let text = self.text_of(&token);
        if let Some(range) = number::range(text) {
            return range.map_err(|message| self.bad_number(text, token.span, message));
        }
        let first = self.number_of(&token)?;
        let second = self.ahead(1).clone();
        if !ranges || !self.is_symbol("-") || !number::is_number(self.text_of(&second)) {
            return Ok(Id::Number(first));
        }
        self.take();
        self.take();
        Ok(number::ordered(first, self.number_of(&second)?))
    }

    pub(super) fn protocol(&mut self, qualifiers: &Qualifiers) -> Result<Id, FilterError> {
        let token = self.peek().clone();
        let text = self.text_of(&token);
        let known = matches!(self.word(), Some(Word::Protocol(_) | Word::Tag(_)));
        match token.kind {
            lexer::Kind::Word if number::is_number(text) => self.number_or_range(false),
            lexer::Kind::Word if (known || is_name(self.word())) && !is_address(text) => {
                self.take();
                Ok(Id::Text(text.to_ascii_lowercase()))
            }
            lexer::Kind::Escaped => {
                self.take();
                Ok(Id::Text(unescaped(text).to_ascii_lowercase()))
            }
            _ => Err(self.no_id(qualifiers)),
        }
    }

    pub(super) fn address(&mut self, qualifiers: &mut Qualifiers) -> Result<Id, FilterError> {
        let token = self.peek().clone();
        let text = self.text_of(&token).to_owned();
        let id = match token.kind {
            lexer::Kind::Escaped => unescaped(&text),
            lexer::Kind::Address => text,
            lexer::Kind::Word if lexer::is_mac(&text) => text,
            lexer::Kind::Word if number::is_number(&text) => {
                let id = self.number_or_range(false)?;
                self.check_short_net(&token)?;
                return Ok(id);
            }
            lexer::Kind::Word if is_name(self.word()) => {
                self.check_kind(&token, qualifiers)?;
                self.check_name(&token, qualifiers)?;
                text
            }
            _ => return Err(self.no_id(qualifiers)),
        };
        self.take();
        match self.peek().kind {
            lexer::Kind::Symbol("/") => self.length_of(id, &token, qualifiers),
            _ if self.word() == Some(Word::Mask) => self.mask_of(id, &token, qualifiers),
            _ => Ok(Id::Text(id)),
        }
    }

    fn length_of(
        &mut self,
        id: String,
        first: &Token,
        qualifiers: &mut Qualifiers,
    ) -> Result<Id, FilterError> {
        self.take();
        let token = self.peek().clone();
        let text = self.text_of(&token);
        if number::is_dotted(text) {
            let span = first.span.start..token.span.end;
            return Err(self
                .error(span, "a network's length is a number of bits".into())
                .help(format!("write 'net {id} mask {text}'")));
        }
        if token.kind != lexer::Kind::Word || !number::is_number(text) {
            return Err(self
                .unexpected("a number of bits after '/'")
                .or_help(format!("write '{id}/24'")));
        }
        let bits = self.number_of(&token)?;
        self.take();
        self.be_net(first, qualifiers)?;
        Ok(Id::Text(format!("{id}/{bits}")))
    }

    fn mask_of(
        &mut self,
        id: String,
        first: &Token,
        qualifiers: &mut Qualifiers,
    ) -> Result<Id, FilterError> {
        self.take();
        let token = self.peek().clone();
        let mask = self.text_of(&token);
        if !number::is_dotted(mask) {
            return Err(self
                .unexpected("a mask like '255.255.255.0'")
                .or_help(format!("write 'net {id}/{mask}' for a number of bits")));
        }
        if !number::is_dotted(&id) {
            return Err(self
                .error(
                    first.span.start..token.span.end,
                    "only IPv4 networks have a mask".into(),
                )
                .help(format!("write '{id}/64'")));
        }
        self.take();
        self.be_net(first, qualifiers)?;
        Ok(Id::Masked(id, mask.into()))
    }

    fn be_net(&self, first: &Token, qualifiers: &mut Qualifiers) -> Result<(), FilterError> {
        match qualifiers.kind {
            Some(Kind::Host) => {
                let span = first.span.start..self.end();
                let help = format!("write 'net {}'", self.slice(&span));
                Err(self
                    .error(span, "'host' takes one address, not a network".into())
                    .help(help))
            }
            _ => {
                qualifiers.kind = Some(Kind::Net);
                Ok(())
            }
        }
    }
}

/// Words that are no part of the grammar can be names.
fn is_name(word: Option<Word>) -> bool {
    matches!(word, None | Some(Word::Unsupported(_)))
}

fn is_address(text: &str) -> bool {
    number::is_dotted(text) || lexer::is_mac(text)
}

fn unescaped(text: &str) -> String {
    text.trim_start_matches('\\').into()
}
