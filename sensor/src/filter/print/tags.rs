//! Many VLAN ids, MPLS labels or PPPoE sessions as one list.

use std::fmt::{self, Formatter, Write as _};

use crate::filter::tree::{Test, Tree};

/// Fewer are printed one by one.
const FEW: usize = 4;
/// As many as a range may have where it is read again.
const LONGEST_RANGE: usize = 4096;

/// The list that the first of these alternatives make: its word, its numbers.
pub(super) fn list(parts: &[Tree]) -> Option<(&'static str, Vec<u32>)> {
    let (word, _) = number(parts.first()?)?;
    let numbers = parts.iter().map_while(|part| match number(part) {
        Some((own, number)) if own == word => Some(number),
        _ => None,
    });
    let numbers: Vec<u32> = numbers.collect();
    (numbers.len() >= FEW).then_some((word, numbers))
}

fn number(part: &Tree) -> Option<(&'static str, u32)> {
    match part {
        Tree::Test(Test::Vlan(Some(id))) => Some(("vlan", u32::from(*id))),
        Tree::Test(Test::Mpls(Some(label))) => Some(("mpls", *label)),
        Tree::Test(Test::Pppoe(Some(session))) => Some(("pppoes", u32::from(*session))),
        _ => None,
    }
}

/// `{1-300, 4000}`, in the order of the tests.
pub(super) fn members(f: &mut Formatter<'_>, mut numbers: &[u32]) -> fmt::Result {
    f.write_char('{')?;
    while let Some(first) = numbers.first() {
        let follow = numbers.windows(2).take_while(|two| two[0] + 1 == two[1]);
        let len = (follow.count() + 1).min(LONGEST_RANGE);
        match numbers[..len].last() {
            Some(last) if last > first => write!(f, "{first}-{last}")?,
            _ => write!(f, "{first}")?,
        }
        numbers = &numbers[len..];
        if !numbers.is_empty() {
            f.write_str(", ")?;
        }
    }
    f.write_char('}')
}
