//! The top N of many, without keeping or sorting all of them.

use std::cmp::Ordering;

/// The first `top` in the order of `compare`, sorted; all where `top` is 0.
pub(crate) fn top<T>(
    all: impl IntoIterator<Item = T>,
    top: usize,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    let mut best: Vec<T> = Vec::new();
    // From the first time on that there were too many, the last of the best is at its place.
    let mut cut = false;
    for one in all {
        if cut && compare(&one, &best[top - 1]).is_ge() {
            continue;
        }
        best.push(one);
        if top > 0 && best.len() >= top.saturating_mul(2) {
            best.select_nth_unstable_by(top - 1, &compare);
            best.truncate(top);
            cut = true;
        }
    }
    best.sort_unstable_by(&compare);
    if top > 0 {
        best.truncate(top);
    }
    best
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
