//! TLS (RFC 8446, 5246) and DTLS (RFC 9147, 6347) handshakes: what client and server say before they encrypt.

mod dtls;
mod hello;
mod ja4;
pub(in crate::names::decode) mod reader;

#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use reader::Reader;

/// What a ClientHello says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// `server_name` (RFC 6066), as bytes shown as text.
    pub sni: Option<String>,
    /// RFC 7301, in the client's order.
    pub alpn: Vec<String>,
    /// The highest version that it offers, GREASE left aside: 0x0304 = TLS 1.3, 0xfefd = DTLS 1.2. 0 if the message was
    /// cut before that was known.
    pub version: u16,
    /// JA4, with `t`, `q` or `d` for the transport; `None` if the message was cut before its end.
    pub ja4: Option<String>,
    /// The whole message was there.
    pub complete: bool,
}

/// What a ServerHello says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// The version that was chosen. 0 if the message was cut before that was known.
    pub version: u16,
    pub alpn: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hello {
    Client(ClientHello),
    Server(ServerHello),
    /// Another message of the protocol: a handshake in the middle, application data.
    Other,
}

/// Over what a handshake message travels, as JA4 wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Quic,
    Dtls,
}

/// Bytes of a handshake message that are put together from its records.
const MAX_MESSAGE: usize = 16 << 10;
/// Length of a record: the limit and what encryption and compression may add.
const MAX_RECORD: usize = (16 << 10) + 2048;
/// A longer hello would be none.
const MAX_HELLO: usize = 0xffff;
/// Small records (alerts, change of cipher) that may come before a hello.
const MAX_BEFORE: usize = 4;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// The TLS records at the start of a TCP payload (or of several put together). `None` if they can't be TLS. A ClientHello
/// that is cut yields what came before the cut, with `complete` false.
pub fn records(bytes: &[u8]) -> Option<Hello> {
    let mut rest = bytes;
    for _ in 0..=MAX_BEFORE {
        let Record { kind, body, behind } = record(rest)?;
        if behind.is_some_and(|next| !may_be_record(next)) {
            return None;
        }
        match (kind, behind) {
            (HANDSHAKE, _) => return Some(first_message(rest).unwrap_or(Hello::Other)),
            // A warning or the second hello's companion: the hello itself may follow.
            (CHANGE_CIPHER_SPEC | ALERT, Some(next))
                if body.len() <= 2 && record(next).is_some() =>
            {
                rest = next;
            }
            _ => break,
        }
    }
    Some(Hello::Other)
}

/// Whether these are the records of a ClientHello whose end is still to come, so that it need not be read yet.
pub fn is_begun(bytes: &[u8]) -> bool {
    if !bytes.starts_with(&[HANDSHAKE, 3]) {
        return false;
    }
    let together = put_together(bytes);
    let head = Reader(&together).u32();
    head.is_some_and(|head| {
        let len = (head & 0xff_ffff) as usize;
        head >> 24 == u32::from(CLIENT_HELLO)
            && len <= MAX_HELLO
            && together.len() < (4 + len).min(MAX_MESSAGE)
    })
}

/// A handshake message without records around it (QUIC's CRYPTO frames).
pub fn handshake(bytes: &[u8], transport: Transport) -> Option<Hello> {
    let mut reader = Reader(bytes);
    let kind = reader.u8()?;
    let len = reader.u24()?;
    let there = reader.0.get(..len).unwrap_or(reader.0);
    message(kind, there, len, transport)
}

/// A DTLS datagram.
pub fn datagram(bytes: &[u8]) -> Option<Hello> {
    dtls::datagram(bytes)
}

/// `1.3`, `dtls1.2` ...; `None` for a version without a name.
pub fn version_name(version: u16) -> Option<&'static str> {
    Some(match version {
        0x0300 => "ssl3.0",
        0x0301 => "1.0",
        0x0302 => "1.1",
        0x0303 => "1.2",
        0x0304 => "1.3",
        0xfeff => "dtls1.0",
        0xfefd => "dtls1.2",
        0xfefc => "dtls1.3",
        _ => return None,
    })
}

struct Record<'a> {
    kind: u8,
    /// As far as it is there.
    body: &'a [u8],
    /// What follows; `None` if the record is cut off.
    behind: Option<&'a [u8]>,
}

/// The record at the start.
fn record(bytes: &[u8]) -> Option<Record<'_>> {
    let mut reader = Reader(bytes);
    let kind = reader.u8()?;
    let version = reader.u16()?;
    let len = usize::from(reader.u16()?);
    let possible = (20..=24).contains(&kind)
        && (0x0300..=0x0304).contains(&version)
        && (1..=MAX_RECORD).contains(&len)
        && (kind != CHANGE_CIPHER_SPEC || len == 1);
    if !possible {
        return None;
    }
    let (body, behind) = match reader.0.split_at_checked(len) {
        Some((body, behind)) => (body, Some(behind)),
        None => (reader.0, None),
    };
    Some(Record { kind, body, behind })
}

/// Whether these may be the first bytes of a record; there may be fewer than its header has.
fn may_be_record(bytes: &[u8]) -> bool {
    if bytes.len() >= 5 {
        return record(bytes).is_some();
    }
    bytes.first().is_none_or(|kind| (20..=24).contains(kind))
        && bytes.get(1).is_none_or(|major| *major == 3)
        && bytes.get(2).is_none_or(|minor| *minor <= 4)
}

/// The hello that begins in the handshake record at the start. Any other message may as well be encrypted.
fn first_message(bytes: &[u8]) -> Option<Hello> {
    let together = put_together(bytes);
    let mut reader = Reader(&together);
    let kind = reader.u8()?;
    let len = reader.u24()?;
    let there = reader.0.get(..len).unwrap_or(reader.0);
    message(kind, there, len, Transport::Tcp)
}

/// The bodies of the handshake records in a row, up to the end of the first message.
fn put_together(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut together = Cow::Borrowed(&[][..]);
    let mut rest = bytes;
    while let Some(Record {
        kind: HANDSHAKE,
        body,
        behind,
    }) = record(rest)
    {
        if together.is_empty() {
            together = Cow::Borrowed(body);
        } else {
            let room = MAX_MESSAGE.saturating_sub(together.len());
            together
                .to_mut()
                .extend_from_slice(&body[..body.len().min(room)]);
        }
        let wanted = match Reader(&together).u32() {
            Some(head) => 4 + (head & 0xff_ffff) as usize,
            None => 4,
        };
        if together.len() >= wanted.min(MAX_MESSAGE) {
            break;
        }
        match behind {
            Some(behind) => rest = behind,
            None => break,
        }
    }
    together
}

/// A message of `len` bytes, of which these are there.
fn message(kind: u8, there: &[u8], len: usize, transport: Transport) -> Option<Hello> {
    let whole = there.len() >= len;
    match kind {
        CLIENT_HELLO if len <= MAX_HELLO => {
            hello::client(there, whole, transport).map(Hello::Client)
        }
        SERVER_HELLO if len <= MAX_HELLO => {
            hello::server(there, whole, transport).map(Hello::Server)
        }
        CLIENT_HELLO | SERVER_HELLO => None,
        // RFC 8446 appendix B.3, 5246 and 6347: nothing but hellos is looked into.
        0 | 3..=6 | 8 | 11..=16 | 20..=25 | 67 | 254 => Some(Hello::Other),
        _ => None,
    }
}
