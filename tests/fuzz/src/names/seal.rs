//! Initial packets of QUIC as a client sends them (RFC 9001 section 5, RFC 9369): a fuzzer can't find what decrypts.

use aes::Aes128;
use aes::cipher::{BlockEncrypt as _, KeyInit as _};
use aes_gcm::Aes128Gcm;
use aes_gcm::aead::AeadInPlace as _;
use hkdf::Hkdf;
use sha2::Sha256;

pub(super) const V1: u32 = 1;
pub(super) const V2: u32 = 0x6b33_43cf;

const SALT_V1: &[u8] =
    b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a";
const SALT_V2: &[u8] =
    b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9";

/// What a connection's packets have in common.
pub(super) struct Sealer {
    version: u32,
    dcid: [u8; 8],
    key: [u8; 16],
    iv: [u8; 12],
    hp: [u8; 16],
}

impl Sealer {
    pub(super) fn new(version: u32, dcid: [u8; 8]) -> Self {
        let (salt, labels) = match version {
            V2 => (SALT_V2, ["quicv2 key", "quicv2 iv", "quicv2 hp"]),
            _ => (SALT_V1, ["quic key", "quic iv", "quic hp"]),
        };
        let initial = Hkdf::<Sha256>::new(Some(salt), &dcid);
        let secret: [u8; 32] = expand(&initial, "client in");
        let client = Hkdf::<Sha256>::from_prk(&secret).expect("it is long enough");
        Sealer {
            version,
            dcid,
            key: expand(&client, labels[0]),
            iv: expand(&client, labels[1]),
            hp: expand(&client, labels[2]),
        }
    }

    /// `frames`: up to 16000 bytes, at least one; short ones are padded.
    pub(super) fn packet(&self, number: u32, frames: &[u8]) -> Vec<u8> {
        let mut sealed = frames.to_vec();
        sealed.resize(frames.len().max(20), 0);
        let mut packet = vec![if self.version == V2 { 0xd3 } else { 0xc3 }];
        packet.extend(self.version.to_be_bytes());
        packet.push(self.dcid.len() as u8);
        packet.extend(self.dcid);
        packet.extend([0, 0]); // no source id, no token
        packet.extend((0x4000 | (sealed.len() + 4 + 16) as u16).to_be_bytes());
        let at = packet.len();
        packet.extend(number.to_be_bytes());
        let mut nonce = self.iv;
        for (byte, number) in nonce[8..].iter_mut().zip(number.to_be_bytes()) {
            *byte ^= number;
        }
        let tag = Aes128Gcm::new(&self.key.into())
            .encrypt_in_place_detached(&nonce.into(), &packet, &mut sealed)
            .expect("it is short enough");
        packet.extend(sealed);
        packet.extend(tag);
        self.protect(&mut packet, at);
        packet
    }

    /// The packet number, four bytes at `at`, and how long it is.
    fn protect(&self, packet: &mut [u8], at: usize) {
        let mut mask = aes::Block::clone_from_slice(&packet[at + 4..at + 20]);
        Aes128::new(&self.hp.into()).encrypt_block(&mut mask);
        packet[0] ^= mask[0] & 0x0f;
        for (byte, mask) in packet[at..at + 4].iter_mut().zip(&mask[1..]) {
            *byte ^= mask;
        }
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446 section 7.1).
fn expand<const LEN: usize>(from: &Hkdf<Sha256>, label: &str) -> [u8; LEN] {
    let label = format!("tls13 {label}");
    let info = [&[0, LEN as u8, label.len() as u8], label.as_bytes(), &[0]].concat();
    let mut out = [0; LEN];
    from.expand(&info, &mut out).expect("it is short enough");
    out
}
