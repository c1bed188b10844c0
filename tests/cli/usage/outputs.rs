//! Outputs that can't be written, or must not be.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use super::{capture, folder_with_capture};
use crate::harness::{BINARY, Ran, sensor};
use crate::support::report;

fn read_to(input: &Path, flag: &str, output: &Path) -> Ran {
    sensor([
        OsStr::new("read"),
        input.as_os_str(),
        flag.as_ref(),
        output.as_os_str(),
    ])
    .run()
}

#[test]
fn a_report_in_a_file_is_whole_and_private() {
    let (folder, input) = folder_with_capture();
    let output = folder.path().join("report.json");
    fs::write(&output, "an older one").unwrap();
    let ran = read_to(&input, "--json", &output).ended(0);
    assert_eq!((ran.text(), ran.stderr.as_str()), ("", ""));
    let report = report::parse(&fs::read(&output).unwrap());
    assert_eq!(report["totals"]["packets"], 1);
    // Who talks to whom is not for everybody's eyes.
    assert_eq!(
        fs::metadata(&output).unwrap().permissions().mode() & 0o007,
        0
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "something was left behind"
    );
}

#[test]
fn two_outputs_in_one_place_are_refused() {
    let (folder, input) = folder_with_capture();
    let file = folder.path().join("both.csv");
    let file = file.to_str().unwrap();
    for (first, second, place) in [("-", "-", "standard output"), (file, file, "both.csv")] {
        for outputs in [
            ["--packets", first, "--json", second],
            ["--json", first, "--json", second],
        ] {
            sensor([&["read", input.to_str().unwrap()], &outputs[..]].concat())
                .run()
                .ended(2)
                .says(&["two outputs", place]);
        }
    }
}

#[test]
fn charts_are_pictures_in_a_folder_that_is_made() {
    let (folder, input) = folder_with_capture();
    let charts = folder.path().join("a/b");
    read_to(&input, "--charts", &charts).ended(0);
    let names = [
        "bandwidth",
        "bandwidth-by-protocol",
        "packets",
        "protocols",
        "talkers",
    ];
    for name in names {
        let picture = |ending| fs::read(charts.join(format!("{name}.{ending}"))).unwrap();
        assert!(picture("png").starts_with(b"\x89PNG\r\n\x1a\n"), "{name}");
        assert!(picture("svg").starts_with(b"<svg "), "{name}");
    }
    assert_eq!(fs::read_dir(charts).unwrap().count(), 2 * names.len());
}

#[test]
fn charts_have_the_format_theme_and_size_that_was_asked_for() {
    let (folder, input) = folder_with_capture();
    let charts = folder.path().join("charts");
    let read = |options: &[&str]| {
        let arguments = [OsStr::new("read"), input.as_os_str(), "--charts".as_ref()];
        let arguments = arguments.into_iter().chain([charts.as_os_str()]);
        sensor(arguments.chain(options.iter().map(OsStr::new))).run()
    };
    let options = [
        "--chart-format=svg",
        "--chart-theme=both",
        "--chart-size=700x500",
    ];
    read(&options).ended(0);
    assert_eq!(fs::read_dir(&charts).unwrap().count(), 10);
    let dark = fs::read_to_string(charts.join("talkers-dark.svg")).unwrap();
    assert!(dark.contains("width=\"700\" height=\"500\""), "{dark}");
    read(&["--chart-format=png", "--chart-dpi=96"]).ended(0);
    let png = fs::read(charts.join("bandwidth.png")).unwrap();
    assert_eq!(png[16..24], [0, 0, 3, 232, 0, 0, 1, 184]);
    for bad in [
        "--chart-size=10x10",
        "--chart-dpi=9",
        "--chart-format=gif",
        "--chart-theme=blue",
    ] {
        read(&[bad]).ended(2);
    }
    let ran = read(&["--chart-size=4000x4000", "--chart-dpi=600"]).ended(2);
    let said = "PNG of 25000x25000 pixels is too large: lower --chart-size or --chart-dpi, or choose --chart-format svg";
    assert_eq!(ran.line(), said);
}

#[test]
fn an_output_that_is_the_input_is_refused() {
    let (folder, input) = folder_with_capture();
    let (soft, hard) = (folder.path().join("soft"), folder.path().join("hard"));
    symlink(&input, &soft).unwrap();
    fs::hard_link(&input, &hard).unwrap();
    for output in [&input, &soft, &hard] {
        let ran = read_to(&input, "--json", output).ended(2);
        let said = format!(
            "the output {} is the input {}: name another file",
            output.display(),
            input.display()
        );
        assert_eq!(ran.line(), said);
        assert_eq!(
            fs::read(&input).unwrap(),
            capture(),
            "the input was touched"
        );
    }
}

#[test]
fn what_cannot_be_an_output_is_refused_before_anything_is_read() {
    let (folder, input) = folder_with_capture();
    let inside = |name: &str| folder.path().join(name);
    let _socket = UnixListener::bind(inside("socket")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(inside("fifo"))
            .status()
            .unwrap()
            .success()
    );
    let instead = "name a regular file, or - for standard output";
    let cases = [
        (
            folder.path().to_owned(),
            format!("it is a folder, {instead}"),
        ),
        (inside("fifo"), format!("it is a FIFO, {instead}")),
        (inside("socket"), format!("it is a socket, {instead}")),
        ("/dev/full".into(), format!("it is a device, {instead}")),
        (
            inside("no/report.json"),
            format!(
                "there is no folder {}, make it first",
                inside("no").display()
            ),
        ),
    ];
    for (output, why) in cases {
        let ran = read_to(&input, "--json", &output).ended(7);
        assert_eq!(
            ran.line(),
            format!("can't write {}: {why}", output.display())
        );
        // The same when the input is missing: outputs are looked at first.
        read_to(&inside("missing"), "--json", &output).ended(7);
    }
    let ran = read_to(&input, "--charts", &input).ended(7);
    assert_eq!(
        ran.line(),
        format!("can't use folder {}: not a directory", input.display())
    );
}

#[test]
fn a_full_disk_is_not_success() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let (folder, input) = folder_with_capture();
    let output = folder.path().join("report.json");
    let input = input.to_str().unwrap();
    let cases: [&[&str]; 4] = [
        &["read", input],
        &["read", input, "--json", "-"],
        &["interfaces"],
        &[
            "read",
            input,
            "--json",
            "-",
            "--json",
            output.to_str().unwrap(),
        ],
    ];
    for arguments in cases {
        let ran = sensor(arguments).stdout(full()).run().ended(7);
        let said =
            "sensor: can't write to standard output: No space left on device (os error 28)\n";
        assert!(
            ran.stderr.ends_with(said) || ran.stderr.starts_with(said),
            "{}",
            ran.stderr
        );
    }
    assert!(
        output.is_file(),
        "one output's failure kept another from being written"
    );
}

#[test]
fn a_closed_standard_output_is_not_success() {
    let (_folder, input) = folder_with_capture();
    let close = |arguments: &[&str]| {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", r#"exec "$0" "$@" >&-"#, BINARY])
            .args(arguments);
        let output = shell.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let said = "sensor: can't write to standard output: it is closed\n".to_owned();
    let input = input.to_str().unwrap();
    assert_eq!(close(&["read", input]), (Some(7), said.clone()));
    assert_eq!(close(&["read", input, "--json", "-"]), (Some(7), said));
    // Whoever writes nothing to it does not need it.
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("report.json");
    assert_eq!(
        close(&["read", input, "--json", output.to_str().unwrap()]),
        (Some(0), String::new())
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_success() {
    let (_folder, input) = folder_with_capture();
    let input = input.to_str().unwrap();
    let cases: [&[&str]; 4] = [
        &["read", input],
        &["read", input, "--json", "-"],
        &["interfaces"],
        &["--help"],
    ];
    for arguments in cases {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let ran = sensor(arguments).stdout(writer).run().ended(0);
        assert!(
            !ran.stderr.contains("standard output"),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
}
