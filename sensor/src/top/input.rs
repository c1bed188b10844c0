//! One line that is being typed.

/// Longer than anybody types; what is pasted may be anything.
const LONGEST: usize = 1000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    text: String,
    /// Byte offset of the cursor, at the start of a character or the end.
    cursor: usize,
}

impl Input {
    /// With the cursor at the end.
    pub fn new(text: &str) -> Self {
        Input {
            text: text.to_owned(),
            cursor: text.len(),
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn insert(&mut self, c: char) {
        if !c.is_control() && self.text.len() < LONGEST {
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    pub fn erase(&mut self) {
        if let Some(c) = self.text[..self.cursor].chars().next_back() {
            self.cursor -= c.len_utf8();
            self.text.remove(self.cursor);
        }
    }

    /// What is under the cursor.
    pub fn delete(&mut self) {
        if self.cursor < self.text.len() {
            self.text.remove(self.cursor);
        }
    }

    pub fn erase_word(&mut self) {
        let before = &self.text[..self.cursor];
        let word = before.trim_end();
        let start = word.rfind(' ').map_or(0, |at| at + 1);
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
    }

    /// All before the cursor.
    pub fn erase_line(&mut self) {
        self.text.replace_range(..self.cursor, "");
        self.cursor = 0;
    }

    pub fn left(&mut self) {
        let before = self.text[..self.cursor].chars().next_back();
        self.cursor -= before.map_or(0, char::len_utf8);
    }

    pub fn right(&mut self) {
        let next = self.text[self.cursor..].chars().next();
        self.cursor += next.map_or(0, char::len_utf8);
    }

    pub fn home(&mut self) {
        self.cursor = 0;
    }

    pub fn end(&mut self) {
        self.cursor = self.text.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_stands_where_the_cursor_is() {
        let mut input = Input::new("tcp prt 80");
        (0..4).for_each(|_| input.left());
        input.insert('o');
        assert_eq!(input.text(), "tcp prot 80");
        input.erase_word();
        assert_eq!(input.text(), "tcp t 80");
        input.delete();
        input.end();
        input.erase();
        assert_eq!(input.text(), "tcp  8");
        input.erase_line();
        input.erase();
        input.left();
        assert_eq!((input.text(), input.cursor()), ("", 0));
    }

    #[test]
    fn characters_stay_whole() {
        let mut input = Input::new("é日");
        input.left();
        input.insert('\n');
        input.insert('x');
        input.home();
        input.right();
        input.delete();
        assert_eq!(input.text(), "é日");
        input.right();
        input.right();
        input.erase();
        assert_eq!(input.text(), "é");
        (0..2000).for_each(|_| input.insert('y'));
        assert_eq!(input.text().len(), LONGEST);
    }
}
