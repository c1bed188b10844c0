//! QUIC v1 (RFC 9000, 9001) and v2 (RFC 9369): Initial packets, whose keys follow from the connection id that they carry.

/// What the long header of a datagram's first packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongHeader<'a> {
    pub version: u32,
    pub dcid: &'a [u8],
    pub scid: &'a [u8],
}

/// `None` if it can't be QUIC with a version that is known (v1, v2, drafts 29 to 34, version negotiation, Google's Q0xx).
pub fn long_header(datagram: &[u8]) -> Option<LongHeader<'_>> {
    let _ = datagram;
    None
}

/// The TLS bytes of a client's Initial packets, put together from as many datagrams as they come in.
#[derive(Clone, Debug, Default)]
pub struct Initials {
    // at most a few kilobytes
}

impl Initials {
    /// Takes the Initial packets of a datagram from the client, whether whole or cut off (then unauthenticated, and only
    /// its beginning is used). False if none was for this connection or none could be decrypted.
    pub fn add(&mut self, datagram: &[u8]) -> bool {
        let _ = datagram;
        false
    }

    /// The handshake bytes from offset 0 on, up to the first gap.
    pub fn crypto(&self) -> &[u8] {
        &[]
    }
}
