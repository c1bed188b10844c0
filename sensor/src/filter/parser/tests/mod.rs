mod accepted;
mod limits;
mod mistakes;
mod vectors;

use super::parse;
use crate::filter::ast::{Arithmetic, Expr, Id, Operator, Primitive, Side};
use crate::filter::error::FilterError;
use crate::filter::library::Library;

/// Named filters of the tests.
pub(super) struct Shelf;

const SHELF: [(&str, &str); 9] = [
    ("web", "port in {80, 443}"),
    ("mail", "port 25\nor 587 # submission"),
    ("both", "@web or @mail"),
    ("broken", "tcp and\n  prot 80"),
    ("uses-broken", "udp or @broken"),
    ("a", "tcp or @b"),
    ("b", "not (@c)"),
    ("c", "@a"),
    ("nothing", " # nothing yet"),
];

impl Library for Shelf {
    fn named(&self, name: &str) -> Option<&str> {
        SHELF
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| *text)
    }

    fn names(&self) -> Vec<&str> {
        SHELF.iter().map(|(name, _)| *name).collect()
    }

    fn list(&self, path: &str) -> Result<String, String> {
        Err(format!("{path} is not read by the grammar"))
    }
}

/// The expression in one line, or the error's message.
fn shown(text: &str) -> String {
    match parse(text, &Shelf) {
        Ok(expr) => show(&expr),
        Err(error) => format!("error: {}", error.message),
    }
}

fn show(expr: &Expr) -> String {
    let list = |parts: &[Expr], sign: &str| {
        let parts: Vec<String> = parts.iter().map(show).collect();
        format!("({})", parts.join(sign))
    };
    match expr {
        Expr::Everything => "everything".into(),
        Expr::Not(inner, _) => format!("!{}", show(inner)),
        Expr::And(parts) => list(parts, " & "),
        Expr::Or(parts) => list(parts, " | "),
        Expr::Primitive(primitive) => show_primitive(primitive),
        Expr::Relation(relation) => format!(
            "{} {:?} {}",
            show_arithmetic(&relation.left),
            relation.compare,
            show_arithmetic(&relation.right)
        ),
        Expr::Measure {
            measure,
            compare,
            value,
            ..
        } => format!("{measure:?} {compare:?} {value}"),
        Expr::Named { name, expr, .. } => format!("@{name}[{}]", show(expr)),
    }
}

fn show_primitive(primitive: &Primitive) -> String {
    let qualifiers = &primitive.qualifiers;
    let side = qualifiers.side.map(|side| match side {
        Side::Src => "src",
        Side::Dst => "dst",
        Side::Either => "either",
        Side::Both => "both",
    });
    let kind = qualifiers.kind.map(|kind| format!("{kind:?}"));
    let words = [qualifiers.protocol.as_deref(), side, kind.as_deref()];
    let head: Vec<&str> = words.into_iter().flatten().collect();
    match &primitive.id {
        Id::None => head.join("."),
        id => format!("{}={}", head.join("."), show_id(id)),
    }
}

fn show_id(id: &Id) -> String {
    match id {
        Id::None => "none".into(),
        Id::Number(number) => number.to_string(),
        Id::Range(first, last) => format!("{first}..{last}"),
        Id::Text(text) => format!("'{text}'"),
        Id::Masked(network, mask) => format!("'{network}'&'{mask}'"),
        Id::List(members) => {
            let members: Vec<String> = members.iter().map(|(id, _)| show_id(id)).collect();
            format!("{{{}}}", members.join(" "))
        }
        Id::File(path) => format!("<{path}>"),
    }
}

fn show_arithmetic(arithmetic: &Arithmetic) -> String {
    match arithmetic {
        Arithmetic::Number(number) => number.to_string(),
        Arithmetic::Length => "len".into(),
        Arithmetic::Bytes {
            protocol,
            offset,
            size,
            ..
        } => format!("{protocol}[{}:{size}]", show_arithmetic(offset)),
        Arithmetic::Operation {
            operator,
            left,
            right,
        } => {
            let sign = match operator {
                Operator::Add => "+",
                Operator::Subtract => "-",
                Operator::Multiply => "*",
                Operator::Divide => "/",
                Operator::Modulo => "%",
                Operator::And => "&",
                Operator::Or => "|",
                Operator::Xor => "^",
                Operator::ShiftLeft => "<<",
                Operator::ShiftRight => ">>",
            };
            format!(
                "({} {sign} {})",
                show_arithmetic(left),
                show_arithmetic(right)
            )
        }
    }
}

fn check_place(error: &FilterError) {
    let text = &error.text;
    assert!(
        error.span.start <= error.span.end && error.span.end <= text.len(),
        "{error:?}"
    );
    assert!(
        text.is_char_boundary(error.span.start) && text.is_char_boundary(error.span.end),
        "{error:?}"
    );
    assert!(!error.message.is_empty());
    assert!(!error.to_string().contains('\0'));
}
