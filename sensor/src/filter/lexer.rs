//! Text to words and signs, as libpcap's scanner cuts it.
//!
//! Nothing is refused here: what is no word stays in the list as [`Kind::Bad`], and the parser complains when it gets
//! there, because what stands before it often explains it better.

use std::net::Ipv6Addr;

use super::ast::Span;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword, name, number or dotted address.
    Word,
    /// `\tcp`: never a keyword.
    Escaped,
    /// An IPv6 or Ethernet address with colons.
    Address,
    /// `@web`.
    Named,
    /// A path or the name of an interface: this part of the text, without its quotes.
    Raw(Span),
    Symbol(&'static str),
    Bad(Bad),
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    Quote,
    UnclosedQuote,
    Address,
    Zone,
    Dash,
    /// Symbols that mean nothing, letters of other alphabets, control characters.
    Character,
}

/// Longer ones first. Those of three and the odd ones of two only help to say what is wrong.
const SYMBOLS: [&str; 36] = [
    "===", "!==", "&&", "||", "<<", ">>", "<=", ">=", "!=", "==", "<>", "=>", "=<", "~=", "(", ")",
    "[", "]", "{", "}", ",", ":", "+", "-", "*", "/", "%", "&", "|", "^", "!", "<", ">", "=", ";",
    "~",
];

/// The last token is [`Kind::End`], at the end of the text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        text,
        at: 0,
        tokens: Vec::new(),
        interfaces: false,
    };
    while lexer.skip_blanks() {
        let (kind, len) = lexer.next();
        let span = lexer.at..lexer.at + len;
        lexer.at = span.end;
        lexer.tokens.push(Token { kind, span });
        lexer.interfaces = lexer.within_interfaces();
    }
    lexer.tokens.push(Token {
        kind: Kind::End,
        span: text.len()..text.len(),
    });
    lexer.tokens
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    /// Within the braces of `interface in {..}`.
    interfaces: bool,
}

/// What the words before a place make of it.
#[derive(PartialEq, Eq)]
enum Place {
    Plain,
    Path,
    Interface,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Blanks and comments; whether something follows.
    fn skip_blanks(&mut self) -> bool {
        loop {
            self.at = self.text.len() - self.rest().trim_start().len();
            if !self.rest().starts_with('#') {
                return !self.rest().is_empty();
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    /// The next token's kind and length, which is never 0.
    fn next(&self) -> (Kind, usize) {
        match self.place() {
            Place::Plain => self.plain(),
            Place::Path => self.raw(|c| !c.is_whitespace() && c != ')'),
            Place::Interface => match self.raw(is_of_interface) {
                (Kind::Raw(name), len)
                    if name.len() == len && is_operator(&self.text[name.clone()]) =>
                {
                    self.plain()
                }
                token => token,
            },
        }
    }

    fn place(&self) -> Place {
        match self.tokens.as_slice() {
            [.., a, b] if self.is(a, &["in"]) && self.is(b, &["file"]) => Place::Path,
            [.., a] if self.is(a, &INTERFACE) => Place::Interface,
            _ if self.interfaces => Place::Interface,
            _ => Place::Plain,
        }
    }

    /// Whether a list of interfaces is open now.
    fn within_interfaces(&self) -> bool {
        match self.tokens.as_slice() {
            [.., a, b, open] if open.kind == Kind::Symbol("{") => {
                self.is(a, &INTERFACE) && self.is(b, &["in"])
            }
            [.., close] if close.kind == Kind::Symbol("}") => false,
            _ => self.interfaces,
        }
    }

    fn is(&self, token: &Token, words: &[&str]) -> bool {
        let text = &self.text[token.span.clone()];
        token.kind == Kind::Word && words.iter().any(|word| text.eq_ignore_ascii_case(word))
    }

    fn plain(&self) -> (Kind, usize) {
        let rest = self.rest();
        if let Some(token) = colons(rest) {
            return token;
        }
        let word = word_len(rest);
        if word > 0 {
            return (Kind::Word, word);
        }
        let first = rest.chars().next().unwrap_or(' ');
        let after = rest.get(1..).unwrap_or("");
        match first {
            '\\' => match after
                .find(|c: char| c.is_whitespace() || "!(){},".contains(c))
                .unwrap_or(after.len())
            {
                0 => (Kind::Bad(Bad::Character), 1),
                len => (Kind::Escaped, 1 + len),
            },
            '@' => match after.find(|c: char| !is_of_name(c)).unwrap_or(after.len()) {
                0 => (Kind::Bad(Bad::Character), 1),
                len => (Kind::Named, 1 + len),
            },
            '"' | '\'' | '`' | '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' => {
                (Kind::Bad(Bad::Quote), first.len_utf8())
            }
            '\u{2010}'..='\u{2015}' | '\u{2212}' => (Kind::Bad(Bad::Dash), first.len_utf8()),
            _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                Some(symbol) => (Kind::Symbol(symbol), symbol.len()),
                None => (Kind::Bad(Bad::Character), bad_len(rest)),
            },
        }
    }

    fn raw(&self, belongs: impl Fn(char) -> bool) -> (Kind, usize) {
        let rest = self.rest();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        if let Some(quote) = quote {
            return match rest[1..].find(quote) {
                Some(len) => (Kind::Raw(self.at + 1..self.at + 1 + len), len + 2),
                None => (Kind::Bad(Bad::UnclosedQuote), rest.len()),
            };
        }
        match rest.find(|c| !belongs(c)).unwrap_or(rest.len()) {
            0 => self.plain(),
            len => (Kind::Raw(self.at..self.at + len), len),
        }
    }
}

const INTERFACE: [&str; 3] = ["interface", "ifname", "on"];

fn is_operator(word: &str) -> bool {
    ["in", "and", "or", "not"]
        .iter()
        .any(|operator| word.eq_ignore_ascii_case(operator))
}

fn is_of_interface(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !"(){}[],!=<>&|\"'#".contains(c)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

/// Letters, digits, dots, and dashes that are not last: `tcp-syn`, `10.0.0.1`, `1-1023`; `4` of `4-`.
fn word_len(rest: &str) -> usize {
    if !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
        return 0;
    }
    let len = rest.find(|c: char| !is_of_name(c)).unwrap_or(rest.len());
    rest[..len].trim_end_matches('-').len()
}

/// What has two colons or more is meant as an address.
fn colons(rest: &str) -> Option<(Kind, usize)> {
    if !rest.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':') {
        return None;
    }
    let len = rest
        .find(|c: char| !(c.is_ascii_hexdigit() || c == ':' || c == '.'))
        .unwrap_or(rest.len());
    let address = &rest[..len];
    if address.matches(':').count() < 2 {
        return None;
    }
    let after = &rest[len..];
    let tail = after
        .find(|c: char| !(is_of_name(c) || c == ':' || c == '%'))
        .unwrap_or(after.len());
    if after.starts_with('%') && address.parse::<Ipv6Addr>().is_ok() && tail > 1 {
        return Some((Kind::Bad(Bad::Zone), len + tail));
    }
    if tail == 0 && (address.parse::<Ipv6Addr>().is_ok() || is_mac(address)) {
        return Some((Kind::Address, len));
    }
    Some((Kind::Bad(Bad::Address), len + tail))
}

/// The forms of libpcap: `a:b:c:d:e:f` (also with `-` or `.`), `aabb.ccdd.eeff`, `aabbccddeeff`.
pub(super) fn is_mac(word: &str) -> bool {
    let hex = |part: &str, lens: &[usize]| {
        lens.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let six = |sign: char| {
        word.split(sign).count() == 6 && word.split(sign).all(|part| hex(part, &[1, 2]))
    };
    let three = word.split('.').count() == 3 && word.split('.').all(|part| hex(part, &[4]));
    six(':') || six('-') || six('.') || three || hex(word, &[12])
}

/// A run of characters that nothing begins with.
fn bad_len(rest: &str) -> usize {
    let bad = |c: char| {
        !c.is_ascii() && !c.is_whitespace() || c.is_ascii_control() && !c.is_ascii_whitespace()
    };
    match rest.find(|c: char| !bad(c)).unwrap_or(rest.len()) {
        0 => rest.chars().next().map_or(1, char::len_utf8),
        len => len,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        let tokens = tokens(text);
        tokens[..tokens.len() - 1]
            .iter()
            .map(|token| &text[token.span.clone()])
            .collect()
    }

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text).into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn words_are_cut_as_libpcap_cuts_them() {
        assert_eq!(
            cut("tcp[tcpflags]&(tcp-syn|tcp-ack)!=0"),
            [
                "tcp", "[", "tcpflags", "]", "&", "(", "tcp-syn", "|", "tcp-ack", ")", "!=", "0"
            ]
        );
        assert_eq!(cut("ip[6:2]-4"), ["ip", "[", "6", ":", "2", "]", "-", "4"]);
        assert_eq!(
            cut("192.168/16 1-1023 !x"),
            ["192.168", "/", "16", "1-1023", "!", "x"]
        );
        assert_eq!(cut("fe80::1/64,::1"), ["fe80::1", "/", "64", ",", "::1"]);
        assert_eq!(cut("\\tcp)"), ["\\tcp", ")"]);
        assert_eq!(
            cut("tcp # a comment ( with words\nand udp#"),
            ["tcp", "and", "udp"]
        );
    }

    #[test]
    fn addresses_have_colons() {
        for text in [
            "aa:b:cc:dd:ee:ff",
            "::",
            "1::",
            "::ffff:1.2.3.4",
            "1:2:3:4:5:6:7:8",
        ] {
            assert_eq!(kinds(text), [Kind::Address, Kind::End], "{text}");
        }
        for text in [
            "ab:cd:ef:0g:00:00",
            "1:2:3",
            ":::",
            "fe80::256.20.30.40",
            "1::2::3",
        ] {
            assert_eq!(kinds(text), [Kind::Bad(Bad::Address), Kind::End], "{text}");
        }
        assert_eq!(kinds("fe80::1%eth0"), [Kind::Bad(Bad::Zone), Kind::End]);
    }

    #[test]
    fn paths_and_interfaces_are_taken_as_they_are() {
        assert_eq!(
            cut("(net in file /a/b#c.txt) or tcp"),
            ["(", "net", "in", "file", "/a/b#c.txt", ")", "or", "tcp"]
        );
        assert_eq!(
            kinds("in file \"a b\""),
            [Kind::Word, Kind::Word, Kind::Raw(9..12), Kind::End]
        );
        assert_eq!(kinds("in file 'a b")[2], Kind::Bad(Bad::UnclosedQuote));
        assert_eq!(
            cut("interface eth0.1:2@if-3 or tcp"),
            ["interface", "eth0.1:2@if-3", "or", "tcp"]
        );
        assert_eq!(
            cut("on in {a@b, c:d} or a-"),
            ["on", "in", "{", "a@b", ",", "c:d", "}", "or", "a", "-"]
        );
    }

    #[test]
    fn what_is_no_word_is_kept() {
        assert_eq!(
            cut("tcp \0\u{1} “80” é@"),
            ["tcp", "\0\u{1}", "“", "80", "”", "é", "@"]
        );
    }
}
