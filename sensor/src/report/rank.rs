//! The top N of many, without keeping or sorting all of them.

use std::cmp::Ordering;

/// The first `top` in the order of `compare`, sorted; all where `top` is 0.
pub(crate) fn top<T>(
    all: impl IntoIterator<Item = T>,
    top: usize,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    let mut best = Top::new(top, compare);
    all.into_iter().for_each(|one| best.push(one));
    best.into_sorted()
}

/// As [`top`], of what comes one by one.
pub(super) struct Top<T, C> {
    best: Vec<T>,
    top: usize,
    compare: C,
    /// From the first time on that there were too many, the last of the best is at its place.
    cut: bool,
}

impl<T, C: Fn(&T, &T) -> Ordering> Top<T, C> {
    pub(super) fn new(top: usize, compare: C) -> Self {
        Top {
            best: Vec::new(),
            top,
            compare,
            cut: false,
        }
    }

    /// Whatever is not before this one is not among the first.
    #[inline]
    pub(super) fn last(&self) -> Option<&T> {
        match self.cut {
            true => self.best.get(self.top - 1),
            false => None,
        }
    }

    pub(super) fn push(&mut self, one: T) {
        if let Some(last) = self.last()
            && (self.compare)(&one, last).is_ge()
        {
            return;
        }
        self.best.push(one);
        if self.top > 0 && self.best.len() >= self.top.saturating_mul(2) {
            self.best
                .select_nth_unstable_by(self.top - 1, &self.compare);
            self.best.truncate(self.top);
            self.cut = true;
        }
    }

    pub(super) fn into_sorted(mut self) -> Vec<T> {
        self.best.sort_unstable_by(&self.compare);
        if self.top > 0 {
            self.best.truncate(self.top);
        }
        self.best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_what_sorting_all_would_give() {
        let list: Vec<u32> = (0..100).map(|n| n * 37 % 101).collect();
        for n in 0..=101 {
            let top = top(list.iter().copied(), n, |a, b| b.cmp(a));
            let mut sorted = list.clone();
            sorted.sort_by(|a, b| b.cmp(a));
            let expected = if n == 0 { 100 } else { n.min(100) };
            assert_eq!(top, sorted[..expected]);
        }
    }
}
