//! A packet for people: offset, length, field and value, and below it what is counted.

use std::io::{self, Write};

use super::counted::{Counted, Named};
use super::{Explained, FilterVerdict};
use crate::escape;
use crate::explain::{Field, Layer};
use crate::units;

/// Columns where nobody says how many there are.
pub(super) const WIDTH: usize = 80;

#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) width: usize,
    pub(super) colour: bool,
}

/// Where names of fields begin, and how many columns they have.
const INDENT: usize = 12;
const NAME: usize = 17;
/// Each tunnel moves what is inside by this.
const STEP: usize = 2;
const DEEPEST: usize = 6;

pub(super) fn write(packet: &Explained, style: Style, to: &mut dyn Write) -> io::Result<()> {
    head(packet, style, to)?;
    let mut depth = 0;
    for layer in &packet.layers {
        if layer.depth > depth {
            let indent = " ".repeat(INDENT + STEP * usize::from(layer.depth - 1).min(DEEPEST));
            writeln!(to, "{indent}inside, not counted on its own:")?;
        }
        depth = layer.depth;
        of_layer(layer, style, to)?;
    }
    if let Some(why) = &packet.ended {
        line("the end", why, style, to)?;
    }
    if let Some(hex) = &packet.hex {
        writeln!(to)?;
        for line in hex {
            writeln!(to, "  {line}")?;
        }
    }
    writeln!(to)?;
    of_counting(packet, style, to)
}

fn head(packet: &Explained, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let time = match packet.time {
        Some(time) => time.to_string(),
        None => "no time".to_owned(),
    };
    let title = bold(&format!("packet {}", packet.number), style);
    writeln!(to, "{title}  {time}  {}", packet.link_type)?;
    let (wire, cap) = (u64::from(packet.wire_len), packet.cap_len as u64);
    let captured = if wire == cap {
        "all captured".to_owned()
    } else {
        format!("{} captured, the rest was cut off", units::count(cap))
    };
    writeln!(to, "{} bytes on the wire, {captured}", units::count(wire))
}

fn of_layer(layer: &Layer, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let shift = STEP * usize::from(layer.depth).min(DEEPEST);
    let indent = " ".repeat(shift);
    let name = bold(layer.name, style);
    writeln!(to, "{:>5}{:>6} {indent}{name}", layer.offset, layer.length)?;
    for field in &layer.fields {
        of_field(field, shift, style, to)?;
    }
    Ok(())
}

fn of_field(field: &Field, shift: usize, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let number = |number: Option<usize>| number.map(|n| n.to_string()).unwrap_or_default();
    let place = format!("{:>5}{:>6}", number(field.offset), number(field.length));
    let start = format!(
        "{}{:shift$}   {:<NAME$}",
        dim(&place, style),
        "",
        field.name
    );
    let used = INDENT + 2 + shift + NAME;
    wrapped(&start, used, &field.value, style, to)
}

/// `start` takes `used` columns; the value gets what is left of the line, and of as many more as it needs.
fn wrapped(
    start: &str,
    used: usize,
    value: &str,
    style: Style,
    to: &mut dyn Write,
) -> io::Result<()> {
    let width = style.width.saturating_sub(used).max(20);
    let lines = wrap(&escape::text(value), width);
    let mut start = start.to_owned();
    for line in lines {
        writeln!(to, "{}", format!("{start}{line}").trim_end())?;
        start = " ".repeat(used);
    }
    Ok(())
}

/// Broken at blanks where that is possible.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let length = word.trim_end().chars().map(escape::width).sum::<usize>();
        if used > 0 && used + length > width {
            lines.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            let columns = escape::width(c);
            if used + columns > width && c != ' ' {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
            used += columns;
        }
    }
    lines
}

fn of_counting(packet: &Explained, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let counted = &packet.counted;
    let counter = match counted.reason {
        Some(reason) => format!("{}: {reason}", counted.counter),
        None => counted.counter.to_owned(),
    };
    line("counted in", &counter, style, to)?;
    if let Some(flow) = &counted.flow {
        let port = |port: u16| match flow.has_ports {
            true => format!(" port {port}"),
            false => String::new(),
        };
        let (src, dst) = (&flow.src_addr, &flow.dst_addr);
        let (src_port, dst_port) = (port(flow.src_port), port(flow.dst_port));
        let text = format!("{src}{src_port} > {dst}{dst_port}");
        line("flow", &text, style, to)?;
    }
    let layers = format!("{}, {}", counted.network, counted.transport);
    line("network, transport", &layers, style, to)?;
    line("protocol", &protocol(counted), style, to)?;
    names("names", &counted.names, style, to)?;
    names("source is", &counted.src_names, style, to)?;
    names("destination is", &counted.dst_names, style, to)?;
    let direction = match counted.direction {
        "unknown" => "unknown: the file does not say",
        known => known,
    };
    line("direction", direction, style, to)?;
    if packet.layers.iter().any(|layer| layer.depth > 0) {
        let note = "the outermost IP header is counted; what is inside is not counted";
        line("inside", note, style, to)?;
    }
    if let Some(differs) = &packet.differs {
        line("second opinion", differs, style, to)?;
    }
    match &packet.filter {
        Some(filter) => of_filter(filter, style, to),
        None => Ok(()),
    }
}

fn protocol(counted: &Counted) -> String {
    let name = &counted.protocol;
    match (counted.classified_by, counted.decided) {
        (Some(how), true) => format!("{name} (by {how})"),
        (Some(how), false) => format!("{name} (by {how} so far; later packets may tell)"),
        (None, true) => name.clone(),
        (None, false) => format!("{name} (so far; later packets may tell)"),
    }
}

fn names(what: &str, names: &[Named], style: Style, to: &mut dyn Write) -> io::Result<()> {
    for Named { name, source } in names {
        line(what, &format!("{name} ({source})"), style, to)?;
    }
    Ok(())
}

fn of_filter(filter: &FilterVerdict, style: Style, to: &mut dyn Write) -> io::Result<()> {
    line("filter matches", &filter.understood, style, to)?;
    if filter.parts.len() > 1 {
        for part in &filter.parts {
            let holds = if part.matches { "yes" } else { "no " };
            line("", &format!("{holds} {}", part.expression), style, to)?;
        }
    }
    if filter.of_flows {
        let note = "parts about whole flows can't be decided of one packet, and were left out";
        line("", note, style, to)?;
    }
    Ok(())
}

fn line(name: &str, value: &str, style: Style, to: &mut dyn Write) -> io::Result<()> {
    const LABEL: usize = 20;
    let start = format!("  {name:<LABEL$}");
    wrapped(&start, LABEL + 2, value, style, to)
}

fn bold(text: &str, style: Style) -> String {
    if style.colour {
        format!("\u{1b}[1m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

fn dim(text: &str, style: Style) -> String {
    if style.colour {
        format!("\u{1b}[2m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_and_never_grow_too_wide() {
        assert_eq!(wrap("one two three", 7), ["one two ", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn what_was_on_the_wire_can_not_reach_the_terminal() {
        let field = Field {
            name: "host",
            offset: None,
            length: None,
            value: "a\u{1b}[2Jb\nc\u{202e}".to_owned(),
        };
        let style = Style {
            width: 80,
            colour: false,
        };
        let mut out = Vec::new();
        of_field(&field, 0, style, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.trim(), "host             a\\u{1b}[2Jb\\u{a}c\\u{202e}");
    }
}
