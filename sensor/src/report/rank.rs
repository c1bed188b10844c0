//! The top N of a long list, without sorting the list.

use std::cmp::Ordering;

/// The first `top` in the order of `compare`, sorted (all where `top` is 0), and the rest, unsorted.
pub(crate) fn top<T>(
    mut list: Vec<T>,
    top: usize,
    compare: impl Fn(&T, &T) -> Ordering,
) -> (Vec<T>, Vec<T>) {
    let mut rest = Vec::new();
    if top > 0 && top < list.len() {
        list.select_nth_unstable_by(top, &compare);
        rest = list.split_off(top);
    }
    list.sort_unstable_by(&compare);
    (list, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_sorted_and_nothing_is_lost() {
        let list: Vec<u32> = (0..100).map(|n| n * 37 % 101).collect();
        for n in 0..=101 {
            let (top, rest) = top(list.clone(), n, |a, b| b.cmp(a));
            let mut sorted = list.clone();
            sorted.sort_by(|a, b| b.cmp(a));
            let expected = if n == 0 { 100 } else { n.min(100) };
            assert_eq!(top, sorted[..expected]);
            assert_eq!(top.len() + rest.len(), 100);
        }
    }
}
