//! No label lies on another or hangs over the edge, whatever the report and the size.

use super::reports::{cases, draw};
use crate::chart::scene::{Scene, Shape, Text};
use crate::chart::{CHARTS, Theme, font};

const SIZES: [Option<(u32, u32)>; 7] = [
    None,
    Some((480, 270)),
    Some((480, 320)),
    Some((640, 480)),
    Some((900, 420)),
    Some((1600, 900)),
    Some((600, 1400)),
];

#[derive(Clone, Copy, Debug)]
struct Extent {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

fn extent(text: &Text) -> Extent {
    let left = text.left();
    Extent {
        left,
        top: text.at.1 - text.em * 0.76,
        right: left + font::width(&text.text, text.bold) * text.em,
        bottom: text.at.1 + text.em * 0.24,
    }
}

fn texts(scene: &Scene) -> Vec<&Text> {
    let texts = scene.shapes.iter().filter_map(|shape| match shape {
        Shape::Text(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

#[test]
fn no_label_touches_another_or_the_edge() {
    let mut looked_at = 0;
    for case in cases() {
        for chart in &CHARTS {
            for size in SIZES {
                let scene = draw(chart.name, &case.report, Theme::Light, size);
                let what = format!("{} of {} at {size:?}", chart.name, case.name);
                let texts = texts(&scene);
                assert!(texts.len() >= 2, "{what}");
                check(&scene, &texts, &what);
                check_shapes(&scene, &what);
                looked_at += texts.len();
            }
        }
    }
    assert!(looked_at > 2000, "{looked_at}");
}

fn check(scene: &Scene, texts: &[&Text], what: &str) {
    let (width, height) = (scene.width as f32, scene.height as f32);
    for (place, text) in texts.iter().enumerate() {
        let here = extent(text);
        assert!(
            here.left >= 0.0 && here.right <= width && here.top >= 0.0 && here.bottom <= height,
            "{what}: {:?} hangs over the edge: {here:?}",
            text.text
        );
        assert!(
            text.em >= 9.0,
            "{what}: {:?} is too small: {}",
            text.text,
            text.em
        );
        for other in &texts[place + 1..] {
            let there = extent(other);
            let apart = here.right <= there.left
                || there.right <= here.left
                || here.bottom <= there.top
                || there.bottom <= here.top;
            assert!(
                apart,
                "{what}: {:?} lies on {:?}: {here:?} {there:?}",
                text.text, other.text
            );
        }
    }
}

fn check_shapes(scene: &Scene, what: &str) {
    let (width, height) = (scene.width as f32, scene.height as f32);
    let inside =
        |(x, y): (f32, f32), by: f32| x >= by && y >= by && x <= width - by && y <= height - by;
    for shape in &scene.shapes {
        let fits = match shape {
            Shape::Path(path) => path.points.iter().all(|point| inside(*point, 0.0)),
            Shape::Circle(circle) => inside(circle.center, circle.radius),
            Shape::Text(_) => true,
        };
        assert!(fits, "{what}: outside of the picture: {shape:?}");
    }
}

/// A legend says what every colour means, and the units stand at the axes.
#[test]
fn charts_say_what_they_show() {
    for case in cases() {
        if case.name == "empty" {
            continue;
        }
        let all = |chart: &str| -> Vec<String> {
            let scene = draw(chart, &case.report, Theme::Light, None);
            texts(&scene).iter().map(|text| text.text.clone()).collect()
        };
        for (chart, unit) in [
            ("bandwidth", "bit/s"),
            ("bandwidth-by-protocol", "bit/s"),
            ("packets", "pkt/s"),
        ] {
            let texts = all(chart);
            assert!(texts.iter().any(|text| text == "UTC"), "{chart}: {texts:?}");
            let with_unit = texts.iter().filter(|text| text.ends_with(unit)).count();
            assert!(with_unit >= 3, "{chart} {}: {texts:?}", case.name);
        }
        let texts = all("talkers");
        for wanted in ["sent", "received"] {
            assert!(texts.iter().any(|text| text == wanted), "{texts:?}");
        }
        assert!(texts.iter().filter(|text| text.ends_with('B')).count() >= 3);
    }
}
