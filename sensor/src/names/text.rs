//! Bytes from the wire as text.

/// The bytes as text, with nothing lost: what is not UTF-8 is written as `\xff`. Control characters stay as they are: each
/// output escapes what could harm its reader.
pub fn shown(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_shown() {
        assert_eq!(shown("caf\u{e9}".as_bytes()), "caf\u{e9}");
        assert_eq!(shown(b"a\xff\xfeb\x1b"), "a\\xff\\xfeb\x1b");
        assert_eq!(shown(b""), "");
    }
}
