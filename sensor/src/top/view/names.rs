//! Addresses and their names in the room that there is.

use std::net::IpAddr;

use sensor_common::flow::FlowKey;

use super::Scene;
use crate::escape;
use crate::sink::text::{tail, width};

/// Columns of a name that are worth showing beside the address.
const WORTH: usize = 8;

/// Text, and what stands behind it in less weight.
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) aside: String,
}

pub(super) fn talker(scene: &Scene<'_>, addr: IpAddr, room: usize) -> Cell {
    let address = addr.to_string();
    let name = name_of(scene, addr);
    beside_or_instead(address, name.clone(), name, room)
}

pub(super) fn conversation(scene: &Scene<'_>, (a, b): (IpAddr, IpAddr), room: usize) -> Cell {
    let addresses = two_ends(&a.to_string(), " <> ", &b.to_string(), room);
    let names = (name_of(scene, a), name_of(scene, b));
    let aside = match &names {
        (None, None) => None,
        (a, b) => Some(format!(
            "{} <> {}",
            a.as_deref().unwrap_or("-"),
            b.as_deref().unwrap_or("-")
        )),
    };
    let (a_text, b_text) = (
        names.0.unwrap_or_else(|| a.to_string()),
        names.1.unwrap_or_else(|| b.to_string()),
    );
    let instead = aside
        .is_some()
        .then(|| two_ends(&a_text, " <> ", &b_text, room));
    beside_or_instead(addresses, aside, instead, room)
}

pub(super) fn flow(scene: &Scene<'_>, key: &FlowKey, room: usize) -> Cell {
    let from = end(key.src_addr(), key.src_port());
    let to = end(key.dst_addr(), key.dst_port());
    let addresses = two_ends(&from, " > ", &to, room);
    let names = (
        name_of(scene, key.src_addr()),
        name_of(scene, key.dst_addr()),
    );
    let aside = match &names {
        (None, None) => None,
        (a, b) => Some(format!(
            "{} > {}",
            a.as_deref().unwrap_or("-"),
            b.as_deref().unwrap_or("-")
        )),
    };
    let named = |name: Option<String>, port: u16, plain: &str| match name {
        Some(name) if port != 0 => format!("{name}:{port}"),
        Some(name) => name,
        None => plain.to_owned(),
    };
    let instead = aside.is_some().then(|| {
        let from = named(names.0, key.src_port(), &from);
        let to = named(names.1, key.dst_port(), &to);
        two_ends(&from, " > ", &to, room)
    });
    beside_or_instead(addresses, aside, instead, room)
}

/// `10.0.0.1:80`, `[2001:db8::1]:80`; without ports the address alone.
pub(super) fn end(addr: IpAddr, port: u16) -> String {
    match (addr, port) {
        (_, 0) => addr.to_string(),
        (IpAddr::V4(addr), port) => format!("{addr}:{port}"),
        (IpAddr::V6(addr), port) => format!("[{addr}]:{port}"),
    }
}

/// The surest one, if names are wanted.
fn name_of(scene: &Scene<'_>, addr: IpAddr) -> Option<String> {
    let book = scene.figures.whole().book().filter(|_| scene.state.names)?;
    let first = book.of_address(addr).first()?;
    Some(escape::text(&first.text))
}

fn beside_or_instead(
    plain: String,
    beside: Option<String>,
    instead: Option<String>,
    room: usize,
) -> Cell {
    let gap = 2;
    let free = room.saturating_sub(width(&plain) + gap);
    if let Some(beside) = beside
        && free >= WORTH.min(width(&beside))
    {
        return Cell {
            text: plain,
            aside: tail(&beside, free),
        };
    }
    Cell {
        text: tail(&instead.unwrap_or(plain), room),
        aside: String::new(),
    }
}

/// Both ends, the longer one cut first.
fn two_ends(a: &str, between: &str, b: &str, room: usize) -> String {
    let room = room.saturating_sub(width(between));
    let half = room / 2;
    let (a_width, b_width) = (width(a), width(b));
    let a_room = half.max(room.saturating_sub(b_width)).min(a_width);
    let b_room = room.saturating_sub(a_room);
    format!("{}{between}{}", tail(a, a_room), tail(b, b_room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_end_is_cut_first() {
        assert_eq!(
            two_ends("10.0.0.1", " > ", "10.0.0.2", 30),
            "10.0.0.1 > 10.0.0.2"
        );
        assert_eq!(
            two_ends("abcdefghij", " > ", "xyz", 12),
            "…ghij > xyz".replace("…", "…f")
        );
        assert_eq!(two_ends("abc", " > ", "tuvwxyz", 10), "abc > …xyz");
        for room in 0..40 {
            let text = two_ends("2001:db8::1234:5678", " <> ", "192.168.100.200", room);
            assert!(width(&text) <= room.max(4), "{text}");
        }
    }

    #[test]
    fn a_name_stands_beside_its_address_or_in_its_place() {
        let cell = |room| {
            let name = Some("a.example.com".to_owned());
            let cell = beside_or_instead("10.0.0.1".into(), name.clone(), name, room);
            format!("{}|{}", cell.text, cell.aside)
        };
        assert_eq!(cell(30), "10.0.0.1|a.example.com");
        assert_eq!(cell(20), "10.0.0.1|…ample.com");
        assert_eq!(cell(15), "a.example.com|");
    }
}
