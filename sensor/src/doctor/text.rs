//! The same for people: a line for each gate, and below those that aren't open what that costs, and what opens them.

use std::io::{self, Write};

use super::{Doctor, Gate, Interface, State, Way};
use crate::escape;

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub width: usize,
    pub colour: bool,
}

/// Columns before the evidence.
const STATE: usize = 9;
const NAME: usize = 20;
const INDENT: usize = 2 + STATE + NAME;
/// Narrower terminals get longer lines than they have.
const LEAST: usize = 72;

pub fn write(doctor: &Doctor, options: &Options, to: &mut dyn Write) -> io::Result<()> {
    let width = options.width.max(LEAST);
    writeln!(
        to,
        "sensor {} on {}, Linux {} {}",
        doctor.version,
        escape::text(&doctor.hostname),
        escape::text(&doctor.kernel),
        escape::text(&doctor.machine),
    )?;
    paragraph(to, "", &doctor.verdict.why, width)?;
    writeln!(to, "\nMachine")?;
    gates(to, &doctor.gates, width, options.colour)?;
    for interface in &doctor.interfaces {
        writeln!(to, "\n{}", title(interface))?;
        way(to, "ingress", &interface.ingress, width)?;
        way(to, "egress", &interface.egress, width)?;
        gates(to, &interface.gates, width, options.colour)?;
    }
    Ok(())
}

fn title(interface: &Interface) -> String {
    let mut parts = vec![interface.state.to_string()];
    let driver = interface.driver.as_ref().or(interface.kind.as_ref());
    parts.extend(driver.map(|driver| escape::text(driver)));
    parts.push(format!("MTU {}", interface.mtu));
    match interface.receive_queues {
        Some(1) => parts.push("1 receive queue".to_owned()),
        Some(queues) => parts.push(format!("{queues} receive queues")),
        None => {}
    }
    format!(
        "Interface {} ({})",
        escape::text(&interface.name),
        parts.join(", ")
    )
}

fn way(to: &mut dyn Write, name: &str, way: &Way, width: usize) -> io::Result<()> {
    let text = match &way.hook {
        Some(hook) => format!("by {hook}: {}", way.why),
        None => format!("NOT counted: {}", way.why),
    };
    paragraph(to, &format!("  {name:<9}"), &text, width)
}

fn gates(to: &mut dyn Write, gates: &[Gate], width: usize, colour: bool) -> io::Result<()> {
    for gate in gates {
        let (word, paint) = match gate.state {
            State::Open => ("open", "\x1b[32m"),
            State::Closed if gate.costs.is_none() => ("closed", ""),
            State::Closed => ("closed", "\x1b[1;31m"),
            State::Unknown => ("unknown", "\x1b[33m"),
        };
        let word = match colour && !paint.is_empty() {
            true => format!("{paint}{word}\x1b[0m{:1$}", "", STATE - word.len()),
            false => format!("{word:<STATE$}"),
        };
        let head = format!("  {word}{:<NAME$}", gate.name);
        paragraph(to, &head, &gate.evidence, width)?;
        let cost = match gate.state {
            State::Unknown => "would cost: ",
            State::Open | State::Closed => "costs: ",
        };
        for (label, text) in [(cost, &gate.costs), ("to open it: ", &gate.remedy)] {
            if let Some(text) = text {
                let text = format!("{label}{text}");
                paragraph(to, &" ".repeat(INDENT), &text, width)?;
            }
        }
    }
    Ok(())
}

/// Words in lines of `width`; `head` stands before the first, as many blanks before the others.
fn paragraph(to: &mut dyn Write, head: &str, text: &str, width: usize) -> io::Result<()> {
    let text = escape::text(text);
    let indent = if head.is_empty() { 0 } else { shown(head) };
    let mut line = head.to_owned();
    let mut used = indent;
    for word in text.split(' ') {
        let length = shown(word);
        if used > indent && used + 1 + length > width {
            writeln!(to, "{}", line.trim_end())?;
            line = " ".repeat(indent);
            used = indent;
        }
        if used > indent {
            line.push(' ');
            used += 1;
        }
        line += word;
        used += length;
    }
    writeln!(to, "{}", line.trim_end())
}

/// Columns, without those of colours.
fn shown(text: &str) -> usize {
    let mut columns = 0;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => {
                chars.by_ref().find(|c| *c == 'm');
            }
            c => columns += escape::width(c),
        }
    }
    columns
}
