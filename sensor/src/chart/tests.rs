use tiny_skia::{Pixmap, PremultipliedColorU8};

use super::canvas::PIXELS;
use super::protocols::{Slice, slices};
use super::talkers::called;
use super::*;
use crate::report::samples::*;
use crate::report::{Context, Protocol, Report, Span, Time, build};

fn picture(chart: usize, report: &Report) -> Pixmap {
    Pixmap::decode_png(&render(&CHARTS[chart], report).unwrap()).unwrap()
}

/// Logical pixels.
fn colour(picture: &Pixmap, x: u32, y: u32) -> (u8, u8, u8) {
    let pixel: PremultipliedColorU8 = picture.pixel(x * PIXELS, y * PIXELS).unwrap();
    (pixel.red(), pixel.green(), pixel.blue())
}

fn rgb(colour: plotters::style::RGBColor) -> (u8, u8, u8) {
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
fn every_chart_is_a_whole_picture_of_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("new/charts");
    let report = build(
        &minute(4),
        &Context {
            top_n: 20,
            ..context()
        },
    );
    let paths = write_all(&report, &dir).unwrap();
    assert_eq!(paths.len(), 3);
    for (path, chart) in paths.iter().zip(&CHARTS) {
        assert_eq!(*path, dir.join(chart.name));
        let picture = Pixmap::decode_png(&fs::read(path).unwrap()).unwrap();
        let size = (chart.size)(&report);
        assert_eq!(picture.width(), size.width * PIXELS);
        assert_eq!(picture.height(), size.height * PIXELS);
        let inked = picture.pixels().iter().filter(|pixel| pixel.red() < 200);
        assert!(inked.count() > 3000);
    }
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 3);
}

#[test]
fn there_is_a_picture_of_nothing_too() {
    let empty = build(&delta_of(&[], 1), &context());
    let mut untimed = arp();
    untimed.when = crate::counters::When::Missing;
    let untimed = build(&delta_of(&[untimed], 1), &context());
    for report in [empty, untimed] {
        for chart in [1, 2] {
            let picture = picture(chart, &report);
            let inked = picture.pixels().iter().filter(|pixel| pixel.red() < 200);
            assert!(inked.count() > 500);
        }
    }
}

#[test]
fn a_folder_that_can_not_be_made_is_named() {
    let error = write_all(&report(0), Path::new("/dev/null/charts")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("can't make folder /dev/null/charts: "),
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
    let found = slices(&list);
    assert_eq!(names(&found), ["https", "dns", "other"]);
    assert_eq!(found[2].bytes, 208);
    assert_eq!((found[0].from, found[1].from), (0.0, 0.6));
    let last = &found[2];
    assert!((last.from + last.share - 1.0).abs() < 1e-12);
    assert_eq!(found.iter().map(|slice| slice.bytes).sum::<u64>(), 1000);
}

#[test]
fn more_protocols_than_colours_are_other() {
    let list: Vec<Protocol> = (0..30).map(|n| protocol(&format!("p{n}"), 100)).collect();
    let found = slices(&list);
    assert_eq!(found.len(), palette::MOST + 1);
    assert_eq!(found[palette::MOST].bytes, 2100);
    assert!(slices(&[]).is_empty());
    assert!(slices(&[protocol("tcp", 0)]).is_empty());
}

#[test]
fn the_ring_has_the_colours_of_its_legend_where_they_belong() {
    let samples = [
        tcp4(HOST, 1, [1, 1, 1, 1], 443).of(1, 500),
        tcp4(HOST, 1, [1, 1, 1, 1], 22).of(1, 500),
    ];
    let report = build(&delta_of(&samples, 10), &context());
    let picture = picture(0, &report);
    let colours = palette::of_protocols(&["https", "ssh"]);
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
    let picture = picture(2, &report);
    let length = |row: u32, colour_of| {
        let y = 84 + row * 30 + 15;
        let wide = 0..picture.width() / PIXELS;
        wide.filter(|x| colour(&picture, *x, y) == rgb(colour_of))
            .count() as f64
    };
    // 9.9.9.1 sent 3000 and received 2000, 9.9.9.2 the other way 1000 and 3000, 9.9.9.3 sent 1000.
    let scale = length(0, palette::SENT) / 3000.0;
    for (row, colour_of, bytes) in [
        (0, palette::RECEIVED, 2000.0),
        (1, palette::SENT, 1000.0),
        (1, palette::RECEIVED, 3000.0),
        (2, palette::SENT, 1000.0),
        (2, palette::RECEIVED, 0.0),
    ] {
        let drawn = length(row, colour_of);
        assert!(
            (drawn - bytes * scale).abs() <= 2.0,
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
    let picture = picture(1, &report);
    // Between two grid lines.
    let y = 84 + 20;
    assert_eq!(colour(&picture, 450, y), rgb(palette::GAP));
    assert_eq!(colour(&picture, 800, y), (255, 255, 255));
}

#[test]
fn a_talker_is_named_as_far_as_there_is_room() {
    let mut report = report(2);
    let bare = picture(2, &report);
    let name = |name: &str| crate::report::Name {
        name: name.into(),
        source: "dns",
    };
    report.endpoints[0].names = vec![name("laptop"), name("other")];
    report.endpoints[1].names = vec![name(&format!("{}.example.com", "very-long-".repeat(1000)))];
    report.endpoints[2].names = vec![name("a\u{202e}b\x1b[2J")];
    let labels: Vec<_> = report.endpoints.iter().map(called).collect();
    let names: Vec<_> = labels.iter().map(|one| one.name.as_deref()).collect();
    assert_eq!(names[0], Some("laptop"));
    let long = names[1].unwrap();
    assert!(
        long.starts_with('…') && long.ends_with(".example.com"),
        "{long}"
    );
    assert!((20..60).contains(&long.chars().count()), "{long}");
    assert_eq!(names[2], Some("a\\u{202e}b\\u{1b}[2J"));
    let picture = picture(2, &report);
    assert_eq!(picture.width(), bare.width());
    assert_ne!(picture.data(), bare.data());
}
