//! The token that clients of an address beyond loopback must show.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::escape;
use crate::failure::{Exit, Failure};
use crate::seeds;

const SHORTEST: usize = 16;
const LONGEST: usize = 256;

/// Kept as digests only: what compares takes as long whichever byte differs, and nothing prints it.
#[derive(Clone)]
pub struct Token {
    digest: [u8; 32],
    /// What a browser keeps in place of the token; of this run alone.
    cookie: String,
}

impl Token {
    /// Of letters, digits and `-._~`, so that it stands in a URL as it is.
    pub fn new(text: &str) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !text.bytes().all(fits) {
            return Err("letters, digits and -._~ only".to_owned());
        }
        if !(SHORTEST..=LONGEST).contains(&text.len()) {
            return Err(format!("{SHORTEST} to {LONGEST} of them"));
        }
        let mut salted = Sha256::new();
        for seed in seeds::random() {
            salted.update(seed.to_le_bytes());
        }
        salted.update(text);
        Ok(Token {
            digest: Sha256::digest(text).into(),
            cookie: salted.finalize().iter().map(hex).collect(),
        })
    }

    pub fn read(path: &Path) -> Result<Self, Failure> {
        let shown = escape::path(path);
        let refused = |what: String| Failure::told(Exit::Usage, what);
        let text = fs::read_to_string(path)
            .map_err(|error| refused(format!("--token-file {shown} can't be read: {error}")))?;
        Token::new(text.trim_end()).map_err(|rule| {
            refused(format!(
                "--token-file {shown} must hold one token, {rule}; make one: openssl rand -hex 24 > {shown}"
            ))
        })
    }

    pub(super) fn is(&self, shown: &str) -> bool {
        let shown: [u8; 32] = Sha256::digest(shown).into();
        same(&self.digest, &shown)
    }

    pub(super) fn is_cookie(&self, shown: &str) -> bool {
        let digest = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
        same(&digest(&self.cookie), &digest(shown))
    }

    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }
}

fn hex(byte: &u8) -> String {
    format!("{byte:02x}")
}

/// Looks at every byte, whatever the ones before say.
fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let differing = a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
    std::hint::black_box(differing) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0123456789abcdef-._~";

    #[test]
    fn a_token_is_itself_and_its_cookie_is_not_it() {
        let token = Token::new(TEXT).unwrap();
        assert!(token.is(TEXT));
        assert!(!token.is("") && !token.is(&TEXT[1..]) && !token.is(token.cookie()));
        assert!(token.is_cookie(token.cookie()));
        assert!(!token.is_cookie(TEXT) && !token.is_cookie(""));
        let another_run = Token::new(TEXT).unwrap();
        assert!(!another_run.is_cookie(token.cookie()));
    }

    #[test]
    fn what_is_guessed_or_breaks_a_url_is_refused() {
        for bad in [
            "",
            "short",
            "0123456789abcde",
            "0123456789abcdef 0",
            "0123456789abcdef&a=b",
        ] {
            assert!(Token::new(bad).is_err(), "{bad}");
        }
        assert!(Token::new(&"a".repeat(257)).is_err());
    }
}
