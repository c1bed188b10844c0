//! Keys of Initial packets (RFC 9001 section 5.2): no secret, as they follow from a connection id that is in clear text.

use hkdf::Hkdf;
use sha2::Sha256;

use super::header::{DRAFT_29, DRAFT_33, DRAFT_34, V1, V2};

/// Of the client's packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) key: [u8; 16],
    pub(super) iv: [u8; 12],
    /// Of the header's protection.
    pub(super) hp: [u8; 16],
}

const SALT_V1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
    0xcc, 0xbb, 0x7f, 0x0a,
];
const SALT_V2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb,
    0xf9, 0xbd, 0x2e, 0xd9,
];
/// Drafts 29 to 32.
const SALT_DRAFT: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0,
    0x43, 0x90, 0xa8, 0x99,
];

impl Keys {
    /// `None` for a version whose salt is not known.
    pub(super) fn client(version: u32, dcid: &[u8]) -> Option<Self> {
        let (salt, [key_label, iv_label, hp_label]) = match version {
            V1 | DRAFT_33..=DRAFT_34 => (SALT_V1, V1_LABELS),
            DRAFT_29..DRAFT_33 => (SALT_DRAFT, V1_LABELS),
            V2 => (SALT_V2, V2_LABELS),
            _ => return None,
        };
        let initial = Hkdf::<Sha256>::new(Some(&salt), dcid);
        let secret: [u8; 32] = expand(&initial, b"client in")?;
        let client = Hkdf::<Sha256>::from_prk(&secret).ok()?;
        Some(Keys {
            key: expand(&client, key_label)?,
            iv: expand(&client, iv_label)?,
            hp: expand(&client, hp_label)?,
        })
    }
}

const V1_LABELS: [&[u8]; 3] = [b"quic key", b"quic iv", b"quic hp"];
const V2_LABELS: [&[u8]; 3] = [b"quicv2 key", b"quicv2 iv", b"quicv2 hp"];

/// HKDF-Expand-Label with an empty context (RFC 8446 section 7.1).
fn expand<const LEN: usize>(from: &Hkdf<Sha256>, label: &[u8]) -> Option<[u8; LEN]> {
    const PREFIX: &[u8] = b"tls13 ";
    let len = u16::try_from(LEN).ok()?.to_be_bytes();
    let label_len = [u8::try_from(PREFIX.len() + label.len()).ok()?];
    let mut out = [0; LEN];
    from.expand_multi_info(&[&len, &label_len, PREFIX, label, &[0]], &mut out)
        .ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn of(version: u32) -> [String; 3] {
        let dcid = 0x8394_c8f0_3e51_5708_u64.to_be_bytes();
        let keys = Keys::client(version, &dcid).unwrap();
        [hex(&keys.key), hex(&keys.iv), hex(&keys.hp)]
    }

    /// Appendix A.1 of RFC 9001 and of RFC 9369.
    #[test]
    fn the_rfcs_vectors() {
        let v1 = [
            "1f369613dd76d5467730efcbe3b1a22d",
            "fa044b2f42a3fd3b46fb255c",
            "9f50449e04a0e810283a1e9933adedd2",
        ];
        assert_eq!(of(V1), v1);
        assert_eq!(of(DRAFT_34), v1);
        let v2 = [
            "8b1a0bc121284290a29e0971b5cd045d",
            "91f73e2351d8fa91660e909f",
            "45b95e15235d6f45a6b19cbcb0294ba9",
        ];
        assert_eq!(of(V2), v2);
    }

    /// Appendix A.1 of draft-ietf-quic-tls-29.
    #[test]
    fn the_drafts_vector() {
        let draft = [
            "175257a31eb09dea9366d8bb79ad80ba",
            "6b26114b9cba2b63a9e8dd4f",
            "9ddd12c994c0698b89374a9c077a3077",
        ];
        assert_eq!(of(DRAFT_29), draft);
        assert_eq!(Keys::client(0x5130_3436, b"12345678"), None);
    }
}
