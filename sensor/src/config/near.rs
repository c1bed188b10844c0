//! Which known name was probably meant.

/// The known name that one or two slips of the finger make of `typed`.
pub(super) fn nearest<'a>(
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_lowercase().replace('_', "-");
    let bearable = match typed.chars().count() {
        0..=2 => 0,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    let near = known
        .into_iter()
        .map(|name| (distance(&typed, name), name))
        .min_by_key(|(distance, _)| *distance)?;
    (near.0 <= bearable).then_some(near.1)
}

/// Insertions, deletions, changes, and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let width = b.len() + 1;
    let mut rows = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..width {
            let at = |i: usize, j: usize| rows[i * width + j];
            rows[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = usize::from(a[i - 1] != b[j - 1]);
                let mut best = (at(i - 1, j) + 1)
                    .min(at(i, j - 1) + 1)
                    .min(at(i - 1, j - 1) + change);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(at(i - 2, j - 2) + 1);
                }
                best
            };
        }
    }
    rows[a.len() * width + b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let known = ["interval", "interface", "top", "kernel-flows", "json"];
        assert_eq!(nearest("intervall", known), Some("interval"));
        assert_eq!(nearest("intreval", known), Some("interval"));
        assert_eq!(nearest("kernel_flows", known), Some("kernel-flows"));
        assert_eq!(nearest("jsno", known), Some("json"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }
}
