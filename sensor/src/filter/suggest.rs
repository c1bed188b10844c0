//! Near misses: which known word was meant.

/// The known word that is nearest to what was typed, if it is near enough: one slip (a letter missing, added, wrong, or
/// two swapped) in short words, two in words of six letters and more. Of equal ones the first.
pub(crate) fn nearest<'a>(
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed: Vec<char> = typed
        .chars()
        .take(LONGEST + 1)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if typed.len() < 2 || typed.len() > LONGEST {
        return None;
    }
    let slips = if typed.len() < 6 { 1 } else { 2 };
    known
        .into_iter()
        .filter(|word| word.len().abs_diff(typed.len()) <= slips)
        .map(|word| (distance(&typed, &word.chars().collect::<Vec<_>>()), word))
        .filter(|(far, _)| *far > 0 && *far <= slips)
        .min_by_key(|(far, word)| (*far, !is_swap(&typed, word)))
        .map(|(_, word)| word)
}

const LONGEST: usize = 40;

/// The same letters in another order: the likeliest slip.
fn is_swap(typed: &[char], word: &str) -> bool {
    let (mut a, mut b): (Vec<char>, Vec<char>) = (typed.to_vec(), word.chars().collect());
    a.sort_unstable();
    b.sort_unstable();
    a == b
}

/// Edits between two words, a swap of neighbours being one (Damerau and Levenshtein's, without edits inside a swap).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn one_slip_is_understood() {
        let known = ["proto", "port", "src", "dst", "host", "tcp", "portrange"];
        let pairs = [
            ("prot", Some("port")),
            ("potr", Some("port")),
            ("hots", Some("host")),
            ("scr", Some("src")),
            ("tpc", Some("tcp")),
            ("protrnge", Some("portrange")),
            ("PRT", Some("port")),
            ("dns", None),
            ("port", None),
            ("x", None),
            ("", None),
        ];
        for (typed, word) in pairs {
            assert_eq!(nearest(typed, known), word, "{typed}");
        }
        assert_eq!(nearest(&"x".repeat(60_000), known), None);
    }
}
