//! What the reports must say beside the counts: bounded, for an interface may come and go for months.

use std::collections::VecDeque;

const MAX: usize = 100;

#[derive(Default)]
pub(super) struct Notes {
    newest: VecDeque<String>,
    left_out: u64,
}

impl Notes {
    pub(super) fn push(&mut self, note: String) {
        if self.newest.len() == MAX {
            self.newest.pop_front();
            self.left_out += 1;
        }
        self.newest.push_back(note);
    }

    /// In the order in which they came, the newest only.
    pub(super) fn list(&self) -> Vec<String> {
        let left_out = (self.left_out > 0).then(|| format!("{} earlier notes", self.left_out));
        left_out.into_iter().chain(self.newest.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_the_others_counted() {
        let mut notes = Notes::default();
        assert_eq!(notes.list(), Vec::<String>::new());
        for number in 0..MAX + 3 {
            notes.push(number.to_string());
        }
        let list = notes.list();
        assert_eq!(list.len(), MAX + 1);
        assert_eq!((&*list[0], &*list[1]), ("3 earlier notes", "3"));
        assert_eq!(list[MAX], (MAX + 2).to_string());
    }
}
