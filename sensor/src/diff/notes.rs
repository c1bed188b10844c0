//! What must be known to read a diff.

use super::{Both, Measure};
use crate::report::Report;
use crate::units;

pub(super) fn of(both: &Both<&Report>, measure: Measure) -> Vec<String> {
    let Both { a, b } = *both;
    let mut notes = Vec::new();
    if measure == Measure::Bytes {
        notes.push("a side has no duration: bytes are compared, not rates".to_owned());
    }
    if a.filter != b.filter {
        let filter = |report: &Report| match &report.filter {
            Some(filter) => format!("by {filter}"),
            None => "by nothing".to_owned(),
        };
        notes.push(format!(
            "A was filtered {}, B {}: what is missing may have been left out",
            filter(a),
            filter(b)
        ));
    }
    if a.sensor.hostname == b.sensor.hostname && overlap(a, b) {
        notes.push("A and B overlap in time: what is in both can't differ".to_owned());
    }
    let before = notes.len();
    notes.extend(incomplete("A", a));
    notes.extend(incomplete("B", b));
    if notes.len() > before {
        notes.push(
            "what a list leaves out is not called new or gone: ≤ is the most that it may have been. Reports with -n 0, and \
             history, have everything"
                .to_owned(),
        );
    }
    notes
}

fn overlap(a: &Report, b: &Report) -> bool {
    let spans = (a.start.zip(a.end), b.start.zip(b.end));
    matches!(spans, (Some((from_a, to_a)), Some((from_b, to_b))) if from_a < to_b && from_b < to_a)
}

/// Which lists of a report leave something out.
fn incomplete(side: &str, report: &Report) -> Option<String> {
    let others = &report.others;
    let lists = [
        ("endpoints", report.endpoints.len(), others.endpoints),
        (
            "conversations",
            report.conversations.len(),
            others.conversations,
        ),
        ("flows", report.flows.len(), others.flows),
    ];
    let cut: Vec<String> = lists
        .iter()
        .filter(|(_, _, left_out)| left_out.packets > 0)
        .map(|(name, listed, left_out)| {
            let listed = units::count(*listed as u64);
            format!("{listed} {name} (without {})", units::bytes(left_out.bytes))
        })
        .collect();
    let most = match report.lists_at_least {
        true => ", and what it lists is at least that much",
        false => "",
    };
    (!cut.is_empty()).then(|| format!("{side} lists only {}{most}", cut.join(", ")))
}
