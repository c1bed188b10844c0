//! QUIC v1 (RFC 9000, 9001) and v2 (RFC 9369): Initial packets, whose keys follow from the connection id that they carry.

mod crypto;
mod header;
mod initial;
mod keys;

#[cfg(test)]
mod tests;

use crypto::Crypto;
use initial::Secret;

/// What the long header of a datagram's first packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongHeader<'a> {
    pub version: u32,
    pub dcid: &'a [u8],
    pub scid: &'a [u8],
}

/// `None` if it can't be QUIC with a version that is known: v1, v2, drafts 16 to 34, Facebook's, Google's (Q0xx, T05x), and
/// version negotiation with one of them. Of those before draft 29 and of the companies' own the keys are not known.
pub fn long_header(datagram: &[u8]) -> Option<LongHeader<'_>> {
    header::ietf(datagram).or_else(|| header::google(datagram))
}

/// The TLS bytes of a client's Initial packets, put together from as many datagrams as they come in.
#[derive(Clone, Debug, Default)]
pub struct Initials {
    /// Of the connection whose bytes these are.
    secret: Option<Secret>,
    crypto: Crypto,
}

/// Packets of one datagram that are looked at.
const MAX_PACKETS: usize = 8;

impl Initials {
    /// Takes the Initial packets of a datagram from the client, whether whole or cut off (then unauthenticated, and only
    /// its beginning is used). False if none was for this connection or none could be decrypted.
    pub fn add(&mut self, datagram: &[u8]) -> bool {
        let mut used = false;
        let mut rest = datagram;
        for _ in 0..MAX_PACKETS {
            let Some(packet) = header::packet(rest) else {
                break;
            };
            used |= packet.initial && self.packet(&packet);
            match packet.behind {
                Some(behind) => rest = behind,
                None => break,
            }
        }
        used
    }

    /// The handshake bytes from offset 0 on, up to the first gap.
    pub fn crypto(&self) -> &[u8] {
        self.crypto.contiguous()
    }

    /// The client keeps the keys of its first packet while its later ones carry the id that the server chose; after a
    /// Retry, or for another connection between the same ports, all begins anew with the keys of the packet's own id.
    fn packet(&mut self, packet: &header::Packet<'_>) -> bool {
        if let Some(kept) = &self.secret {
            let kept = kept.for_version(packet.version);
            if let Some(frames) = kept.as_ref().and_then(|secret| secret.open(packet)) {
                self.secret = kept;
                self.crypto.add(&frames);
                return true;
            }
        }
        let own = Secret::new(packet.version, packet.dcid);
        let Some(frames) = own.as_ref().and_then(|secret| secret.open(packet)) else {
            return false;
        };
        self.secret = own;
        self.crypto = Crypto::default();
        self.crypto.add(&frames);
        true
    }
}
