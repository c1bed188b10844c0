//! Text of known width, and lines of a limited one.

pub(super) use crate::escape::text as escape;
use crate::escape::width as char_width;

/// Columns that `text` takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// At most `limit` columns of `text`. What is cut off is the beginning: the end of a name says whose it is, and nobody can
/// make it look like another's by a long first part.
pub(crate) fn tail(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.to_owned();
    }
    let Some(room) = limit.checked_sub(1) else {
        return String::new();
    };
    let mut used = 0;
    let fits = |c: &(usize, char)| {
        used += char_width(c.1);
        used <= room
    };
    let from = text.char_indices().rev().take_while(fits).last();
    let from = from.map_or(text.len(), |(place, _)| place);
    format!("…{}", &text[from..])
}

/// Lines of at most `width` columns, broken at spaces, and within a word only where it is longer than a line.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    for word in text.split(' ') {
        let gap = usize::from(!line.is_empty());
        if gap == 1 && used + gap + self::width(word) > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        } else if gap == 1 {
            line.push(' ');
            used += 1;
        }
        for c in word.chars() {
            if used + char_width(c) > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += char_width(c);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(tail("api.example.com", 15), "api.example.com");
        assert_eq!(tail("api.example.com", 12), "…example.com");
        assert_eq!(tail("日本語.example", 12), "….example".replace('.', "語."));
        for limit in 0..20 {
            assert!(width(&tail("日本語.日本語.example", limit)) <= limit);
        }
    }

    #[test]
    fn lines_are_never_wider_than_asked() {
        let text = "seen 1,234 = a/very/long/path/日本語/that/has/no/space + two more words";
        for limit in 2..80 {
            let lines = wrap(text, limit);
            assert!(lines.iter().all(|line| width(line) <= limit), "{lines:?}");
            let all: String = lines.concat();
            assert_eq!(all.replace(' ', ""), text.replace(' ', ""));
        }
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), [""]);
    }
}
