//! Data in an HTML page: JSON that no parser of HTML can take for anything else.

/// JSON in which `<`, `>`, `&` and the line separators of JavaScript are escapes. Outside of strings JSON has none of them,
/// so the value stays the same.
pub(super) fn json_in_html(json: &str) -> String {
    let mut safe = String::with_capacity(json.len() + json.len() / 64);
    let mut rest = json;
    while let Some(place) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        let (before, after) = rest.split_at(place);
        safe.push_str(before);
        let mut after = after.chars();
        if let Some(c) = after.next() {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        }
        rest = after.as_str();
    }
    safe.push_str(rest);
    safe
}

/// For the source lists of a content security policy.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let byte = |place: usize| u32::from(part.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = bits >> (18 - 6 * place) & 63;
            text.push(match place <= part.len() {
                true => char::from(DIGITS[digit as usize]),
                false => '=',
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tag_survives_and_the_value_is_the_same() {
        let hostile = "</script><script>alert(1)</script><!-- \u{2028}\u{2029} &amp; \"'";
        let json = serde_json::to_string(&[hostile]).unwrap();
        let safe = json_in_html(&json);
        assert!(!safe.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
        let back: Vec<String> = serde_json::from_str(&safe).unwrap();
        assert_eq!(back, [hostile]);
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        let pairs = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in pairs {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
