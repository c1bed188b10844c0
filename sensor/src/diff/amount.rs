//! How much of something there was in a report, and what two of these amounts say together.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::Counts;

/// What a report says of one row: exact, or a range where its lists don't say everything.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Amount {
    pub packets: u64,
    pub bytes: u64,
    /// Where it may be more than `bytes`: as much as this. Null: it is exact.
    pub bytes_at_most: Option<u64>,
    /// Of `bytes`; null where the report has no duration.
    pub bits_per_sec: Option<f64>,
    /// Of `bytes_at_most`; null with it.
    pub bits_per_sec_at_most: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Certainly nothing of it in A.
    New,
    /// Certainly nothing of it in B.
    Gone,
    Grew,
    Shrank,
    /// Not listed in A, and more than it can have been there.
    NewOrGrew,
    /// Not listed in B, and more than it can be there.
    GoneOrShrank,
    /// The two may be the same, or not.
    Unknown,
    /// By less than half a percent, as far as both are listed.
    Same,
}

impl Amount {
    pub(super) fn new(counts: Counts, at_most: Option<u64>, seconds: f64) -> Self {
        let rate = |bytes: u64| (seconds > 0.0).then(|| bytes as f64 * 8.0 / seconds);
        let at_most = at_most.filter(|most| *most > counts.bytes);
        Amount {
            packets: counts.packets,
            bytes: counts.bytes,
            bytes_at_most: at_most,
            bits_per_sec: rate(counts.bytes),
            bits_per_sec_at_most: at_most.and_then(rate),
        }
    }
}

/// Least and most that it may be, in the measure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Range {
    /// `unit`: what a byte is in the measure.
    pub(super) fn of(amount: &Amount, unit: f64) -> Self {
        Range {
            least: amount.bytes as f64 * unit,
            most: amount.bytes_at_most.unwrap_or(amount.bytes) as f64 * unit,
        }
    }

    fn is_exactly_nothing(self) -> bool {
        self.most == 0.0
    }
}

/// What of the change from `a` to `b` is certain: of all changes that there may be, the one closest to none.
pub(super) fn certain_change(a: Range, b: Range) -> f64 {
    if b.least > a.most {
        b.least - a.most
    } else if b.most < a.least {
        b.most - a.least
    } else {
        0.0
    }
}

/// The largest change that there may be, without its sign.
pub(super) fn possible_change(a: Range, b: Range) -> f64 {
    (b.most - a.least).max(a.most - b.least)
}

/// Less than that of the larger one is no change.
const SAME: f64 = 0.005;

pub(super) fn verdict(a: Range, b: Range) -> Verdict {
    let close = |x: f64, y: f64| (x - y).abs() <= SAME * x.max(y);
    if close(a.least, b.least) && (a.least > 0.0 || close(a.most, b.most)) {
        return Verdict::Same;
    }
    match certain_change(a, b) {
        more if more > 0.0 && a.is_exactly_nothing() => Verdict::New,
        more if more > 0.0 && a.least == 0.0 => Verdict::NewOrGrew,
        more if more > 0.0 => Verdict::Grew,
        less if less < 0.0 && b.is_exactly_nothing() => Verdict::Gone,
        less if less < 0.0 && b.least == 0.0 => Verdict::GoneOrShrank,
        less if less < 0.0 => Verdict::Shrank,
        _ => Verdict::Unknown,
    }
}
