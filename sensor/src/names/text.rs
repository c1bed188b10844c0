//! Bytes from the wire as text.

/// The bytes as text, with nothing lost: what is not UTF-8 is written as `\xff`. Control characters stay as they are: each
/// output escapes what could harm its reader.
pub fn shown(bytes: &[u8]) -> String {
    shown_within(bytes, usize::MAX)
}

/// Their beginning, so that the text has not more than `most` bytes; only that much is looked at.
pub fn shown_within(bytes: &[u8], most: usize) -> String {
    let bytes = &bytes[..bytes.len().min(most)];
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        let room = most - text.len();
        text.push_str(&valid[..valid.floor_char_boundary(room)]);
        for byte in chunk.invalid() {
            if valid.len() > room || most - text.len() < ESCAPED {
                return text;
            }
            text.push_str("\\x");
            for half in [byte >> 4, byte & 15] {
                text.push(char::from(DIGITS[usize::from(half)]));
            }
        }
    }
    text
}

/// Bytes of `\xff`.
const ESCAPED: usize = 4;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_shown() {
        assert_eq!(shown("caf\u{e9}".as_bytes()), "caf\u{e9}");
        assert_eq!(shown(b"a\xff\xfeb\x1b"), "a\\xff\\xfeb\x1b");
        assert_eq!(shown(b""), "");
    }

    #[test]
    fn not_more_than_there_is_room_for() {
        assert_eq!(shown_within(b"abcd", 3), "abc");
        assert_eq!(shown_within(b"abcd", 4), "abcd");
        assert_eq!(shown_within(b"a\xff\xfe\xfdb", 9), "a\\xff\\xfe");
        assert_eq!(shown_within(b"\xffabcdefgh", 8), "\\xffabcd");
        assert_eq!(shown_within(b"\xffabcdefgh\xff", 10), "\\xffabcdef");
        for most in 0..40 {
            let text = shown_within(&b"\xc3\xa9\xff\xffx\xe2\x82".repeat(9), most);
            assert!(text.len() <= most, "{most}: {text}");
        }
        assert_eq!(shown_within("a\u{e9}".as_bytes(), 2), "a");
        let hostile = vec![0xff; 1 << 20];
        assert!(shown_within(&hostile, 255).capacity() < 1024);
    }
}
