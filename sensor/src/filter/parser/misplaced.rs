//! What to say where an id, a set or a comparison is missing or another one stands.

use super::mistakes::words_of;
use super::relation::Value;
use super::words::Word;
use super::{Parser, Part, number};
use crate::filter::ast::{Id, Kind, Qualifiers};
use crate::filter::error::FilterError;
use crate::filter::lexer::{self, Token};

impl Parser<'_, '_, '_> {
    /// The next token is no id of these qualifiers.
    pub(super) fn no_id(&self, qualifiers: &Qualifiers) -> FilterError {
        let (token, next) = (self.peek(), self.ahead(1));
        let (text, follows) = (self.text_of(token), self.text_of(next));
        let head = words_of(qualifiers);
        let error = self.unexpected(&format!("{} after '{head}'", wanted(qualifiers.kind)));
        let is_port = matches!(qualifiers.kind, Some(Kind::Port | Kind::PortRange));
        if error.help.is_some() {
            return error;
        }
        match (&token.kind, self.word()) {
            (lexer::Kind::Symbol("=" | "==" | "===" | ":"), _) => {
                error.help(format!("write '{head} {follows}'"))
            }
            (lexer::Kind::Symbol("!="), _) => error.help(format!("write 'not {head} {follows}'")),
            (lexer::Kind::Symbol(sign @ ("<" | "<=" | ">" | ">=")), _) if is_port => {
                match compared_port(sign, follows) {
                    Some(range) => error.help(format!(
                        "write '{}'",
                        head.replace("portrange", "port").replace("port", &range)
                    )),
                    None => error.help(format!("write '{head} {}'", sample(qualifiers.kind))),
                }
            }
            (lexer::Kind::Symbol("{"), _) => error.help(format!(
                "write '{head} in {}'",
                self.braces(0, qualifiers.kind)
            )),
            (lexer::Kind::Symbol("-"), _) => error.help("numbers have no sign here"),
            (_, Some(Word::Protocol(protocol))) => match self.id_ahead() {
                "" => error.help(format!(
                    "write '{protocol}' alone, or '{head} {}'",
                    sample(qualifiers.kind)
                )),
                id => error.help(format!("write '{protocol} {head} {id}'")),
            },
            (_, Some(Word::Side(_))) if qualifiers.side.is_none() => {
                let side = Qualifiers {
                    kind: None,
                    ..qualifiers.clone()
                };
                let before = words_of(&side);
                let words = [
                    before.as_str(),
                    text,
                    qualifiers.kind.map_or("", Kind::word),
                    follows,
                ];
                let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
                error.help(format!("write '{}'", words.join(" ")))
            }
            (_, None)
                if is_port
                    && (number::is_dotted(text)
                        || lexer::is_mac(text)
                        || token.kind == lexer::Kind::Address) =>
            {
                error.help(format!("write 'host {text}'"))
            }
            (_, None) if text.contains("..") => {
                error.help("write a range with '-': 'portrange 8000-8100'")
            }
            _ => error.help(format!("write '{head} {}'", sample(qualifiers.kind))),
        }
    }

    /// `port not in {80}`, whose `not` is taken.
    pub(super) fn not_in(&self, qualifiers: &Qualifiers, not: usize) -> FilterError {
        let head = words_of(qualifiers);
        let set = self.braces(1, qualifiers.kind);
        let span = not..self.peek().span.end;
        self.error(span, format!("'not' stands before '{head}', not behind it"))
            .help(format!("write 'not {head} in {set}'"))
    }

    /// The set that starts there, or one as an example.
    pub(super) fn braces(&self, by: usize, kind: Option<Kind>) -> String {
        let ends = |by: &usize| self.ahead(*by).kind == lexer::Kind::Symbol("}");
        match (by + 1..by + 20).find(ends) {
            Some(end) if self.ahead(by).kind == lexer::Kind::Symbol("{") => {
                let span = self.ahead(by).span.start..self.ahead(end).span.end;
                self.slice(&span).into()
            }
            _ => format!("{{{}}}", sample(kind)),
        }
    }

    /// What stands between the parenthesis there and its other half.
    pub(super) fn within(&self, by: usize) -> Option<&str> {
        let mut depth = 0_usize;
        for at in by..by + 40 {
            match self.ahead(at).kind {
                lexer::Kind::Symbol("(" | "[") => depth += 1,
                lexer::Kind::Symbol(")" | "]") => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                let span = self.ahead(by).span.end..self.ahead(at).span.start;
                return Some(self.slice(&span));
            }
        }
        None
    }

    /// What follows the next token, with its kind if it has one.
    fn id_ahead(&self) -> &str {
        let first = self.ahead(1);
        let last = match self.word_of(first) {
            Some(Word::Kind(_) | Word::Side(_)) => self.ahead(2),
            _ => first,
        };
        self.slice(&(first.span.start..last.span.end))
    }

    /// `tcp 80`.
    pub(super) fn check_protocol_alone(&self, protocol: &Token) -> Result<(), FilterError> {
        let token = self.peek();
        let (word, text) = (self.text_of(protocol), self.text_of(token));
        let kind = match token.kind {
            lexer::Kind::Address => "host",
            lexer::Kind::Escaped => "proto",
            lexer::Kind::Word if lexer::is_mac(text) || number::is_dotted(text) => "host",
            lexer::Kind::Word if number::range(text).is_some() => "portrange",
            lexer::Kind::Word
                if number::is_number(text) && matches!(word, "ip" | "ip6" | "ether") =>
            {
                "proto"
            }
            lexer::Kind::Word if number::is_number(text) => "port",
            lexer::Kind::Symbol("=" | "==" | "!=" | ">" | "<" | ">=" | "<=") => {
                return Err(self.after_primitive().help(format!(
                    "write '{word} port {}'",
                    self.text_of(self.ahead(1))
                )));
            }
            _ if self.word() == Some(Word::In) => {
                return Err(self
                    .unexpected("'host', 'net', 'port' or 'proto' before 'in'")
                    .help(format!(
                        "write '{word} port in {}'",
                        self.braces(1, Some(Kind::Port))
                    )));
            }
            _ => return Ok(()),
        };
        let words = match (kind, word) {
            ("host", "tcp" | "udp" | "sctp" | "icmp" | "icmp6") => {
                format!("{word} and host {text}")
            }
            _ => format!("{word} {kind} {text}"),
        };
        Err(self
            .unexpected(&format!("'host', 'net', 'port' or 'proto' after '{word}'"))
            .or_help(format!("write '{words}'")))
    }

    /// `vlan any`, `vlan 10-20`.
    pub(super) fn check_tag(&self, tag: &Token) -> Result<(), FilterError> {
        let token = self.peek();
        let (word, text) = (self.text_of(tag), self.text_of(token));
        if token.kind != lexer::Kind::Word || self.word().is_some() {
            return match token.kind {
                lexer::Kind::Symbol("=" | "==") => {
                    let help = format!("write '{word} {}'", self.text_of(self.ahead(1)));
                    Err(self
                        .unexpected(&format!("a number after '{word}'"))
                        .or_help(help))
                }
                _ => Ok(()),
            };
        }
        let error = self.unexpected(&format!("a number after '{word}'"));
        Err(match number::range(text) {
            Some(_) => error.or_help(format!("write '{word} in {{{text}}}'")),
            None => error.or_help(format!("'{word}' alone means any of them")),
        })
    }

    pub(super) fn no_interface(&self, word: &Token) -> FilterError {
        let name = self.text_of(word);
        let help = match self.peek().kind {
            lexer::Kind::Symbol("=" | "==") => "write it without '='".into(),
            _ => format!("write '{name} eth0' or '{name} in {{eth0, eth1}}'"),
        };
        self.unexpected(&format!("the name of an interface after '{name}'"))
            .or_help(help)
    }

    /// An id without a kind that needs one.
    pub(super) fn needs_kind(&self, token: &Token) -> FilterError {
        let text = self.text_of(token);
        let kind = if token.kind == lexer::Kind::Escaped {
            "proto"
        } else {
            "portrange"
        };
        self.error(token.span.clone(), format!("'{text}' alone says nothing"))
            .help(format!("write '{kind} {text}'"))
    }

    pub(super) fn range_as_port(&self, token: &Token) -> FilterError {
        let text = self.text_of(token);
        self.error(
            token.span.clone(),
            format!("'port' takes one port, not the range '{text}'"),
        )
        .help(format!("write 'portrange {text}'"))
    }

    /// `net 10/8`, whose number is taken.
    pub(super) fn check_short_net(&self, first: &Token) -> Result<(), FilterError> {
        let is_mask = self.word() == Some(Word::Mask);
        if !is_mask && !self.is_symbol("/") {
            return Ok(());
        }
        let number = self.text_of(first);
        let length = self.text_of(self.ahead(1));
        let span = first.span.start..self.ahead(1).span.end;
        let error = self.error(
            span,
            format!("'{number}' is too short for a network with a length or a mask"),
        );
        let fits = length.parse().is_ok_and(|length: u8| length <= 32);
        Err(match is_mask {
            true => error.help(format!("write 'net {number}.0.0.0 mask 255.0.0.0'")),
            false if !fits => error.help(format!("write 'net {number}.0.0.0/8'")),
            false => error.help(format!("write 'net {number}.0.0.0/{length}'")),
        })
    }

    /// Words that can't be an address.
    pub(super) fn check_name(
        &self,
        token: &Token,
        qualifiers: &Qualifiers,
    ) -> Result<(), FilterError> {
        let text = self.text_of(token);
        let Some((from, to)) = text.split_once('-') else {
            return Ok(());
        };
        if !number::is_dotted(from) || !to.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(());
        }
        let head = words_of(qualifiers);
        Err(self
            .error(
                token.span.clone(),
                format!("expected one address after '{head}', found the range '{text}'"),
            )
            .help("name networks: 'net 10.0.0.0/24', 'net in {10.0.0.0/25, 10.0.0.128/26}'"))
    }

    pub(super) fn set_of_nothing(&self) -> FilterError {
        self.unexpected("'host', 'net' or 'port' before 'in'")
            .or_help("write 'src net in {10.0.0.0/8}'")
    }

    /// Neither braces nor a file behind `in`.
    pub(super) fn no_set(&self, qualifiers: &Qualifiers) -> FilterError {
        let head = words_of(qualifiers);
        let token = self.peek();
        let text = self.text_of(token);
        let error = self.unexpected("'{' or 'file' after 'in'");
        let first = self.text_of(self.ahead(1));
        let is_file = text.contains(['.', '/']) && !number::is_dotted(text) || self.is_symbol("/");
        match token.kind {
            lexer::Kind::Symbol("(" | "[") => {
                let inside = self
                    .within(0)
                    .map_or(first, str::trim)
                    .replace(" or ", ", ");
                error.or_help(format!("write '{head} in {{{inside}}}'"))
            }
            lexer::Kind::Symbol("/") | lexer::Kind::Word if is_file => {
                error.or_help(format!("write '{head} in file PATH'"))
            }
            lexer::Kind::Word | lexer::Kind::Address => {
                error.or_help(format!("write '{head} in {{{text}}}'"))
            }
            _ => error.or_help(format!("write '{head} in {{{}}}'", sample(qualifiers.kind))),
        }
    }

    /// A number, or a calculation that nothing is compared with.
    pub(super) fn number_alone(&mut self, value: Value) -> Result<Part, FilterError> {
        let text = self.slice(&value.span);
        if !number::is_number(text) {
            return Err(self.not_compared(text));
        }
        if let Some(qualifiers) = self.inherited.clone() {
            let number = number::number(text)
                .map_err(|message| self.bad_number(text, value.span.clone(), message))?;
            let part = self.made(
                qualifiers,
                Id::Number(number),
                value.span.start,
                value.span.start,
            );
            return Ok(part);
        }
        let error = self.error(
            value.span,
            format!("the number '{text}' alone says nothing"),
        );
        Err(
            match self
                .last
                .as_ref()
                .and_then(|last| Some((last, last.qualifiers.kind?)))
            {
                Some((last, kind @ (Kind::Vlan | Kind::Mpls | Kind::Pppoes)))
                    if !last.id.is_empty() =>
                {
                    error.help(format!(
                        "write '{} in {{{}, {text}}}'",
                        kind.word(),
                        self.slice(&last.id)
                    ))
                }
                _ => error.help(format!("write 'port {text}'")),
            },
        )
    }

    fn not_compared(&self, text: &str) -> FilterError {
        let error = self.unexpected(&format!("a comparison after '{text}'"));
        if text.starts_with("tcp-") {
            return error.or_help(format!("write 'tcp[tcpflags] & {text} != 0'"));
        }
        if let Some((start, _)) = text
            .split_once('-')
            .filter(|(start, _)| start.starts_with("icmp"))
        {
            return error.or_help(format!("write '{start}[{start}type] = {text}'"));
        }
        match self.text_of(self.peek()) {
            "eq" => error.or_help("did you mean '='?"),
            "ne" => error.or_help("did you mean '!='?"),
            "gt" => error.or_help("did you mean '>'?"),
            "lt" => error.or_help("did you mean '<'?"),
            _ if text.contains('&') => error.or_help(format!("write '{text} != 0'")),
            _ if text == "len" || text == "length" => error.or_help("write 'len > 100'"),
            _ => error.or_help(format!("write '{text} = 0', or another of = != < <= > >=")),
        }
    }
}

/// `portrange 1001-65535` for `port > 1000`.
fn compared_port(sign: &str, limit: &str) -> Option<String> {
    let limit: u16 = limit.parse().ok()?;
    let (first, last) = match sign {
        "<" => (0, limit.checked_sub(1)?),
        "<=" => (0, limit),
        ">" => (limit.checked_add(1)?, u16::MAX),
        _ => (limit, u16::MAX),
    };
    Some(format!("portrange {first}-{last}"))
}

fn wanted(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Port) => "a port",
        Some(Kind::PortRange) => "a range of ports",
        Some(Kind::Proto) => "a protocol",
        Some(Kind::Net) => "a network",
        _ => "an address",
    }
}

fn sample(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Port) => "80",
        Some(Kind::PortRange) => "8000-8100",
        Some(Kind::Proto) => "tcp",
        Some(Kind::Net) => "10.0.0.0/8",
        Some(Kind::Interface) => "eth0",
        Some(Kind::Vlan | Kind::Mpls | Kind::Pppoes) => "10",
        _ => "10.0.0.1",
    }
}
