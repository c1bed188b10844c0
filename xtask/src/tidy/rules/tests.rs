use super::*;

fn check_text(path: &str, text: &str) -> Vec<String> {
    check(&File {
        path: Path::new(path),
        text,
        root: Path::new("/nowhere"),
    })
}

#[test]
fn a_long_file_is_named_with_its_excess() {
    let text = "x\n".repeat(412);
    let found = check_text("sensor/src/a.rs", &text);
    assert_eq!(
        found,
        ["sensor/src/a.rs:401: 412 lines, 12 more than 400; split the file by idea"]
    );
    assert!(check_text("sensor/src/a.rs", &"x\n".repeat(400)).is_empty());
}

#[test]
fn foreign_files_may_be_long_and_untidy() {
    let text = "x \n".repeat(500);
    assert!(check_text("sensor/src/dashboard/vendor/plot.js", &text).is_empty());
    assert!(check_text("tests/fixtures/odd.txt", &text).is_empty());
    assert!(check_text("sensor/src/a.rs", &format!("// @generated\n{text}")).is_empty());
}

#[test]
fn aya_stays_under_the_kernel_source() {
    let text = "use aya::Ebpf;\n";
    for home in [
        "sensor/src/source/kernel.rs",
        "sensor/src/source/kernel/maps.rs",
        "tests/kernel.rs",
        "sensor-ebpf/src/main.rs",
    ] {
        assert!(check_text(home, text).is_empty(), "{home}");
    }
    let found = check_text("sensor/src/source/file.rs", text);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with(
            "sensor/src/source/file.rs:1: `aya` may only be used under sensor/src/source/kernel"
        ),
        "{found:?}"
    );
}

#[test]
fn plotters_stays_under_chart() {
    assert!(check_text("sensor/src/chart/pie.rs", "use plotters::prelude::*;\n").is_empty());
    assert_eq!(
        check_text(
            "sensor/src/report/text.rs",
            "use plotters_backend::BackendCoord;\n"
        )
        .len(),
        1
    );
    assert_eq!(
        check_text("sensor/src/charts.rs", "use plotters::prelude::*;\n").len(),
        1
    );
}

#[test]
fn a_crate_is_told_from_words_that_resemble_it() {
    for line in [
        "use aya;",
        "use aya as a;",
        "pub use aya::maps;",
        "let x = aya::maps::f();",
        "fn f(e: ::aya::EbpfError) {}",
    ] {
        assert_eq!(names_crate(line, "aya"), Some("aya"), "{line}");
    }
    for line in [
        "// aya::maps",
        "use ayah::x;",
        "self::aya::x()",
        "let aya = 1;",
        "\"aya says\"",
        "use crate::aya::x;",
    ] {
        assert_eq!(names_crate(line, "aya"), None, "{line}");
    }
    assert_eq!(names_crate("use aya_obj::Object;", "aya"), Some("aya_obj"));
}

#[test]
fn machine_paths_are_found_and_lookalikes_are_not() {
    let work = ["/", "work", "/"].concat();
    assert_eq!(
        check_text("docs/a.txt", &format!("cd {work}main\n")).len(),
        1
    );
    assert_eq!(
        check_text("tests/fixtures/a.txt", &format!("{work}\n")).len(),
        1
    );
    assert!(
        check_text(
            "docs/a.txt",
            "target/root/x, the chroot/root/y, net/work/z\n"
        )
        .is_empty()
    );
}

#[test]
fn links_must_lead_to_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let check_in = |text: &str| {
        check(&File {
            path: Path::new("README.md"),
            text,
            root,
        })
    };
    assert!(
        check_in("[x](Cargo.toml) ![y](src/main.rs#top) [z](https://example.org) [t](#here)\n")
            .is_empty()
    );
    let found = check_in("fine\n[x](Cargo.toml) and [y](no/such.md)\n");
    assert_eq!(
        found,
        ["README.md:2: the link to `no/such.md` leads nowhere; correct it or add the file"]
    );
}

#[test]
fn trailing_whitespace_is_found_in_its_line() {
    assert_eq!(
        check_text("a.toml", "x\ny \nz\t\n"),
        [
            "a.toml:2: trailing whitespace; remove it",
            "a.toml:3: trailing whitespace; remove it"
        ]
    );
}
