//! What needs no browser: that data stays data, that the pieces are those that were vendored, and that sums agree.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::page::{UPLOT, UPLOT_LICENSE, UPLOT_STYLE};
use super::{Counted, Data, live_page, write};
use crate::counters::Delta;
use crate::report::samples::{self, HOST, SECOND, START, arp, malformed, tcp4, udp6};
use crate::report::{Context, Name, Report, build};

fn with_trail(minutes: i64) -> Delta {
    let mut delta = Delta::new(crate::counters::DeltaConfig {
        trail: true,
        ..samples::config(1000)
    });
    for second in 0..minutes * 60 {
        let port = 1000 + (second % 7) as u16;
        let packet = tcp4(HOST, port, [192, 0, 2, 1], 443).of(1 + second as u64 % 3, 900);
        packet.at(second * SECOND).count(&mut delta);
    }
    arp().at(0).count(&mut delta);
    malformed().at(SECOND).count(&mut delta);
    udp6(samples::LONG6, 40000, samples::DNS6, 53)
        .at(59 * SECOND)
        .count(&mut delta);
    delta.flush();
    delta
}

fn report_of(delta: &Delta, top_n: usize) -> Report {
    let context = Context {
        top_n,
        ..samples::context()
    };
    build(delta, &context)
}

fn data_of(delta: &Delta, top_n: usize) -> Data {
    Data::new(report_of(delta, top_n), Counted::of(delta), top_n)
}

fn json_of(data: &Data) -> Value {
    serde_json::from_str(&data.to_json().unwrap()).unwrap()
}

fn page_of(data: &Data) -> String {
    let mut page = Vec::new();
    write(data, &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// `[key, packets, bytes, ...]` rows of all slices, by key.
fn sums(slices: &Value) -> BTreeMap<u64, (u64, u64)> {
    let mut sums = BTreeMap::new();
    for slice in slices.as_array().unwrap() {
        for row in slice.as_array().unwrap().chunks(3) {
            let sum: &mut (u64, u64) = sums.entry(number(&row[0])).or_default();
            sum.0 += number(&row[1]);
            sum.1 += number(&row[2]);
        }
    }
    sums
}

#[test]
fn vendored_files_are_those_of_the_package() {
    let pins = include_str!("assets/vendor/uplot/SHA256SUMS");
    let files = [
        ("LICENSE", UPLOT_LICENSE),
        ("uPlot.iife.min.js", UPLOT),
        ("uPlot.min.css", UPLOT_STYLE),
    ];
    assert_eq!(pins.lines().count(), files.len());
    for (line, (name, text)) in pins.lines().zip(files) {
        let digest = Sha256::digest(text.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(line, format!("{hex}  {name}"));
    }
}

#[test]
fn the_page_without_data_is_far_below_a_megabyte_and_names_no_other_host() {
    let page = page_of(&data_of(&samples::delta_of(&[], 1), 10));
    assert!(page.len() < 300_000, "{}", page.len());
    for part in ["{{", "<link", " src=", "@import", "url("] {
        let ours = page.replace(UPLOT, "");
        assert!(!ours.contains(part), "{part}");
    }
    assert!(page.contains("Copyright (c) 2022 Leon Sorokin"));
}

#[test]
fn the_policy_has_the_hash_of_each_script_and_style() {
    let page = page_of(&data_of(&with_trail(1), 10));
    let (_, rest) = page
        .split_once("Content-Security-Policy\" content=\"")
        .unwrap();
    let (policy, _) = rest.split_once('"').unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"));
    assert!(
        !policy.contains("unsafe") && !policy.contains("connect-src"),
        "{policy}"
    );
    let mut inline = Vec::new();
    for (open, close) in [("<script>", "</script>"), ("<style>", "</style>")] {
        let parts = page.split(open).skip(1);
        inline.extend(parts.map(|part| part.split_once(close).unwrap().0));
    }
    assert_eq!(inline.len(), 3);
    for text in inline {
        let hash = super::escape::base64(&Sha256::digest(text.as_bytes()));
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}");
    }
}

#[test]
fn the_live_page_may_ask_its_own_server_and_nobody_else() {
    let page = live_page("/events?</script>");
    assert!(
        page.content_security_policy
            .ends_with("; connect-src 'self'")
    );
    assert!(page.html.contains(&page.content_security_policy));
    assert!(
        page.html
            .contains(r#"{"events":"/events?\u003c/script\u003e"}"#)
    );
}

#[test]
fn names_from_the_wire_cannot_leave_the_data() {
    let delta = with_trail(1);
    let mut report = report_of(&delta, 10);
    let hostile = "</script><script>alert(1)</script>{{script}}<!--\u{202e}";
    for endpoint in &mut report.endpoints {
        endpoint.names = vec![Name {
            name: hostile.to_owned(),
            source: "mdns".into(),
        }];
    }
    let clean = page_of(&data_of(&delta, 10));
    let data = Data::new(report, Counted::of(&delta), 10);
    let page = page_of(&data);
    for tag in ["<script", "</script", "<!--", "{{script}}<"] {
        assert_eq!(
            page.matches(tag).count(),
            clean.matches(tag).count(),
            "{tag}"
        );
    }
    assert!(
        data.strings
            .contains(&hostile.replace('\u{202e}', "\\u{202e}"))
    );
}

#[test]
fn slices_add_up_to_the_report() {
    let delta = with_trail(30);
    let data = data_of(&delta, 0);
    let json = json_of(&data);
    let line = &json["timeline"];
    // 1800 seconds in at most 600 slices: three seconds each, at multiples of that.
    assert_eq!(
        (line["slices"].as_u64(), line["width"].as_f64()),
        (Some(601), Some(3000.0))
    );
    assert_eq!(line["start"].as_f64().unwrap() % 3000.0, 0.0);
    assert!(line["start"].as_f64().unwrap() <= START as f64 / 1e6);
    let totals = &json["report"]["totals"];
    let kinds = sums(&line["by_kind"]);
    let packets: u64 = kinds.values().map(|sum| sum.0).sum();
    let bytes: u64 = kinds.values().map(|sum| sum.1).sum();
    assert_eq!(
        (packets, bytes),
        (number(&totals["packets"]), number(&totals["bytes"]))
    );
    assert_eq!(json["flows"].as_array().unwrap().len(), 8);
    for (flow, parts) in json["flows"]
        .as_array()
        .unwrap()
        .iter()
        .zip(json["parts"].as_array().unwrap())
    {
        let parts = parts.as_array().unwrap();
        if parts.len() == 1 {
            assert_eq!(number(&flow[7]), 1);
            continue;
        }
        let sum = |at: usize| -> u64 { parts.chunks(3).map(|part| number(&part[at])).sum() };
        assert_eq!((sum(1), sum(2)), (number(&flow[7]), number(&flow[8])));
    }
}

#[test]
fn without_a_trail_the_page_knows_that_it_does_not_know() {
    let delta = samples::minute(3);
    let json = json_of(&data_of(&delta, 10));
    assert_eq!(json["timeline"]["flows"], false);
    let parts = json["parts"].as_array().unwrap();
    assert!(!parts.is_empty() && parts.iter().all(|parts| parts == &serde_json::json!([])));
    assert!(!sums(&json["timeline"]["by_kind"]).is_empty());
}

#[test]
fn a_selection_shows_when_its_flows_came_and_no_others() {
    let all = with_trail(1);
    let selected = all.select(&mut |key, flow| flow.is_some() && key.is_ipv6());
    let counted = Counted::of_both(&selected, &all);
    let json = json_of(&Data::new(report_of(&selected, 0), counted, 0));
    assert_eq!(json["parts"].as_array().unwrap().len(), 1);
    assert_eq!(json["parts"][0].as_array().unwrap().len(), 1);
    let told: usize = json["timeline"]["told"]
        .as_array()
        .unwrap()
        .iter()
        .map(|slice| slice.as_array().unwrap().len())
        .sum();
    assert_eq!(told, 4, "dns by its port, and nothing of what was left out");
}

#[test]
fn parts_that_would_be_too_many_make_slices_wider_and_add_up() {
    let delta = with_trail(10);
    let parts_of = |parts: usize| {
        let counted = Counted {
            parts,
            ..Counted::of(&delta)
        };
        json_of(&Data::new(report_of(&delta, 0), counted, 0))
    };
    let (all, few) = (parts_of(300_000), parts_of(100));
    let entries = |json: &Value| -> usize {
        let parts = json["parts"].as_array().unwrap();
        parts.iter().map(|one| one.as_array().unwrap().len()).sum()
    };
    assert!(
        entries(&all) > 1000 && entries(&few) <= 3 * 100,
        "{} {}",
        entries(&all),
        entries(&few)
    );
    let width = |json: &Value| json["timeline"]["width"].as_f64().unwrap();
    assert!(width(&few) > width(&all));
    let total = |json: &Value| {
        sums(&json["timeline"]["by_kind"])
            .into_values()
            .map(|sum| sum.0)
            .sum::<u64>()
    };
    assert_eq!(total(&few), total(&all));
}

#[test]
fn a_live_watch_shows_its_idle_ends() {
    let delta = samples::delta_of(&[tcp4(HOST, 1, HOST, 2).at(5 * SECOND)], 10);
    let context = Context {
        span: Some((START - SECOND / 2, START + 9 * SECOND + SECOND / 2)),
        ..samples::context()
    };
    let json = json_of(&Data::new(build(&delta, &context), Counted::of(&delta), 10));
    assert_eq!(number(&json["timeline"]["slices"]), 11);
    assert_eq!(
        json["timeline"]["start"].as_f64(),
        Some((START - SECOND) as f64 / 1e6)
    );
}

#[test]
fn centuries_have_six_hundred_slices_too() {
    let samples: Vec<_> = [-START + 1, 0, 7_000_000_000 * SECOND]
        .iter()
        .map(|at| tcp4(HOST, 1, HOST, 2).at(*at))
        .collect();
    let mut delta = Delta::new(crate::counters::DeltaConfig {
        trail: true,
        ..samples::config(10)
    });
    samples.iter().for_each(|sample| sample.count(&mut delta));
    delta.flush();
    let json = json_of(&data_of(&delta, 0));
    assert!(number(&json["timeline"]["slices"]) <= 601);
    assert_eq!(json["parts"][0].as_array().unwrap().len(), 9);
    let empty = json_of(&data_of(&samples::delta_of(&[], 1), 0));
    assert_eq!(number(&empty["timeline"]["slices"]), 0);
}
