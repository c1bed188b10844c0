//! Errors of the grammar, and what to say to what people plausibly type: between primitives, and where nothing is known.

use super::unknown::is_label;
use super::words::{SUGGESTED, Word};
use super::{Parser, number};
use crate::filter::ast::{Kind, Qualifiers, Side, Span};
use crate::filter::error::{FilterError, LONGEST_TEXT};
pub(super) use crate::filter::error::{LONGEST_WORD, cut};
use crate::filter::lexer::{self, Bad, Token};
use crate::filter::suggest::nearest;

impl FilterError {
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(cut(&help.into(), LONGEST_TEXT));
        self
    }

    /// Help where there is none yet.
    pub(super) fn or_help(self, help: impl Into<String>) -> Self {
        match self.help {
            Some(_) => self,
            None => self.help(help),
        }
    }
}

impl Parser<'_, '_, '_> {
    pub(super) fn error(&self, span: Span, message: String) -> FilterError {
        FilterError {
            text: self.text.into(),
            origin: self.origin.clone(),
            span,
            message: cut(&message, LONGEST_TEXT),
            help: None,
        }
    }

    /// The next token is not what belongs here.
    pub(super) fn unexpected(&self, expected: &str) -> FilterError {
        let token = self.peek();
        if let lexer::Kind::Bad(bad) = token.kind {
            return self.bad(bad, token);
        }
        self.error(
            token.span.clone(),
            format!("expected {expected}, found {}", self.found(token)),
        )
    }

    pub(super) fn number_of(&self, token: &Token) -> Result<u32, FilterError> {
        let text = self.text_of(token);
        number::number(text).map_err(|message| self.bad_number(text, token.span.clone(), message))
    }

    pub(super) fn bad_number(&self, text: &str, span: Span, message: String) -> FilterError {
        let error = self.error(span, message);
        match text.trim_start_matches('0') {
            decimal if number::is_number(decimal) && error.message.contains("digit") => {
                error.help(format!("a leading 0 means octal: write '{decimal}'"))
            }
            _ => error.help(format!("the largest number is {}", u32::MAX)),
        }
    }

    pub(super) fn found(&self, token: &Token) -> String {
        match token.kind {
            lexer::Kind::End => "the end".into(),
            _ => format!("'{}'", cut(self.text_of(token), LONGEST_WORD)),
        }
    }

    fn bad(&self, bad: Bad, token: &Token) -> FilterError {
        let text = cut(self.text_of(token), LONGEST_WORD);
        let (message, help) = match bad {
            Bad::Quote => (
                format!("the quotation mark {text} has no meaning here"),
                "leave it out: only names of files and interfaces may stand in quotes",
            ),
            Bad::UnclosedQuote => (
                "this quotation mark is never closed".into(),
                "close it, or leave it out",
            ),
            Bad::Address => (
                format!("'{text}' is no IPv6 or Ethernet address"),
                "write addresses like 'fe80::1' or 'aa:bb:cc:dd:ee:ff'",
            ),
            Bad::Zone => (
                format!("'{text}' has the zone of an interface, which packets do not carry"),
                "leave out what follows '%', or add \"and interface eth0\"",
            ),
            Bad::Dash => (
                format!("'{text}' is a typographic dash"),
                "write the '-' of the keyboard",
            ),
            Bad::Character if text == "$" => (
                "'$' has no meaning in a filter".into(),
                "shells replace variables within double quotes, and leave them within single ones",
            ),
            Bad::Character => (
                format!("'{text}' has no meaning in a filter"),
                "leave it out",
            ),
        };
        self.error(token.span.clone(), message).help(help)
    }

    /// The next token starts no expression.
    pub(super) fn no_expression(&self) -> FilterError {
        let error = self.unexpected("an expression like 'host 10.0.0.1' or 'port 80'");
        let text = self.text_of(self.peek());
        match (&self.peek().kind, self.word()) {
            (lexer::Kind::End, _) => {
                error.or_help("in a shell, put the whole filter into single quotes: 'not port 22'")
            }
            (lexer::Kind::Symbol(")"), _) => {
                error.or_help("write the expression between '(' and ')'")
            }
            (_, Some(Word::And | Word::Or)) | (lexer::Kind::Symbol("&&" | "||"), _) => error
                .or_help(format!(
                    "leave out this '{text}', or write what is missing before it"
                )),
            (lexer::Kind::Symbol("{"), _) => error.or_help("sets follow 'in': 'port in {80, 443}'"),
            (lexer::Kind::Symbol("*"), _) => {
                error.or_help("leave it out: an empty filter is every packet")
            }
            (_, Some(Word::In)) => {
                error.or_help("write 'port in {80, 443}' or 'net in {10.0.0.0/8}'")
            }
            _ => error.or_help("leave it out, or write what is missing before it"),
        }
    }

    /// The end behind `and`.
    pub(super) fn dangling(&self, joint: Span) -> FilterError {
        let word = self.slice(&joint);
        let end = self.peek().span.clone();
        self.error(
            end,
            format!("expected an expression after '{word}', found the end"),
        )
        .help(format!(
            "leave out '{word}'; in a shell, put the whole filter into single quotes"
        ))
    }

    /// What stands where an operator belongs.
    pub(super) fn after_primitive(&self) -> FilterError {
        let token = self.peek();
        let error = self.unexpected("'and' or 'or'");
        if error.help.is_some() {
            return error;
        }
        match token.kind {
            lexer::Kind::Symbol(")") => self
                .error(token.span.clone(), "this ')' closes nothing".into())
                .help("leave it out, or add '(' before"),
            lexer::Kind::Symbol("&") => error.help("did you mean 'and'?"),
            lexer::Kind::Symbol("|") => error.help("did you mean 'or'?"),
            lexer::Kind::Symbol(sign) => match self.after_sign(sign) {
                Some(help) => error.help(help),
                None => error.help(format!(
                    "leave out the '{sign}', or join two expressions with 'and'"
                )),
            },
            lexer::Kind::End => error.help("join expressions with 'and' or 'or'"),
            _ => {
                let help = self.missing_operator(token);
                error.help(help)
            }
        }
    }

    fn after_sign(&self, sign: &str) -> Option<String> {
        let last = self.last.as_ref()?;
        let (primitive, id, head) = (
            self.slice(&last.span),
            self.slice(&last.id),
            words_of(&last.qualifiers),
        );
        let next = self.ahead(1);
        let follows = self.text_of(next);
        match sign {
            "," | ";" if !id.is_empty() => Some(format!("write '{head} in {{{}}}'", self.listed(id))),
            ":" if number::is_dotted(id) && number::is_number(follows) => {
                Some(format!("write '{primitive} and port {follows}'"))
            }
            ":" | "-" if number::is_number(id) && number::is_number(follows) => match last.qualifiers.kind {
                Some(Kind::Port | Kind::PortRange) => Some(format!("write 'portrange {id}-{follows}'")),
                _ => Some(format!("write '{head} in {{{id}-{follows}}}'")),
            },
            "/" if matches!(follows, "tcp" | "udp" | "sctp") => Some(format!("write '{follows} {primitive}'")),
            "{" if last.qualifiers.kind.is_some() => Some(format!(
                "write '{head} in {}'",
                self.braces(0, last.qualifiers.kind)
            )),
            ":" if last.id.is_empty() && number::is_number(follows) => {
                Some(format!("write '{primitive} port {follows}'"))
            }
            "-" if next.kind == lexer::Kind::Word && !number::is_number(follows) => {
                Some("options stand before the filter, not behind it".into())
            }
            "*" if id.ends_with('.') => Some(wildcard(&last.qualifiers, id)),
            "(" => Some(match self.within(0) {
                Some(group) => format!("write '{primitive} and ({group})'"),
                None => "join two expressions with 'and' or 'or'".into(),
            }),
            "!" => Some("join two expressions with 'and' or 'or'".into()),
            "=" | "==" if last.id.is_empty() => Some(format!("write '{primitive} {follows}'")),
            "!=" if last.id.is_empty() => Some(format!("write 'not {primitive} {follows}'")),
            "===" | "<" | ">" | "<=" | ">=" | "=" | "==" | "!=" => {
                Some("only 'len', bytes like 'tcp[13]', 'bytes', 'packets' and 'duration' can be compared".into())
            }
            _ => None,
        }
    }

    /// `80, 443` of `80,443 and tcp`.
    fn listed(&self, first: &str) -> String {
        let mut members = vec![first.to_owned()];
        for by in 0..MOST_SHOWN {
            let token = self.ahead(by);
            match token.kind {
                lexer::Kind::Symbol("," | ";") => {}
                lexer::Kind::Word | lexer::Kind::Address if self.word_of(token).is_none() => {
                    members.push(self.text_of(token).into());
                }
                _ => break,
            }
        }
        members.join(", ")
    }

    fn missing_operator(&self, token: &Token) -> String {
        let text = self.text_of(token);
        if let Some(help) = self.misnamed(text) {
            return help;
        }
        if let Some(near) = nearest(text, ["and", "or"]).filter(|_| self.word().is_none()) {
            return format!("did you mean '{near}'?");
        }
        if let Some(Word::Unsupported(group)) = self.word() {
            return group.help.into();
        }
        if let Some(near) =
            nearest(text, SUGGESTED).filter(|_| self.word().is_none() && !is_label(text))
        {
            return format!("did you mean '{near}'?");
        }
        let next = self.next_primitive();
        let Some(last) = &self.last else {
            return format!("put 'and' or 'or' before '{next}'");
        };
        let before = self.slice(&last.span);
        let is_id = number::is_number(text)
            || number::is_dotted(text)
            || number::range(text).is_some()
            || token.kind == lexer::Kind::Address;
        if is_id && !last.id.is_empty() {
            return format!("write '{before} or {text}'");
        }
        if number::is_number(text) {
            return format!("write '{before} and port {text}'");
        }
        let both = is_transport(before) && is_transport(next);
        format!(
            "write '{before} {} {next}'",
            if both { "or" } else { "and" }
        )
    }

    /// What follows tells what was meant: `icmp type 8`, `interface eth0 eth1`, `net 10.0.0.0 255.0.0.0`.
    fn misnamed(&self, text: &str) -> Option<String> {
        let last = self.last.as_ref()?;
        let (before, id) = (self.slice(&last.span), self.slice(&last.id));
        match (last.qualifiers.kind, text) {
            (None, "type" | "code") if ["icmp", "icmp6"].contains(&before) => {
                let value = self.text_of(self.ahead(1));
                Some(format!("write '{before}[{before}{text}] = {value}'"))
            }
            (Some(Kind::Interface), _) if self.word().is_none() => {
                Some(match number::is_number(text) {
                    true => format!("write 'interface {id}{text}'"),
                    false => format!("write 'interface in {{{id}, {text}}}'"),
                })
            }
            (Some(Kind::Net), _) if text.starts_with("255.") => {
                Some(format!("write '{before} mask {text}'"))
            }
            _ => None,
        }
    }

    /// The text of what comes next, up to an operator.
    fn next_primitive(&self) -> &str {
        self.primitive_ahead(0)
    }

    pub(super) fn primitive_ahead(&self, first: usize) -> &str {
        let start = self.ahead(first).span.start;
        let mut end = self.ahead(first).span.end;
        for by in first + 1..first + 4 {
            let token = self.ahead(by);
            let ends = matches!(
                token.kind,
                lexer::Kind::End
                    | lexer::Kind::Bad(_)
                    | lexer::Kind::Symbol("(" | ")" | "{" | "&&" | "||" | "," | "!")
            );
            if ends || matches!(self.word_of(token), Some(Word::And | Word::Or | Word::Not)) {
                break;
            }
            end = token.span.end;
        }
        self.slice(&(start..end))
    }

    /// `tcp.port == 80`.
    pub(super) fn display_filter(&self, token: &Token, help: Option<String>) -> FilterError {
        let message = format!(
            "'{}' is a display filter of Wireshark",
            cut(self.text_of(token), LONGEST_WORD)
        );
        self.error(token.span.clone(), message)
            .help(help.unwrap_or_else(|| {
                "ask for bytes with 'tcp[13]', for addresses with 'host', for ports with 'port'"
                    .into()
            }))
    }
}

/// `net 10.0.0.0/24` for `host 10.0.0.*`.
fn wildcard(qualifiers: &Qualifiers, id: &str) -> String {
    let parts: Vec<&str> = id.trim_end_matches('.').split('.').collect();
    let zeros = ".0".repeat(4_usize.saturating_sub(parts.len()));
    let net = Qualifiers {
        kind: Some(Kind::Net),
        ..qualifiers.clone()
    };
    format!(
        "write '{} {}{zeros}/{}'",
        words_of(&net),
        parts.join("."),
        8 * parts.len()
    )
}

/// Tokens of a suggestion.
const MOST_SHOWN: usize = 12;
/// `tcp src port`.
pub(super) fn words_of(qualifiers: &Qualifiers) -> String {
    let side = qualifiers.side.map(|side| match side {
        Side::Src => "src",
        Side::Dst => "dst",
        Side::Either => "src or dst",
        Side::Both => "src and dst",
    });
    let words = [
        qualifiers.protocol.as_deref(),
        side,
        qualifiers.kind.map(Kind::word),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn is_transport(text: &str) -> bool {
    ["tcp", "udp", "icmp", "icmp6", "sctp", "arp", "ip", "ip6"].contains(&text)
}
