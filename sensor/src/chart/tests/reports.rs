//! Reports of every kind that a chart must cope with.

use crate::chart::scene::Scene;
use crate::chart::{CHARTS, Theme, scene};
use crate::report::samples::*;
use crate::report::{Context, Name, Report, Span, Time, build};
use sensor_common::flow::Direction;

/// A report and what it stands for.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) report: Report,
}

pub(super) fn cases() -> Vec<Case> {
    let case = |name, report| Case { name, report };
    vec![
        case("empty", build(&delta_of(&[], 1), &context())),
        case("one-packet", build(&delta_of(&[one()], 10), &context())),
        case("typical", typical()),
        case("fifty", fifty()),
        case("month", month()),
        case("years", years()),
        case("both-ways", both_ways()),
    ]
}

pub(super) fn draw(chart: &str, report: &Report, theme: Theme, size: Option<(u32, u32)>) -> Scene {
    let chart = CHARTS.iter().find(|one| one.name == chart).unwrap();
    scene(chart, report, theme, size).unwrap()
}

fn one() -> Sample {
    tcp4(HOST, 41_000, [192, 0, 2, 1], 443)
}

fn typical() -> Report {
    let mut report = build(&minute(7), &wide(20));
    let names = [
        "laptop.lan",
        "edge-7.cdn.example.net",
        "Wohnzimmer-Fernseher.local",
    ];
    for (endpoint, name) in report.endpoints.iter_mut().zip(names) {
        endpoint.names = vec![named(name)];
    }
    report.not_observed = vec![Span {
        start: Time(START + 30 * SECOND),
        end: Time(START + 35 * SECOND),
    }];
    report
}

/// Half of them IPv6, with names of every length, and some that mean harm.
fn fifty() -> Report {
    let mut samples = Vec::new();
    for n in 0..50_u8 {
        let bytes = 50_000_000 / (u64::from(n) + 1);
        let mut far = LONG6;
        (far[14], far[15]) = (0xff, n);
        let port =
            [443, 80, 22, 25, 53, 3306, 5432, 8080, 123, 993, 389, 1883][usize::from(n) % 12];
        let sample = match n % 2 {
            0 => udp6(far, port, LONG6, 50_000),
            _ => tcp4([198, 51, 100, 100 + n], port, [203, 0, 113, 200], 50_000),
        };
        samples.push(sample.of(bytes / 800, bytes).at(i64::from(n) * SECOND / 3));
    }
    let mut report = build(&delta_of(&samples, 1000), &wide(50));
    let hostile = [
        "<script>alert(1)</script>",
        "a\u{202e}b\u{1b}[2J\u{7}\"'&amp;",
        "電視.local",
        "Ελλάδα-принтер.local",
        "x",
        "",
    ];
    for (n, endpoint) in report.endpoints.iter_mut().enumerate() {
        let long = format!("{}.example.com", "very-long-label-".repeat(n / 4 + 1));
        let name = hostile.get(n).map_or(long, |name| (*name).to_owned());
        endpoint.names = vec![named(&name)];
    }
    report
}

/// Thirty days with a rhythm, a busy second, and a day on which nobody looked.
fn month() -> Report {
    let mut samples = Vec::new();
    for hour in 0..720_i64 {
        let day = hour / 24;
        if day == 11 {
            continue;
        }
        let busy = (1000 + 900 * (hour % 24 - 12).abs()).unsigned_abs() * 1000;
        let at = hour * 3600 * SECOND + (hour * 37 % 3600) * SECOND;
        samples.push(
            tcp4(HOST, 41_000, [192, 0, 2, 1], 443)
                .of(busy / 1000, 12_000_000_u64.saturating_sub(busy))
                .at(at),
        );
        samples.push(
            udp6(DNS6, 53, LONG6, 40_000)
                .of(busy / 400, busy / 2)
                .at(at + 2 * SECOND),
        );
        if hour % 5 == 0 {
            samples.push(
                tcp4(HOST, 41_001, [192, 0, 2, 9], 22)
                    .of(4000, 3_000_000)
                    .at(at + SECOND),
            );
        }
    }
    samples.push(
        tcp4(HOST, 41_000, [192, 0, 2, 1], 443)
            .of(90_000, 120_000_000)
            .at(400 * 3600 * SECOND),
    );
    let mut report = build(&delta_of(&samples, 1000), &wide(10));
    report.not_observed = vec![Span {
        start: Time(START + 11 * 86_400 * SECOND),
        end: Time(START + 12 * 86_400 * SECOND),
    }];
    report
}

/// A file glued together of two moments, six years apart.
fn years() -> Report {
    let later = 6 * 365 * 86_400 + 30;
    let times = [0, 1, 2, later, later + 1];
    let samples: Vec<Sample> = times
        .iter()
        .flat_map(|at| {
            let web = tcp4(HOST, 41_000, [192, 0, 2, 1], 443).of(700, 500_000);
            let names = udp6(DNS6, 53, LONG6, 40_000).of(20, 9_000);
            [web.at(at * SECOND), names.at(at * SECOND)]
        })
        .collect();
    build(&delta_of(&samples, 1000), &wide(10))
}

/// As live: every packet has a direction.
fn both_ways() -> Report {
    let mut samples = Vec::new();
    for second in 0..90_i64 {
        let wave = (second % 30).unsigned_abs() + 3;
        let far = [192, 0, 2, (second % 7) as u8];
        let back = tcp4(far, 443, HOST, 41_000).of(700 * wave, 900_000 * wave);
        let there = tcp4(HOST, 41_000, far, 443).of(300 * wave, 40_000 * (40 - wave));
        samples.push(back.at(second * SECOND).way(0, Direction::Ingress));
        samples.push(there.at(second * SECOND).way(0, Direction::Egress));
    }
    build(&delta_of(&samples, 1000), &wide(10))
}

pub(super) fn wide(top_n: usize) -> Context {
    Context { top_n, ..context() }
}

pub(super) fn named(name: &str) -> Name {
    Name {
        name: name.into(),
        source: "dns".into(),
    }
}
