//! Words that are no keywords where they stand: slips of the finger, or names of protocols.

use super::Parser;
use super::mistakes::{LONGEST_WORD, cut};
use super::words::{SUGGESTED, Word};
use crate::filter::ast::Qualifiers;
use crate::filter::error::FilterError;
use crate::filter::lexer::{self, Token};
use crate::filter::suggest::nearest;
use crate::filter::{lower, names};

impl Parser<'_, '_, '_> {
    /// `port80`.
    pub(super) fn check_glued(&self, token: &Token) -> Result<(), FilterError> {
        let text = self.text_of(token);
        let split = KINDS
            .iter()
            .find_map(|kind| Some((kind, text.strip_prefix(kind)?)));
        match split {
            Some((kind, id)) if id.starts_with(|c: char| c.is_ascii_digit()) => {
                let message = format!("unknown word '{}'", cut(text, LONGEST_WORD));
                Err(self
                    .error(token.span.clone(), message)
                    .help(format!("did you mean '{kind} {id}'?")))
            }
            _ => Ok(()),
        }
    }

    /// Whether a word that is no keyword may be the name of a protocol here.
    pub(super) fn check_unknown(&self, token: &Token) -> Result<(), FilterError> {
        let text = self.text_of(token);
        let next = self.ahead(1);
        let unknown = |help: String| {
            let message = format!("unknown word '{}'", cut(text, LONGEST_WORD));
            Err(self.error(token.span.clone(), message).help(help))
        };
        let typed = text.to_ascii_lowercase();
        let numbered = next.kind == lexer::Kind::Word
            && self.text_of(next).starts_with(|c: char| c.is_ascii_digit());
        if matches!(typed.as_str(), "vxlan" | "geneve") && numbered {
            let message =
                format!("'{typed}' takes no number: network identifiers are not supported");
            return Err(self
                .error(next.span.clone(), message)
                .help(format!("ask for all of it: '{typed}'")));
        }
        if typed == "llc"
            && next.kind == lexer::Kind::Word
            && matches!(self.word_of(next), None | Some(Word::Unsupported(_)))
        {
            let message = "types of LLC frames are not supported".into();
            return Err(self
                .error(next.span.clone(), message)
                .help("ask for all of them: 'llc'"));
        }
        self.check_measured(token)?;
        let follows = self.is_compared()
            || match next.kind {
                lexer::Kind::Address | lexer::Kind::Escaped => true,
                lexer::Kind::Word => !matches!(self.word_of(next), Some(Word::And | Word::Or)),
                _ => false,
            };
        let other = OTHER_WORDS.iter().find(|(other, _)| *other == typed);
        if let (Some((_, ours)), true) = (other, follows) {
            return unknown(self.in_our_words(ours));
        }
        if is_name(&typed) {
            return Ok(());
        }
        match nearest_word(text, names::words()) {
            _ if !follows && lower::is_explained(&typed) => Ok(()),
            Some(near) => unknown(format!("did you mean '{near}'?")),
            None if follows => unknown(
                "names of protocols are those of the reports; \
                 'host', 'net', 'port' or 'interface' stands before anything else that has a name"
                    .into(),
            ),
            None => Ok(()),
        }
    }

    /// `byte > 10M`.
    pub(super) fn check_measured(&self, token: &Token) -> Result<(), FilterError> {
        let text = self.text_of(token);
        let lower = text.to_ascii_lowercase();
        match MEASURED.iter().find(|(other, _)| *other == lower) {
            Some((_, ours)) if self.is_compared() => {
                let message = format!("unknown word '{}'", cut(text, LONGEST_WORD));
                let help = format!("write '{ours} {}'", self.primitive_ahead(1));
                Err(self.error(token.span.clone(), message).help(help))
            }
            _ => Ok(()),
        }
    }

    /// Whether a comparison follows the next token.
    fn is_compared(&self) -> bool {
        matches!(
            self.ahead(1).kind,
            lexer::Kind::Symbol("=" | "==" | "!=" | "<" | ">" | "<=" | ">=")
        )
    }

    /// `sport = 80` as `src port 80`.
    fn in_our_words(&self, ours: &str) -> String {
        let (not, at) = match self.ahead(1).kind {
            lexer::Kind::Symbol("=" | "==") => ("", 2),
            lexer::Kind::Symbol("!=") => ("not ", 2),
            _ => ("", 1),
        };
        let rest = self.primitive_ahead(at);
        let (first, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        match ours.ends_with(first) {
            true => format!("write '{not}{ours} {behind}'"),
            false => format!("write '{not}{ours} {rest}'"),
        }
    }

    /// A word that would inherit `port` or `proto`, but is rather one of the grammar with a slip.
    pub(super) fn check_misspelt(&self, token: &Token) -> Result<(), FilterError> {
        let text = self.text_of(token);
        let lower = text.to_ascii_lowercase();
        if names::ports(&lower).is_some() || is_name(&lower) {
            return Ok(());
        }
        match nearest_word(text, names::port_names()) {
            Some(near) => Err(self.slip(token, near)),
            None => Ok(()),
        }
    }

    /// `src prot 80`: a word behind a side, with what it should be the kind of.
    pub(super) fn check_kind(
        &self,
        token: &Token,
        qualifiers: &Qualifiers,
    ) -> Result<(), FilterError> {
        let next = self.ahead(1);
        let follows = match next.kind {
            lexer::Kind::Address => true,
            lexer::Kind::Word => self.word_of(next).is_none(),
            _ => false,
        };
        match nearest(self.text_of(token), ["port", "host", "net", "portrange"]) {
            Some(near) if follows && qualifiers.kind.is_none() => Err(self.slip(token, near)),
            _ => Ok(()),
        }
    }

    fn slip(&self, token: &Token, near: &str) -> FilterError {
        let word = cut(self.text_of(token), LONGEST_WORD);
        self.error(token.span.clone(), format!("unknown word '{word}'"))
            .help(format!("did you mean '{near}'?"))
    }
}

/// The word of the grammar that is nearer than all names.
fn nearest_word(text: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let near = nearest(text, SUGGESTED.into_iter().chain(names))?;
    SUGGESTED.contains(&near).then_some(near)
}

/// Whether it is the name of a protocol.
fn is_name(word: &str) -> bool {
    names::uses(word).is_some() || names::nameless(word).is_some()
}

/// Whether reports call flows by this name.
pub(super) fn is_label(word: &str) -> bool {
    names::labels().any(|label| label == word)
}

/// Words of other tools, and of people.
const OTHER_WORDS: [(&str, &str); 23] = [
    ("src_port", "src port"),
    ("dst_port", "dst port"),
    ("src-port", "src port"),
    ("dst-port", "dst port"),
    ("srcport", "src port"),
    ("dstport", "dst port"),
    ("src_ip", "src host"),
    ("dst_ip", "dst host"),
    ("srcip", "src host"),
    ("dstip", "dst host"),
    ("sport", "src port"),
    ("dport", "dst port"),
    ("from", "src"),
    ("source", "src"),
    ("to", "dst"),
    ("dest", "dst"),
    ("destination", "dst"),
    ("address", "host"),
    ("addr", "host"),
    ("mac", "ether host"),
    ("subnet", "net"),
    ("protocol", "proto"),
    ("dev", "interface"),
];

/// What people compare.
const MEASURED: [(&str, &str); 8] = [
    ("size", "len"),
    ("packet_size", "len"),
    ("byte", "bytes"),
    ("packet", "packets"),
    ("pkts", "packets"),
    ("octets", "bytes"),
    ("time", "duration"),
    ("seconds", "duration"),
];

const KINDS: [&str; 10] = [
    "portrange",
    "port",
    "host",
    "net",
    "proto",
    "vlan",
    "mpls",
    "src",
    "dst",
    "len",
];
