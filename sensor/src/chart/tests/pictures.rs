use std::fs;
use std::path::Path;

use plotters::style::RGBColor;
use tiny_skia::{Pixmap, PremultipliedColorU8};

use super::reports::{cases, draw, named, wide};
use crate::chart::frame::LABEL;
use crate::chart::palette::{self, LIGHT};
use crate::chart::protocols::{Slice, slices};
use crate::chart::talkers::called;
use crate::chart::{CHARTS, Format, Options, Theme, png, write_all};
use crate::report::samples::*;
use crate::report::{Protocol, Report, Span, Time, build};

/// One pixel for one logical pixel.
fn picture(chart: &str, report: &Report) -> Pixmap {
    let scene = draw(chart, report, Theme::Light, None);
    Pixmap::decode_png(&png::encode(&scene, png::PLAIN_DPI).unwrap()).unwrap()
}

fn colour(picture: &Pixmap, x: u32, y: u32) -> (u8, u8, u8) {
    let pixel: PremultipliedColorU8 = picture.pixel(x, y).unwrap();
    (pixel.red(), pixel.green(), pixel.blue())
}

fn rgb(colour: RGBColor) -> (u8, u8, u8) {
    (colour.0, colour.1, colour.2)
}

fn protocol(name: &str, bytes: u64) -> Protocol {
    Protocol {
        name: name.into(),
        packets: 1,
        bytes,
        packets_percent: 0.0,
        bytes_percent: 0.0,
        classified_by: Default::default(),
    }
}

fn names(slices: &[Slice]) -> Vec<&str> {
    slices.iter().map(|slice| slice.name.as_str()).collect()
}

#[test]
fn every_chart_is_a_file_of_each_format_and_theme() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("new/charts");
    let report = build(&minute(4), &wide(20));
    let options = Options {
        themes: vec![Theme::Light, Theme::Dark],
        size: Some((700, 400)),
        dpi: 144,
        ..Options::default()
    };
    let paths = write_all(&report, &dir, &options).unwrap();
    assert_eq!(paths.len(), CHARTS.len() * 4);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), paths.len());
    for chart in &CHARTS {
        for suffix in ["", "-dark"] {
            let file =
                |ending| fs::read(dir.join(format!("{}{suffix}.{ending}", chart.name))).unwrap();
            let png = file("png");
            // 144 dots per inch are 5669 per meter.
            assert_eq!(&png[37..50], b"pHYs\x00\x00\x16\x25\x00\x00\x16\x25\x01");
            let picture = Pixmap::decode_png(&png).unwrap();
            assert_eq!((picture.width(), picture.height()), (1050, 600));
            let paper = colour(&picture, 0, 0);
            let inked = picture
                .pixels()
                .iter()
                .filter(|pixel| pixel.red().abs_diff(paper.0) > 60);
            assert!(inked.count() > 1000);
            let svg = String::from_utf8(file("svg")).unwrap();
            assert!(svg.starts_with(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"700\" height=\"400\""
            ));
        }
    }
    let only = Options {
        formats: vec![Format::Svg],
        ..Options::default()
    };
    assert_eq!(write_all(&report, &dir, &only).unwrap().len(), CHARTS.len());
}

#[test]
fn there_is_a_picture_of_nothing_too() {
    let empty = build(&delta_of(&[], 1), &context());
    let mut untimed = arp();
    untimed.when = crate::counters::When::Missing;
    let untimed = build(&delta_of(&[untimed], 1), &context());
    for (report, why) in [(empty, "no packets"), (untimed, "no packet has a time")] {
        let scene = draw("bandwidth", &report, Theme::Light, None);
        assert!(crate::chart::svg::encode(&scene).contains(why));
    }
}

#[test]
fn a_folder_that_can_not_be_made_is_named() {
    let error = write_all(
        &build(&minute(0), &context()),
        Path::new("/dev/null/charts"),
        &Options::default(),
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("can't make folder /dev/null/charts: "),
        "{error}"
    );
}

#[test]
fn slices_go_all_the_way_round_and_small_ones_are_other() {
    let list = [
        protocol("https", 600),
        protocol("other", 200),
        protocol("dns", 192),
        protocol("arp", 8),
        protocol("idle", 0),
    ];
    let found = slices(&list, 9);
    assert_eq!(names(&found), ["https", "dns", "other"]);
    assert_eq!(found[2].bytes, 208);
    assert_eq!((found[0].from, found[1].from), (0.0, 0.6));
    let last = &found[2];
    assert!((last.from + last.share - 1.0).abs() < 1e-12);
    assert_eq!(found.iter().map(|slice| slice.bytes).sum::<u64>(), 1000);
    assert_eq!(names(&slices(&list, 1)), ["https", "other"]);
}

#[test]
fn more_protocols_than_colours_are_other() {
    let list: Vec<Protocol> = (0..30).map(|n| protocol(&format!("p{n}"), 100)).collect();
    let found = slices(&list, palette::MOST);
    assert_eq!(found.len(), palette::MOST + 1);
    assert_eq!(found[palette::MOST].bytes, 2100);
    assert!(slices(&[], 9).is_empty());
    assert!(slices(&[protocol("tcp", 0)], 9).is_empty());
}

#[test]
fn the_ring_has_the_colours_of_its_legend_where_they_belong() {
    let samples = [
        tcp4(HOST, 1, [1, 1, 1, 1], 443).of(1, 500),
        tcp4(HOST, 1, [1, 1, 1, 1], 22).of(1, 500),
    ];
    let report = build(&delta_of(&samples, 10), &context());
    let picture = picture("protocols", &report);
    let colours = LIGHT.of_protocols(&["https", "ssh"]);
    let (x, y, way) = (24 + 40 + 150, 84 + (440 - 84 - 24) / 2, 120);
    assert_eq!(colour(&picture, x + way, y), rgb(colours[0]));
    assert_eq!(colour(&picture, x - way, y), rgb(colours[1]));
    assert_eq!(colour(&picture, x + 60, y - 50), (255, 255, 255));
}

#[test]
fn bars_are_as_long_as_what_they_stand_for() {
    let samples = [
        tcp4([9, 9, 9, 1], 1, [9, 9, 9, 2], 2).of(1, 3000),
        tcp4([9, 9, 9, 2], 1, [9, 9, 9, 1], 2).of(1, 1000),
        tcp4([9, 9, 9, 3], 1, [9, 9, 9, 1], 2).of(1, 1000),
    ];
    let report = build(&delta_of(&samples, 10), &context());
    let picture = picture("talkers", &report);
    let length = |row: u32, colour_of| {
        let y = 84 + row * 28 + 14;
        let wide = 0..picture.width();
        wide.filter(|x| colour(&picture, *x, y) == rgb(colour_of))
            .count() as f64
    };
    // 9.9.9.1 sent 3000 and received 2000, 9.9.9.2 the other way 1000 and 3000, 9.9.9.3 sent 1000.
    let scale = length(0, LIGHT.sent()) / 3000.0;
    for (row, colour_of, bytes) in [
        (0, LIGHT.received(), 2000.0),
        (1, LIGHT.sent(), 1000.0),
        (1, LIGHT.received(), 3000.0),
        (2, LIGHT.sent(), 1000.0),
        (2, LIGHT.received(), 0.0),
    ] {
        let drawn = length(row, colour_of);
        assert!(
            (drawn - bytes * scale).abs() <= 3.0,
            "{row}: {drawn} for {bytes}"
        );
    }
}

#[test]
fn a_gap_in_watching_is_grey_and_silence_is_not() {
    let packet = |at: i64| tcp4(HOST, 1, [1, 1, 1, 1], 443).of(1, 1000).at(at * SECOND);
    let mut report = build(&delta_of(&[packet(0), packet(99)], 10), &context());
    report.not_observed = vec![Span {
        start: Time(START + 20 * SECOND),
        end: Time(START + 60 * SECOND),
    }];
    let picture = picture("bandwidth", &report);
    // Between two grid lines.
    let y = 84 + 20;
    assert_eq!(colour(&picture, 450, y), rgb(LIGHT.gap));
    assert_eq!(colour(&picture, 800, y), (255, 255, 255));
}

#[test]
fn ingress_is_above_and_egress_below_zero() {
    let cases = cases();
    let report = &cases
        .iter()
        .find(|case| case.name == "both-ways")
        .unwrap()
        .report;
    for chart in ["bandwidth", "packets"] {
        let picture = picture(chart, report);
        let rows = |colour_of| -> Vec<u32> {
            // Past the legend.
            let rows = 84..picture.height();
            rows.filter(|y| (200..900).any(|x| colour(&picture, x, *y) == rgb(colour_of)))
                .collect()
        };
        let (up, down) = (rows(LIGHT.line()), rows(LIGHT.egress()));
        assert!(
            up.len() > 10 && down.len() > 3,
            "{chart}: {} {}",
            up.len(),
            down.len()
        );
        assert!(up.iter().max() <= down.iter().min(), "{chart}");
    }
}

#[test]
fn a_talker_is_named_as_far_as_there_is_room() {
    let mut report = build(&minute(2), &context());
    report.endpoints[0].names = vec![named("laptop"), named("other")];
    let long = format!("{}.example.com", "very-long-".repeat(1000));
    report.endpoints[1].names = vec![named(&long)];
    report.endpoints[2].names = vec![named("a\u{202e}b\x1b[2J")];
    let labels: Vec<_> = report
        .endpoints
        .iter()
        .map(|one| called(one, &LABEL, 700))
        .collect();
    let names: Vec<_> = labels.iter().map(|one| one.name.as_deref()).collect();
    assert_eq!(names[0], Some("laptop"));
    let long = names[1].unwrap();
    assert!(
        long.starts_with('…') && long.ends_with(".example.com"),
        "{long}"
    );
    assert!((20..60).contains(&long.chars().count()), "{long}");
    assert_eq!(names[2], Some("a\\u{202e}b\\u{1b}[2J"));
    assert_eq!(called(&report.endpoints[0], &LABEL, 90).name, None);
}
