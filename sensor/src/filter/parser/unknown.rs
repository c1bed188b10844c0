//! Words that are no keywords where they stand: slips of the finger, or names of protocols.

use super::Parser;
use super::mistakes::{LONGEST_WORD, cut};
use super::words::{SUGGESTED, Word};
use crate::filter::error::FilterError;
use crate::filter::lexer::{self, Token};
use crate::filter::names;
use crate::filter::suggest::nearest;

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
        let lower = text.to_ascii_lowercase();
        let numbered = next.kind == lexer::Kind::Word
            && self.text_of(next).starts_with(|c: char| c.is_ascii_digit());
        if matches!(lower.as_str(), "vxlan" | "geneve") && numbered {
            let message =
                format!("'{lower}' takes no number: network identifiers are not supported");
            return Err(self
                .error(next.span.clone(), message)
                .help(format!("ask for all of it: '{lower}'")));
        }
        if lower == "llc"
            && next.kind == lexer::Kind::Word
            && matches!(self.word_of(next), None | Some(Word::Unsupported(_)))
        {
            let message = "types of LLC frames are not supported".into();
            return Err(self
                .error(next.span.clone(), message)
                .help("ask for all of them: 'llc'"));
        }
        let qualified = matches!(
            self.word_of(next),
            Some(Word::Kind(_) | Word::Side(_) | Word::Protocol(_))
        );
        let compared = matches!(
            next.kind,
            lexer::Kind::Symbol("=" | "==" | "!=" | "<" | ">" | "<=" | ">=")
        );
        let follows = numbered
            || qualified
            || compared
            || matches!(next.kind, lexer::Kind::Address | lexer::Kind::Escaped);
        let other = OTHER_WORDS.iter().find(|(other, _)| *other == lower);
        if let (Some((_, ours)), true) = (other, follows) {
            return unknown(format!("write '{ours}'"));
        }
        match nearest(text, SUGGESTED) {
            Some(near) if follows && !is_label(&lower) => {
                unknown(format!("did you mean '{near}'?"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether reports call flows by this name.
pub(super) fn is_label(word: &str) -> bool {
    names::labels().any(|label| label == word)
}

/// Words of other tools, and of people.
const OTHER_WORDS: [(&str, &str); 13] = [
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
