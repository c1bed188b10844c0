//! The two hello messages, which are the only ones in clear text in every version.

use super::ja4::{self, Offer};
use super::reader::Reader;
use super::{ClientHello, ServerHello, Transport, version_name};
use crate::names::text;

/// Protocols of a ClientHello that are kept: browsers offer two or three.
const MAX_ALPN: usize = 8;
/// Bytes of each as text.
const ALPN_LENGTH: usize = 32;
/// Of a host name, as DNS has it; what is longer is the name of none.
const SNI_LENGTH: usize = 255;

mod extension {
    pub(super) const SERVER_NAME: u16 = 0;
    pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(super) const ALPN: u16 = 16;
    pub(super) const SUPPORTED_VERSIONS: u16 = 43;
}

/// The body of a ClientHello, or as much of it as is there. `whole`: nothing is cut off. `None` if a field before the
/// extensions can't be.
pub(super) fn client(body: &[u8], whole: bool, transport: Transport) -> Option<ClientHello> {
    let mut hello = ClientHello::default();
    let mut offer = Offer::default();
    let read = client_fields(&mut Reader(body), transport, &mut hello, &mut offer);
    match read {
        Err(Stop::Wrong) => return None,
        Err(Stop::Cut) => {}
        Ok(()) => {
            hello.complete = whole;
            if whole {
                if offer.versions.is_empty() {
                    hello.version = offer.legacy;
                }
                hello.ja4 = Some(ja4::fingerprint(transport, &offer));
            }
        }
    }
    Some(hello)
}

/// Why a message was not read to its end.
enum Stop {
    /// The bytes end, or the rest makes no sense.
    Cut,
    /// It can't be such a message.
    Wrong,
}

fn client_fields(
    reader: &mut Reader<'_>,
    transport: Transport,
    hello: &mut ClientHello,
    offer: &mut Offer,
) -> Result<(), Stop> {
    offer.legacy = reader.u16().ok_or(Stop::Cut)?;
    let _random = start(reader, offer.legacy, transport)?;
    if transport == Transport::Dtls {
        let _cookie = reader.short().ok_or(Stop::Cut)?;
    }
    let ciphers = reader.clone().u16().ok_or(Stop::Cut)?;
    if ciphers == 0 || !ciphers.is_multiple_of(2) {
        return Err(Stop::Wrong);
    }
    let ciphers = reader.long().ok_or(Stop::Cut)?;
    offer.ciphers = numbers(ciphers);
    if reader.short().ok_or(Stop::Cut)?.is_empty() {
        return Err(Stop::Wrong); // compression: "none" is always offered
    }
    extensions(reader, |kind, data| {
        offer.extensions.push(kind);
        let mut data = Reader(data);
        match kind {
            extension::SERVER_NAME if hello.sni.is_none() => hello.sni = server_name(&mut data),
            extension::ALPN if hello.alpn.is_empty() => {
                let list = protocols(&mut data);
                offer.alpn = list.first().map(|first| first.to_vec());
                hello.alpn = list.into_iter().map(protocol).collect();
            }
            extension::SUPPORTED_VERSIONS if offer.versions.is_empty() => {
                offer.versions = data.short().map(numbers).unwrap_or_default();
                offer.versions.retain(|version| !ja4::is_grease(*version));
                hello.version = newest(&offer.versions);
            }
            extension::SIGNATURE_ALGORITHMS if offer.signatures.is_empty() => {
                offer.signatures = data.long().map(numbers).unwrap_or_default();
            }
            _ => {}
        }
    })
}

/// The body of a ServerHello or HelloRetryRequest.
pub(super) fn server(body: &[u8], whole: bool, transport: Transport) -> Option<ServerHello> {
    let mut hello = ServerHello::default();
    match server_fields(&mut Reader(body), transport, &mut hello) {
        Err(Stop::Wrong) => return None,
        Ok(legacy) if whole && hello.version == 0 => hello.version = legacy,
        Ok(_) | Err(Stop::Cut) => {}
    }
    Some(hello)
}

fn server_fields(
    reader: &mut Reader<'_>,
    transport: Transport,
    hello: &mut ServerHello,
) -> Result<u16, Stop> {
    let legacy = reader.u16().ok_or(Stop::Cut)?;
    let _random = start(reader, legacy, transport)?;
    let _cipher = reader.u16().ok_or(Stop::Cut)?;
    let _compression = reader.u8().ok_or(Stop::Cut)?;
    extensions(reader, |kind, data| {
        let mut data = Reader(data);
        match kind {
            extension::SUPPORTED_VERSIONS => hello.version = data.u16().unwrap_or_default(),
            extension::ALPN => {
                hello.alpn = protocols(&mut data).first().map(|first| protocol(first));
            }
            _ => {}
        }
    })?;
    Ok(legacy)
}

/// What both begin with, behind the version: random and session id.
fn start<'a>(
    reader: &mut Reader<'a>,
    version: u16,
    transport: Transport,
) -> Result<&'a [u8], Stop> {
    let possible = match transport {
        Transport::Dtls => matches!(version, 0xfefc..=0xfeff),
        Transport::Tcp | Transport::Quic => version >> 8 == 3,
    };
    if !possible {
        return Err(Stop::Wrong);
    }
    let random = reader.take(32).ok_or(Stop::Cut)?;
    if reader.0.first().is_some_and(|len| *len > 32) {
        return Err(Stop::Wrong);
    }
    reader.short().ok_or(Stop::Cut)?;
    Ok(random)
}

/// Hands out the extensions that are there from end to end. A hello may have none at all.
fn extensions(reader: &mut Reader<'_>, mut each: impl FnMut(u16, &[u8])) -> Result<(), Stop> {
    if reader.0.is_empty() {
        return Ok(());
    }
    let len = usize::from(reader.u16().ok_or(Stop::Cut)?);
    let there = reader.0.len().min(len);
    let mut list = Reader(reader.take(there).ok_or(Stop::Cut)?);
    while !list.0.is_empty() {
        let kind = list.u16().ok_or(Stop::Cut)?;
        let data = list.long().ok_or(Stop::Cut)?;
        each(kind, data);
    }
    if there < len { Err(Stop::Cut) } else { Ok(()) }
}

/// The first host name (RFC 6066 section 3).
fn server_name(data: &mut Reader<'_>) -> Option<String> {
    let mut list = Reader(data.long()?);
    loop {
        let kind = list.u8()?;
        let name = list.long()?;
        if kind == 0 {
            return (!name.is_empty()).then(|| text::shown_within(name, SNI_LENGTH));
        }
    }
}

fn protocols<'a>(data: &mut Reader<'a>) -> Vec<&'a [u8]> {
    let mut list = Reader(data.long().unwrap_or_default());
    core::iter::from_fn(|| list.short().filter(|name| !name.is_empty()))
        .take(MAX_ALPN)
        .collect()
}

fn protocol(name: &[u8]) -> String {
    text::shown_within(name, ALPN_LENGTH)
}

fn numbers(list: &[u8]) -> Vec<u16> {
    let pairs = list.chunks_exact(2);
    pairs
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}

/// Of those that have a name, if any has. DTLS counts downwards.
fn newest(versions: &[u16]) -> u16 {
    let rank = |version: &u16| {
        let age = if *version >= 0xfe00 {
            !*version
        } else {
            *version
        };
        (version_name(*version).is_some(), age)
    };
    versions
        .iter()
        .copied()
        .max_by_key(rank)
        .unwrap_or_default()
}
