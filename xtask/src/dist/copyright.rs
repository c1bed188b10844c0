//! `copyright` in the form that Debian's tools read: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

use anyhow::{Context, Result};

use super::Ours;

pub(super) const UPLOT: &str = "sensor/src/dashboard/assets/vendor/uplot/LICENSE";
pub(super) const FONTS: &str = "sensor/assets/fonts/LICENSE-DejaVu.txt";

pub(super) fn text(ours: &Ours) -> Result<String> {
    let (mit, uplot, fonts) = (read("LICENSE-MIT")?, read(UPLOT)?, read(FONTS)?);
    let (holder, terms) = split(&mit).context("LICENSE-MIT names no holder of the copyright")?;
    let (plotter, _) = split(&uplot).with_context(|| format!("{UPLOT} names no holder"))?;
    let (_, fonts) = fonts
        .split_once("Licence of the fonts:")
        .with_context(|| format!("{FONTS} has no licence of the fonts"))?;
    let (drawer, _) = split(fonts).with_context(|| format!("{FONTS} names no holder"))?;
    let licence = debian_name(&ours.licence);
    let programs = &ours.programs;
    Ok(format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         Upstream-Name: sensor\n\
         Comment: The crates of others that are compiled into /usr/bin/sensor are listed, with\n \
         their licences, in /usr/share/doc/sensor/THIRD-PARTY.txt.\n\
         \n\
         Files: *\n\
         Copyright: {holder}\n\
         License: {licence}\n\
         \n\
         Files: sensor-ebpf/* sensor-common/*\n\
         Copyright: {holder}\n\
         License: {licence} or GPL-2\n\
         Comment: The eBPF programs within /usr/bin/sensor are made of these. They say\n \
         \"{programs}\" to the kernel, which lends some of its functions to such alone.\n\
         \n\
         Files: {}\n\
         Copyright: {plotter}\n\
         License: Expat\n\
         \n\
         Files: {}\n\
         Copyright: {drawer}\n\
         License: Bitstream-Vera\n\
         \n\
         License: Expat\n{}\n\
         License: Apache-2.0\n \
         On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.\n\
         \n\
         License: GPL-2\n \
         On Debian systems the full text is in /usr/share/common-licenses/GPL-2.\n\
         \n\
         License: Bitstream-Vera\n{}",
        UPLOT.replace("LICENSE", "*"),
        FONTS.replace("LICENSE-DejaVu.txt", "*"),
        paragraph(terms),
        paragraph(fonts),
    ))
}

fn read(path: &str) -> Result<String> {
    let bytes = super::read(path)?;
    String::from_utf8(bytes).with_context(|| format!("{path} is not UTF-8"))
}

/// Who holds the first copyright that a text names (`2026 The sensor authors`), and the text behind that line.
fn split(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once("Copyright (c) ")?;
    let (holder, terms) = rest.split_once('\n')?;
    Some((holder.trim(), terms))
}

/// Debian calls this MIT licence Expat, as there are others of that name.
fn debian_name(licence: &str) -> String {
    licence.replace("MIT", "Expat").replace(" OR ", " or ")
}

/// Lines of a field: indented, and a dot where there is nothing.
fn paragraph(text: &str) -> String {
    let one = |line: &str| match line.trim_end() {
        "" => " .\n".to_owned(),
        line => format!(" {line}\n"),
    };
    text.trim().lines().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_licence_that_is_named_has_its_paragraph() {
        let text = text(&Ours::read().unwrap()).unwrap();
        let fields = text
            .lines()
            .filter_map(|line| line.strip_prefix("License: "));
        let (mut named, mut count) = (Vec::new(), 0);
        for field in fields {
            named.extend(field.split(" or ").map(str::to_owned));
            count += 1;
        }
        assert_eq!(count, 4 + 4, "four kinds of files, four licences: {text}");
        named.sort();
        named.dedup();
        assert_eq!(named, ["Apache-2.0", "Bitstream-Vera", "Expat", "GPL-2"]);
        for name in named {
            let paragraph = format!("\n\nLicense: {name}\n ");
            assert_eq!(text.matches(&paragraph).count(), 1, "{name}: {text}");
        }
        assert!(text.contains("Copyright: 2022 Leon Sorokin\n"), "{text}");
        for line in text.lines().filter(|line| !line.is_empty()) {
            assert!(line.starts_with(' ') || line.contains(": "), "{line}");
        }
    }

    #[test]
    fn empty_lines_of_a_licence_become_dots() {
        assert_eq!(paragraph("\na\n\n  b \n"), " a\n .\n   b\n");
    }
}
