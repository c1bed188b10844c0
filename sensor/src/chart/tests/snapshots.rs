//! Reference pictures. `UPDATE=1 cargo test -p sensor --lib chart` writes them anew: look at what changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::reports::{cases, draw};
use crate::chart::palette::{DARK, LIGHT};
use crate::chart::{CHARTS, Theme, svg};

/// Small, so that the references are.
const SIZE: Option<(u32, u32)> = Some((640, 400));

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/chart/tests/snapshots")
}

fn compare(name: &str, found: &str) -> Option<String> {
    let path = folder().join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&path, found).unwrap();
        return None;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let lines = expected.lines().zip(found.lines()).enumerate();
    let differs = lines
        .into_iter()
        .find(|(_, (expected, found))| expected != found);
    match differs {
        Some((line, (expected, found))) => Some(format!(
            "{name}:{}:\n  expected {expected}\n  found    {found}",
            line + 1
        )),
        None if expected == found => None,
        None => Some(format!(
            "{name}: it is missing, or one is longer than the other"
        )),
    }
}

#[test]
fn pictures_are_as_they_were() {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for case in cases() {
        for chart in &CHARTS {
            for (theme, suffix) in [(Theme::Light, ""), (Theme::Dark, "-dark")] {
                if theme == Theme::Dark && case.name != "typical" {
                    continue; // the next test says that they differ in colours alone
                }
                // What harms is in the rows, all of which have room in the chart's own size only.
                let size = SIZE.filter(|_| (case.name, chart.name) != ("fifty", "talkers"));
                let scene = draw(chart.name, &case.report, theme, size);
                let name = format!("{}-{}{suffix}.svg", case.name, chart.name);
                wrong.extend(compare(&name, &svg::encode(&scene)));
                names.insert(name);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "UPDATE=1 writes them anew:\n{}",
        wrong.join("\n")
    );
    let entries = fs::read_dir(folder()).unwrap();
    let there: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, names, "a reference that nothing is compared with");
}

#[test]
fn themes_differ_in_colours_alone() {
    for case in cases() {
        for chart in &CHARTS {
            let colourless = |theme| {
                let mut svg = svg::encode(&draw(chart.name, &case.report, theme, None));
                while let Some(at) = svg.find("=\"#") {
                    svg.replace_range(at..at + 9, "");
                }
                svg
            };
            assert_eq!(colourless(Theme::Light), colourless(Theme::Dark));
        }
    }
    assert_ne!(LIGHT, DARK);
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let both = [cases(), cases()].map(|cases| {
        let scenes = cases.iter().flat_map(|case| {
            let scenes = CHARTS
                .iter()
                .map(|chart| draw(chart.name, &case.report, Theme::Dark, None));
            scenes.collect::<Vec<_>>()
        });
        let svgs: Vec<String> = scenes.map(|scene| svg::encode(&scene)).collect();
        svgs
    });
    assert_eq!(both[0], both[1]);
}

/// Names come from the wire; this reads as XML what browsers would.
#[test]
fn names_are_never_markup() {
    let cases = cases();
    let fifty = cases.iter().find(|case| case.name == "fifty").unwrap();
    let svg = svg::encode(&draw("talkers", &fifty.report, Theme::Light, None));
    let text = "&lt;script&gt;alert(1)&lt;/script&gt;";
    assert!(
        svg.contains(&format!(">{text}</text>")),
        "the name is shown as it is"
    );
    let tags: BTreeSet<&str> = svg
        .split('<')
        .skip(1)
        .map(|tag| tag.split([' ', '>']).next().unwrap_or_default())
        .collect();
    let known = [
        "/svg", "/text", "/title", "circle", "path", "svg", "text", "title",
    ];
    assert!(tags.iter().all(|tag| known.contains(tag)), "{tags:?}");
    for c in svg.chars() {
        assert!(!c.is_control() || c == '\n', "{:?} in the SVG", c);
    }
    assert!(!svg.contains('\u{202e}'));
    assert!(
        svg.contains("電視.local"),
        "letters that the font lacks are kept as text"
    );
}
