//! On a terminal, which `script` of util-linux makes.

use std::path::Path;
use std::process::{Command, Stdio};

use super::folder_with_capture;
use crate::harness::BINARY;

/// Exit code and what stood on the screen, or `None` where there is no `script`.
fn on_terminal(arguments: &str, environment: &[(&str, &str)]) -> Option<(i32, String)> {
    if !Path::new("/usr/bin/script").exists() {
        println!("skipped: no script(1) to make a terminal with");
        return None;
    }
    let mut script = Command::new("/usr/bin/script");
    script.args(["-qec", &format!("{BINARY} {arguments}"), "/dev/null"]);
    script
        .env_remove("NO_COLOR")
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    let output = script.output().unwrap();
    Some((
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    ))
}

#[test]
fn colour_is_for_terminals_and_can_be_declined() {
    let (_folder, input) = folder_with_capture();
    let read = format!("read {}", input.display());
    let Some((code, screen)) = on_terminal(&read, &[]) else {
        return;
    };
    assert_eq!(code, 0);
    assert!(screen.contains("\u{1b}["), "no colour: {screen}");
    let (_, screen) = on_terminal(&read, &[("NO_COLOR", "1")]).unwrap();
    assert!(
        !screen.contains('\u{1b}'),
        "colour in spite of NO_COLOR: {screen}"
    );
    // An empty one does not count, says no-color.org.
    let (_, screen) = on_terminal(&read, &[("NO_COLOR", "")]).unwrap();
    assert!(screen.contains("\u{1b}["));
}

#[test]
fn a_terminal_has_no_packets() {
    let Some((code, screen)) = on_terminal("read -", &[]) else {
        return;
    };
    assert_eq!(code, 2);
    assert!(screen.contains(
        "standard input is a terminal: pipe a capture into it, as in: tcpdump -w - | sensor read -"
    ));
}
