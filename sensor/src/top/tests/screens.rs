//! Reference screens. `UPDATE=1 cargo test -p sensor --lib top` writes them anew: look at what changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ratatui::crossterm::event::KeyCode::{Down, Enter, Esc};
use ratatui::style::{Color, Modifier};

use super::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/top/tests/screens")
}

fn after(keys: &str) -> View {
    let mut view = View::new();
    view.press(keys);
    view
}

/// Every screen by its name.
fn cases() -> Vec<(&'static str, View)> {
    let mut detail = after("4");
    detail.press_codes(&[Down, Enter]);
    let mut error = after("4/tcp prot 443");
    error.press_codes(&[]);
    let mut refused = after("/tcp and len > 99");
    refused.press_codes(&[]);
    let mut filtered = after("4/tcp port 443 or dns");
    filtered.press_codes(&[Enter]);
    let mut paused = View::new();
    paused.figures.hold();
    paused.figures.push(&second(13), SECOND);
    paused.status.message = Some("lo is gone; its counts are kept".to_owned());
    paused.status.sources[1].alive = false;
    paused.press(" ");
    let mut plain = View::new();
    plain.theme.unicode = false;
    vec![
        ("overview-80x24", View::new()),
        ("overview-120x40", View::new().sized(120, 40)),
        ("overview-40x12", View::new().sized(40, 12)),
        ("overview-ascii-80x24", plain),
        ("talkers-80x24", after("2")),
        ("conversations-80x24", after("3")),
        ("flows-80x24", after("4")),
        ("flows-120x40", after("4").sized(120, 40)),
        ("flows-40x12", after("4").sized(40, 12)),
        ("protocols-packets-80x24", after("5uu")),
        ("detail-80x24", detail),
        ("help-80x24", after("?")),
        ("filter-error-80x24", error),
        ("filter-refused-80x24", refused),
        ("filter-on-80x24", filtered),
        ("paused-80x24", paused),
        ("empty-80x24", View::empty()),
        ("too-small-39x9", View::new().sized(39, 9)),
    ]
}

#[test]
fn screens_are_as_they_were() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for (name, mut view) in cases() {
        let name = format!("{name}.txt");
        let path = folder().join(&name);
        let found = view.screen();
        if update {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, &found).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if expected != found {
            wrong.push(format!("{name}: expected\n{expected}\nfound\n{found}"));
        }
        names.insert(name);
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
fn no_size_panics_and_no_line_is_wider() {
    for (width, height) in [
        (1, 1),
        (40, 10),
        (41, 11),
        (60, 10),
        (79, 24),
        (300, 10),
        (40, 100),
    ] {
        for (name, view) in cases() {
            let screen = view.sized(width, height).screen();
            let lines: Vec<&str> = screen.lines().collect();
            assert_eq!(lines.len(), usize::from(height), "{name}");
            let widest = lines
                .iter()
                .map(|line| crate::sink::text::width(line))
                .max();
            assert!(
                widest <= Some(usize::from(width)),
                "{name} at {width}x{height}"
            );
        }
    }
}

#[test]
fn losses_overflow_and_a_violation_are_seen_on_every_screen() {
    for keys in ["1", "2", "3", "4", "5", "?"] {
        let mut view = View::empty();
        let mut delta = Delta::new(samples::config(1));
        for port in 1..5 {
            tcp4(HOST, port, [9, 9, 9, 9], 80).count(&mut delta);
        }
        delta.flush();
        delta.lost("ring", 7);
        view.figures.push(&delta, SECOND);
        view.renew();
        view.press(keys);
        let screen = view.screen();
        assert!(
            screen.contains("lost 7") && screen.contains("overflow 3"),
            "{screen}"
        );
        assert!(screen.contains("accounting holds"), "{screen}");
    }
}

#[test]
fn nothing_has_a_colour_where_none_is_wanted() {
    for (name, mut view) in cases() {
        view.theme.colour = false;
        let terminal = view.terminal();
        for cell in &terminal.backend().buffer().content {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{name}");
        }
    }
}

#[test]
fn ascii_is_all_that_a_plain_terminal_gets() {
    for (name, mut view) in cases() {
        view.theme.unicode = false;
        assert!(view.screen().is_ascii(), "{name}");
    }
}

#[test]
fn the_selected_row_stands_out_and_the_cursor_is_where_one_types() {
    let mut view = after("4");
    view.press_codes(&[Down]);
    let terminal = view.terminal();
    let buffer = terminal.backend().buffer();
    let reversed = |y: u16| buffer[(40, y)].modifier.contains(Modifier::REVERSED);
    let rows: Vec<u16> = (4..20).filter(|y| reversed(*y)).collect();
    assert_eq!(rows, [5]);
    view.press("/tcp");
    let mut terminal = view.terminal();
    terminal
        .backend_mut()
        .assert_cursor_position((" filter: tcp".len() as u16, 23));
    view.press_codes(&[Esc]);
    assert!(matches!(view.state.mode, Mode::Table));
}
