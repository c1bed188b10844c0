//! Names: which application a flow belongs to, which hosts it is between, and how that is known.
//!
//! Sources hand over the payloads that [`sensor_common::sample`] chooses ([`Sample`]); the [`Book`] looks at them with the
//! decoders and remembers what they say: a [`Label`] for the flow, names for flow and addresses. No I/O, no clock; all
//! caches are bounded, and say how much they put out.

mod book;
pub mod decode;
pub mod resolving;
pub mod text;

use std::sync::Arc;

use sensor_common::application::Application;
use sensor_common::flow::FlowKey;

pub use book::{Book, PutOut};

/// One payload of a flow, as far as it was taken.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// One way, with its origin.
    pub key: FlowKey,
    /// Nanoseconds since the epoch; `None` where the capture has no time.
    pub at: Option<i64>,
    /// Not more than [`sensor_common::sample::LONG`] bytes from the kernel; files give all that was captured.
    pub payload: &'a [u8],
    /// Its length on the wire.
    pub payload_len: u32,
    /// TCP's sequence number of the first byte.
    pub tcp_seq: Option<u32>,
    /// Which of the flow's payloads this is, from 0 on; counted as far as payloads are taken.
    pub number: u8,
    /// The flow's budget is used up: who does not know the flow now never will.
    pub last: bool,
}

/// What a flow's packets speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    pub application: Application,
    pub how: How,
}

/// By what a label was found, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// The bytes themselves.
    Payload,
    /// What a handshake says of what comes inside: ALPN.
    Handshake,
    /// Another flow announced it: FTP's PASV and PORT, SDP.
    Expectation,
    /// A port, which is no more than a habit.
    Port,
}

impl How {
    pub const ALL: [How; 4] = [How::Payload, How::Handshake, How::Expectation, How::Port];

    /// The word that stands in reports.
    pub const fn name(self) -> &'static str {
        match self {
            How::Payload => "payload",
            How::Handshake => "handshake",
            How::Expectation => "expectation",
            How::Port => "port",
        }
    }
}

/// What is known of a flow's label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// More payloads may tell.
    #[default]
    Undecided,
    /// It won't change any more. `None`: nothing was found, so the port must do.
    Decided(Option<Label>),
}

/// A name and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// As [`text::shown`] has it: any character may be in it, so escape it wherever it is shown.
    pub text: Arc<str>,
    pub source: NameSource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameSource {
    /// Server name of a TLS or QUIC ClientHello.
    Sni,
    /// Host of an HTTP request.
    Http,
    /// What was asked for and answered by the address.
    Dns,
    Mdns,
    Llmnr,
    Netbios,
    /// Host name that a client gives itself.
    Dhcp,
    /// Looked up by us, because it was asked for (`--resolve`).
    ReverseDns,
}

impl NameSource {
    /// The word that stands in reports.
    pub const fn name(self) -> &'static str {
        match self {
            NameSource::Sni => "sni",
            NameSource::Http => "http",
            NameSource::Dns => "dns",
            NameSource::Mdns => "mdns",
            NameSource::Llmnr => "llmnr",
            NameSource::Netbios => "netbios",
            NameSource::Dhcp => "dhcp",
            NameSource::ReverseDns => "reverse-dns",
        }
    }
}

/// What the payloads of both directions of a flow said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowInfo {
    /// Of the server, the surest first; of DNS and its kin: what was asked.
    pub names: Vec<Name>,
    pub tls: Option<Arc<Tls>>,
    pub http: Option<Arc<Http>>,
}

impl FlowInfo {
    /// They said nothing that is kept.
    pub fn is_nothing(&self) -> bool {
        self.names.is_empty() && self.tls.is_none() && self.http.is_none()
    }
}

/// Of the ClientHello, and the version that the server chose where its answer was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// `1.3`, `1.2` ..., `dtls1.2`: the server's choice, else the highest that the client offers.
    pub version: Option<String>,
    /// Protocols that the client offers, in its order.
    pub alpn: Vec<String>,
    /// Fingerprint of the client (FoxIO, JA4).
    pub ja4: Option<String>,
}

/// Of the flow's first request and first answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Http {
    pub method: Option<String>,
    pub host: Option<String>,
    pub user_agent: Option<String>,
    pub status: Option<u16>,
}
