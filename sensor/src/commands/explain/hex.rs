//! The bytes of a packet, sixteen a line.

use crate::explain::printable;

const PER_LINE: usize = 16;

/// `0010  45 00 ...  E...`, within 80 columns.
pub(super) fn dump(data: &[u8]) -> Vec<String> {
    let lines = data.chunks(PER_LINE).enumerate();
    lines
        .map(|(row, bytes)| line(row * PER_LINE, bytes))
        .collect()
}

fn line(offset: usize, bytes: &[u8]) -> String {
    let mut hex = String::new();
    for place in 0..PER_LINE {
        if place == PER_LINE / 2 {
            hex.push(' ');
        }
        match bytes.get(place) {
            Some(byte) => hex.push_str(&format!("{byte:02x} ")),
            None => hex.push_str("   "),
        }
    }
    let text: String = bytes.iter().map(|byte| printable(*byte)).collect();
    format!("{offset:04x}  {hex} {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bytes_a_line_and_no_control_characters() {
        let data: Vec<u8> = (0..=255).collect();
        let lines = dump(&data);
        assert_eq!(lines.len(), 16);
        assert!(lines.iter().all(|line| line.len() <= 80 && line.is_ascii()));
        assert!(!lines.concat().chars().any(char::is_control));
        let first = "0040  40 41 42 43 44 45 46 47  48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO";
        assert_eq!(lines[4], first);
        assert_eq!(dump(b"a"), [format!("0000  61 {:46} a", "")]);
        assert!(dump(b"").is_empty());
    }
}
