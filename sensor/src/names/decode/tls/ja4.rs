//! JA4, FoxIO's fingerprint of a TLS client (the specification of JA4 itself is under the BSD 3-clause licence).
//!
//! `t13d1516h2_8daaf6152771_e5627efa2ab1`: what the client offers as readable counts, then hashes of its ciphers and of its
//! extensions, both in sorted order, because clients shuffle them.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::Transport;

/// What of a ClientHello goes into the fingerprint, as it stood in the message.
#[derive(Debug, Default)]
pub(super) struct Offer {
    pub(super) legacy: u16,
    /// Of `supported_versions`, without GREASE.
    pub(super) versions: Vec<u16>,
    pub(super) ciphers: Vec<u16>,
    pub(super) extensions: Vec<u16>,
    pub(super) signatures: Vec<u16>,
    /// The first protocol.
    pub(super) alpn: Option<Vec<u8>>,
}

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
/// Stands for the hash of nothing.
const NOTHING: &str = "000000000000";

/// RFC 8701: values without a meaning, which keep servers used to unknown ones.
pub(super) fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

pub(super) fn fingerprint(transport: Transport, offer: &Offer) -> String {
    let mut ciphers = without_grease(&offer.ciphers);
    let mut extensions = without_grease(&offer.extensions);
    let protocol = match transport {
        Transport::Tcp => 't',
        Transport::Quic => 'q',
        Transport::Dtls => 'd',
    };
    let name = if extensions.contains(&SERVER_NAME) {
        'd'
    } else {
        'i'
    };
    let mut out = String::with_capacity(36);
    // Writing to a String can't fail.
    let _ = write!(
        out,
        "{protocol}{}{name}{:02}{:02}",
        version(offer),
        ciphers.len().min(99),
        extensions.len().min(99)
    );
    out.extend(ends(offer.alpn.as_deref()));
    out.push('_');
    ciphers.sort_unstable();
    out.push_str(&hash(&listed(&ciphers)));
    out.push('_');
    extensions.retain(|kind| *kind != SERVER_NAME && *kind != ALPN);
    extensions.sort_unstable();
    let mut list = listed(&extensions);
    let signatures = without_grease(&offer.signatures);
    if !list.is_empty() && !signatures.is_empty() {
        list.push('_');
        list.push_str(&listed(&signatures));
    }
    out.push_str(&hash(&list));
    out
}

fn without_grease(values: &[u16]) -> Vec<u16> {
    let meant = values.iter().copied().filter(|value| !is_grease(*value));
    meant.collect()
}

fn version(offer: &Offer) -> &'static str {
    let highest = offer.versions.iter().copied().max_by_key(|version| {
        // DTLS counts downwards.
        if *version >= 0xfe00 {
            !*version
        } else {
            *version
        }
    });
    match highest.unwrap_or(offer.legacy) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// First and last character of the first protocol; if one of them is no letter or digit, of its hexadecimal digits.
fn ends(alpn: Option<&[u8]>) -> [char; 2] {
    let Some([first, last]) = alpn.and_then(|name| Some([*name.first()?, *name.last()?])) else {
        return ['0', '0'];
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(first), char::from(last)];
    }
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    [digit(first >> 4), digit(last & 15)]
}

/// `1301,1302`.
fn listed(values: &[u16]) -> String {
    let mut list = String::with_capacity(values.len() * 5);
    for value in values {
        if !list.is_empty() {
            list.push(',');
        }
        let _ = write!(list, "{value:04x}");
    }
    list
}

fn hash(list: &str) -> String {
    if list.is_empty() {
        return NOTHING.to_owned();
    }
    let digest = Sha256::digest(list.as_bytes());
    digest[..6]
        .iter()
        .fold(String::with_capacity(12), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification, with GREASE and in another order than it is hashed.
    fn chrome() -> Offer {
        Offer {
            legacy: 0x0303,
            versions: vec![0x0304, 0x0303],
            ciphers: vec![
                0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
                0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005,
                0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0xfafa,
            ],
            signatures: vec![
                0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
            ],
            alpn: Some(b"h2".to_vec()),
        }
    }

    #[test]
    fn the_specification_s_example() {
        assert_eq!(
            fingerprint(Transport::Tcp, &chrome()),
            "t13d1516h2_8daaf6152771_e5627efa2ab1"
        );
    }

    /// The specification's example of a hello without signature algorithms: no underscore at the end of the list.
    #[test]
    fn without_signature_algorithms() {
        let offer = Offer {
            signatures: Vec::new(),
            ..chrome()
        };
        assert_eq!(
            fingerprint(Transport::Quic, &offer),
            "q13d1516h2_8daaf6152771_6d807ffa2a79"
        );
    }

    #[test]
    fn without_anything() {
        let offer = Offer {
            legacy: 0xfefd,
            ..Offer::default()
        };
        assert_eq!(
            fingerprint(Transport::Dtls, &offer),
            "dd2i000000_000000000000_000000000000"
        );
    }

    #[test]
    fn the_first_protocol_s_ends() {
        let ends = |name: &[u8]| String::from_iter(ends(Some(name)));
        assert_eq!(ends(b"http/1.1"), "h1");
        assert_eq!(ends(b"x"), "xx");
        assert_eq!(ends(b"\xab"), "ab");
        assert_eq!(ends(b"\xab\xcd"), "ad");
        assert_eq!(ends(b"\x30\xab"), "3b");
        assert_eq!(ends(b"\x30\x31\xab\xcd"), "3d");
        assert_eq!(ends(b"\x30\xab\xcd\x31"), "01");
        assert_eq!(ends(b""), "00");
    }
}
