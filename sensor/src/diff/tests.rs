use proptest::prelude::*;

use super::*;
use crate::report::samples::{self, HOST, SECOND, START, Sample, context, delta_of, tcp4};
use crate::report::{self as reports, Context};

/// What hosts sent to one port each, over some seconds.
#[derive(Clone, Debug)]
struct Traffic {
    seconds: i64,
    /// Far host, its port, bytes.
    flows: Vec<(u8, u16, u64)>,
}

impl Traffic {
    fn report(&self, top_n: usize) -> Report {
        let sample = |(far, port, bytes): &(u8, u16, u64)| -> Sample {
            tcp4(HOST, 40_000 + u16::from(*far), [192, 0, 2, *far], *port)
                .of(1 + bytes / 1000, *bytes)
        };
        let samples: Vec<Sample> = self.flows.iter().map(sample).collect();
        let span = Some((START, START + self.seconds * SECOND));
        let context = Context {
            top_n,
            span,
            ..context()
        };
        reports::build(&delta_of(&samples, 1000), &context)
    }
}

fn traffic(seconds: i64, flows: &[(u8, u16, u64)]) -> Traffic {
    let flows = flows.to_vec();
    Traffic { seconds, flows }
}

fn any_traffic() -> impl Strategy<Value = Traffic> {
    let port = prop::sample::select(vec![22_u16, 80, 443, 5000]);
    let flow = (0..12_u8, port, 60..5_000_000_u64);
    (1..100_i64, prop::collection::vec(flow, 0..14))
        .prop_map(|(seconds, flows)| Traffic { seconds, flows })
}

/// Of an endpoint `192.0.2.far`.
fn endpoint(diff: &Diff, far: u8) -> Option<&Row<Endpoint>> {
    let addr = IpAddr::from([192, 0, 2, far]);
    diff.endpoints.rows.iter().find(|row| row.key.addr == addr)
}

fn verdict(diff: &Diff, far: u8) -> Option<Verdict> {
    endpoint(diff, far).map(|row| row.verdict)
}

#[test]
fn rates_are_compared_whatever_the_length() {
    // A is ten times as long: what has ten times the bytes there is the same.
    let a = traffic(
        100,
        &[(1, 443, 10_000_000), (2, 80, 5_000_000), (3, 22, 900_000)],
    );
    let b = traffic(
        10,
        &[(1, 443, 1_000_000), (2, 80, 1_500_000), (4, 22, 800_000)],
    );
    let diff = diff(&a.report(0), &b.report(0), 0);
    assert_eq!(diff.measure, Measure::BitsPerSec);
    assert_eq!(verdict(&diff, 1), None);
    assert_eq!(verdict(&diff, 2), Some(Verdict::Grew));
    assert_eq!(verdict(&diff, 3), Some(Verdict::Gone));
    assert_eq!(verdict(&diff, 4), Some(Verdict::New));
    let grew = endpoint(&diff, 2).unwrap();
    assert_eq!(grew.factor, Some(3.0));
    assert_eq!(grew.change, 800_000.0);
    assert_eq!((grew.a.bytes, grew.b.bytes), (5_000_000, 1_500_000));
    let order: Vec<u8> = diff
        .endpoints
        .rows
        .iter()
        .filter_map(|row| match row.key.addr {
            IpAddr::V4(addr) if addr.octets()[0] == 192 => Some(addr.octets()[3]),
            _ => None,
        })
        .collect();
    assert_eq!(order, [2, 4, 3], "by the change in rate");
    let verdicts = diff.endpoints.verdicts;
    assert_eq!((verdicts.new, verdicts.gone, verdicts.same), (1, 1, 1));
    assert_eq!(
        diff.notes,
        ["A and B overlap in time: what is in both can't differ"]
    );
}

#[test]
fn ports_are_those_of_the_servers() {
    let a = traffic(1, &[(1, 443, 1000), (2, 5000, 1000)]).report(0);
    let b = traffic(1, &[(1, 443, 3000), (3, 5000, 1000)]).report(0);
    let diff = diff(&a, &b, 0);
    let row = &diff.ports.rows[0];
    assert_eq!((row.key.transport.as_str(), row.key.port), ("tcp", 443));
    assert_eq!(row.key.service.as_deref(), Some("https"));
    assert_eq!((diff.ports.total, diff.ports.verdicts.same), (1, 1));
}

#[test]
fn what_a_cut_list_does_not_say_is_not_called_new() {
    let many: Vec<(u8, u16, u64)> = (1..=8)
        .map(|n| (n, 443, 1_000_000 / u64::from(n)))
        .collect();
    let a = traffic(1, &many).report(4); // the host and 1 to 3
    let mut more = many.clone();
    more[7].2 = 300_000; // it had 125,000
    more[6].2 = 2_000_000; // it had 142,857, less than the last one listed
    more.push((9, 443, 900_000)); // not there at all, which A does not say
    let b = traffic(1, &more).report(0);
    let diff = diff(&a, &b, 0);
    assert_eq!(verdict(&diff, 7), Some(Verdict::NewOrGrew));
    assert_eq!(verdict(&diff, 9), Some(Verdict::NewOrGrew));
    assert_eq!(verdict(&diff, 8), Some(Verdict::Unknown));
    let row = endpoint(&diff, 7).unwrap();
    let most = row.a.bytes_at_most.unwrap();
    assert_eq!(most, 333_333, "as much as the last one listed");
    assert_eq!(row.change, (2_000_000 - most) as f64 * 8.0);
    assert!(
        diff.notes[1].starts_with("A lists only 4 endpoints (without "),
        "{:?}",
        diff.notes
    );
}

#[test]
fn what_has_no_duration_is_compared_by_bytes() {
    let mut a = traffic(1, &[(1, 443, 1000)]).report(0);
    a.duration_seconds = 0.0;
    let b = traffic(10, &[(1, 443, 1500)]).report(0);
    let diff = diff(&a, &b, 0);
    assert_eq!(diff.measure, Measure::Bytes);
    assert_eq!(endpoint(&diff, 1).unwrap().change, 500.0);
    assert!(diff.notes[0].contains("bytes are compared"));
}

#[test]
fn filters_that_differ_are_told() {
    let a = samples::report(3);
    let mut b = a.clone();
    b.filter = Some("tcp".to_owned());
    let notes = diff(&a, &b, 0).notes;
    assert!(
        notes[0].starts_with("A was filtered by nothing, B by tcp"),
        "{notes:?}"
    );
}

fn opposite(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::New => Verdict::Gone,
        Verdict::Gone => Verdict::New,
        Verdict::Grew => Verdict::Shrank,
        Verdict::Shrank => Verdict::Grew,
        Verdict::NewOrGrew => Verdict::GoneOrShrank,
        Verdict::GoneOrShrank => Verdict::NewOrGrew,
        same @ (Verdict::Unknown | Verdict::Same) => same,
    }
}

fn mirrored<K: PartialEq + std::fmt::Debug>(there: &List<K>, back: &List<K>) {
    assert_eq!(there.total, back.total);
    for (one, other) in there.rows.iter().zip(&back.rows) {
        assert_eq!(one.key, other.key);
        assert_eq!(one.verdict, opposite(other.verdict));
        assert_eq!((one.a, one.b), (other.b, other.a));
        assert_eq!(one.change, -other.change);
    }
}

/// Nothing that reports with cut lists say is untrue of the whole ones.
fn holds<K: PartialEq>(cut: &List<K>, whole: &List<K>) -> Result<(), TestCaseError> {
    for row in &cut.rows {
        let truth = whole.rows.iter().find(|one| one.key == row.key);
        let (change, verdict) = truth.map_or((0.0, Verdict::Same), |one| (one.change, one.verdict));
        match row.verdict {
            Verdict::New | Verdict::Gone => prop_assert_eq!(row.verdict, verdict),
            Verdict::Unknown => prop_assert_eq!(row.change, 0.0),
            _ if verdict == Verdict::Same => {}
            _ => prop_assert!(change.abs() >= row.change.abs() && change * row.change > 0.0),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_report_does_not_differ_from_itself(traffic in any_traffic(), top_n in 0..6_usize) {
        let report = traffic.report(top_n);
        prop_assert!(diff(&report, &report, 0).is_empty());
    }

    #[test]
    fn the_way_back_is_the_way_there_turned_round(
        (a, b) in (any_traffic(), any_traffic()), (cut_a, cut_b) in (0..6_usize, 0..6_usize),
    ) {
        let (a, b) = (a.report(cut_a), b.report(cut_b));
        let (there, back) = (diff(&a, &b, 0), diff(&b, &a, 0));
        mirrored(&there.protocols.network, &back.protocols.network);
        mirrored(&there.protocols.transport, &back.protocols.transport);
        mirrored(&there.protocols.application, &back.protocols.application);
        mirrored(&there.endpoints, &back.endpoints);
        mirrored(&there.conversations, &back.conversations);
        mirrored(&there.ports, &back.ports);
        prop_assert_eq!(there.totals.change, -back.totals.change);
    }

    #[test]
    fn cut_lists_claim_nothing_that_whole_ones_deny(
        (a, b) in (any_traffic(), any_traffic()), (cut_a, cut_b) in (0..6_usize, 0..6_usize),
    ) {
        let whole = diff(&a.report(0), &b.report(0), 0);
        let cut = diff(&a.report(cut_a), &b.report(cut_b), 0);
        holds(&cut.endpoints, &whole.endpoints)?;
        holds(&cut.conversations, &whole.conversations)?;
        holds(&cut.ports, &whole.ports)?;
        prop_assert_eq!(cut.totals.change, whole.totals.change);
    }
}
