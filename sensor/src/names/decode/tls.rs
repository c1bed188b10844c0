//! TLS (RFC 8446, 5246) and DTLS (RFC 9147, 6347) handshakes: what client and server say before they encrypt.

/// What a ClientHello says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// `server_name` (RFC 6066), as bytes shown as text.
    pub sni: Option<String>,
    /// RFC 7301, in the client's order.
    pub alpn: Vec<String>,
    /// The highest version that it offers, GREASE left aside: 0x0304 = TLS 1.3, 0xfefd = DTLS 1.2.
    pub version: u16,
    /// JA4, with `t`, `q` or `d` for the transport; `None` if the message was cut before its end.
    pub ja4: Option<String>,
    /// The whole message was there.
    pub complete: bool,
}

/// What a ServerHello says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// The version that was chosen.
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

/// The TLS records at the start of a TCP payload (or of several put together). `None` if they can't be TLS. A ClientHello
/// that is cut yields what came before the cut, with `complete` false.
pub fn records(bytes: &[u8]) -> Option<Hello> {
    let _ = bytes;
    None
}

/// A handshake message without records around it (QUIC's CRYPTO frames).
pub fn handshake(bytes: &[u8], transport: Transport) -> Option<Hello> {
    let _ = (bytes, transport);
    None
}

/// A DTLS datagram.
pub fn datagram(bytes: &[u8]) -> Option<Hello> {
    let _ = bytes;
    None
}

/// `1.3`, `dtls1.2` ...; `None` for a version without a name.
pub fn version_name(version: u16) -> Option<&'static str> {
    let _ = version;
    None
}
