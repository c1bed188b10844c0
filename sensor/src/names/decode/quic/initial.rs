//! Opens an Initial packet: takes the header's protection off and decrypts (RFC 9001 section 5).

use aes::Aes128;
use aes::cipher::{BlockEncrypt as _, KeyInit as _};
use aes_gcm::Aes128Gcm;
use aes_gcm::aead::AeadInPlace as _;

use super::crypto::Frames;
use super::header::Packet;
use super::keys::Keys;

const TAG: usize = 16;
const BLOCK: usize = 16;
const MAX_ID: usize = 20;
/// Bits of the first byte that are 0, below its protection.
const RESERVED: u8 = 0x0c;

/// What a connection's packets from the client are protected with.
#[derive(Clone, Debug)]
pub(super) struct Secret {
    version: u32,
    dcid: [u8; MAX_ID],
    dcid_len: usize,
    keys: Keys,
}

impl Secret {
    pub(super) fn new(version: u32, id: &[u8]) -> Option<Self> {
        let mut dcid = [0; MAX_ID];
        dcid.get_mut(..id.len())?.copy_from_slice(id);
        Some(Secret {
            version,
            dcid,
            dcid_len: id.len(),
            keys: Keys::client(version, id)?,
        })
    }

    /// Of the same connection in another version: peers may change it while they shake hands (RFC 9368).
    pub(super) fn for_version(&self, version: u32) -> Option<Self> {
        if version == self.version {
            return Some(self.clone());
        }
        Secret::new(version, self.dcid.get(..self.dcid_len)?)
    }

    /// The frames of a packet. Of one that is cut off, no tag can tell that they are genuine: then they must make sense as
    /// far as they go.
    pub(super) fn open(&self, packet: &Packet<'_>) -> Option<Frames> {
        let (header, number) = self.unprotect(packet)?;
        let nonce = self.nonce(number);
        let mut bytes = packet.bytes.get(header.len()..)?.to_vec();
        let sealed = (packet.number_at + packet.len).checked_sub(header.len())?;
        let len = sealed.checked_sub(TAG)?;
        if packet.behind.is_some() {
            let tag: [u8; TAG] = bytes.get(len..)?.try_into().ok()?;
            bytes.truncate(len);
            Aes128Gcm::new(&self.keys.key.into())
                .decrypt_in_place_detached(&nonce.into(), &header, &mut bytes, &tag.into())
                .ok()?;
            return Some(Frames { bytes, missing: 0 });
        }
        bytes.truncate(len);
        self.decrypt(nonce, &mut bytes);
        let missing = len - bytes.len();
        let frames = Frames { bytes, missing };
        (header[0] & RESERVED == 0 && frames.make_sense()).then_some(frames)
    }

    /// The header in clear text, up to the end of the packet number, and that number.
    fn unprotect(&self, packet: &Packet<'_>) -> Option<(Vec<u8>, u32)> {
        let at = packet.number_at;
        // The sample is taken as if the number had four bytes.
        let sample = packet.bytes.get(at + 4..at + 4 + BLOCK)?;
        let mut mask: [u8; BLOCK] = sample.try_into().ok()?;
        Aes128::new(&self.keys.hp.into()).encrypt_block((&mut mask).into());
        let first = packet.bytes.first()? ^ mask[0] & 0x0f;
        let number_len = usize::from(first & 3) + 1;
        let mut header = packet.bytes.get(..at + number_len)?.to_vec();
        header[0] = first;
        let mut number = 0;
        for (byte, mask) in header[at..].iter_mut().zip(&mask[1..]) {
            *byte ^= mask;
            number = number << 8 | u32::from(*byte);
        }
        Some((header, number))
    }

    /// The first packets' numbers are so small that all of their bits are there.
    fn nonce(&self, number: u32) -> [u8; 12] {
        let mut nonce = self.keys.iv;
        for (byte, number) in nonce[8..].iter_mut().zip(number.to_be_bytes()) {
            *byte ^= number;
        }
        nonce
    }

    /// What AES-GCM does besides its tag: counter mode, from 2 on.
    fn decrypt(&self, nonce: [u8; 12], bytes: &mut [u8]) {
        let cipher = Aes128::new(&self.keys.key.into());
        let mut counter = [0; BLOCK];
        counter[..12].copy_from_slice(&nonce);
        for (chunk, number) in bytes.chunks_mut(BLOCK).zip(2_u32..) {
            counter[12..].copy_from_slice(&number.to_be_bytes());
            let mut stream = counter;
            cipher.encrypt_block((&mut stream).into());
            for (byte, stream) in chunk.iter_mut().zip(stream) {
                *byte ^= stream;
            }
        }
    }
}
