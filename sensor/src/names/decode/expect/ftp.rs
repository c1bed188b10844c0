//! FTP: each file and each listing has a connection of its own, to an address and port that one side announces.

use std::net::{IpAddr, Ipv4Addr};

use sensor_common::application::Application;

use super::{Out, addr, lines, number};
use crate::names::Sample;

pub(super) fn announced(sample: &Sample<'_>, out: &mut Out<'_>) {
    let sender = sample.key.src_addr();
    for line in lines(sample) {
        if let Some(answer) = line.strip_prefix(b"227 ") {
            passive(answer, sender, out);
        } else if let Some(answer) = line.strip_prefix(b"229 ") {
            if let Some(port) = extended_passive(answer) {
                out.send(Application::FtpData, sender, port);
            }
        } else if let Some((to, port)) = active(line) {
            out.send(Application::FtpData, to, port);
        }
    }
}

/// `Entering Passive Mode (h1,h2,h3,h4,p1,p2)`, whatever stands around the six numbers (RFC 1123 section 4.1.2.6).
fn passive(answer: &[u8], server: IpAddr, out: &mut Out<'_>) {
    let mut begins = true;
    for (at, byte) in answer.iter().enumerate() {
        let digit = byte.is_ascii_digit();
        if digit
            && begins
            && let Some((to, port)) = six_numbers(&answer[at..])
        {
            out.send(Application::FtpData, to, port);
            // Behind a translator of addresses the server tells one that nobody can reach, so most clients come to the one
            // that they know.
            if to != server {
                out.send(Application::FtpData, server, port);
            }
            return;
        }
        begins = !digit && *byte != b',';
    }
}

/// `Entering Extended Passive Mode (|||port|)`: the address is the server's.
fn extended_passive(answer: &[u8]) -> Option<u16> {
    let open = answer.iter().position(|byte| *byte == b'(')?;
    let (&[first, second, third], rest) = answer.get(open + 1..)?.split_first_chunk::<3>()?;
    if !first.is_ascii_graphic() || first.is_ascii_digit() || second != first || third != first {
        return None;
    }
    let end = rest.iter().position(|byte| *byte == first)?;
    number(rest.get(..end)?)
}

/// `PORT h1,h2,h3,h4,p1,p2` and `EPRT |1|addr|port|`: the server comes to the client.
fn active(line: &[u8]) -> Option<(IpAddr, u16)> {
    let (command, argument) = line.split_first_chunk::<5>()?;
    if command.eq_ignore_ascii_case(b"PORT ") {
        return six_numbers(argument.trim_ascii());
    }
    if !command.eq_ignore_ascii_case(b"EPRT ") {
        return None;
    }
    let argument = argument.trim_ascii();
    let (delimiter, rest) = argument.split_first()?;
    let mut parts = rest.split(|byte| byte == delimiter);
    let family: u8 = number(parts.next()?)?;
    let to = addr(parts.next()?)?;
    let port = number(parts.next()?)?;
    let right = match family {
        1 => to.is_ipv4(),
        2 => to.is_ipv6(),
        _ => false,
    };
    right.then_some((to, port))
}

/// Six numbers with commas between them; no seventh.
fn six_numbers(bytes: &[u8]) -> Option<(IpAddr, u16)> {
    let numeric = |byte: &u8| byte.is_ascii_digit() || *byte == b',';
    let end = bytes.iter().position(|byte| !numeric(byte));
    let mut parts = bytes
        .get(..end.unwrap_or(bytes.len()))?
        .split(|byte| *byte == b',');
    let mut numbers = [0u8; 6];
    for place in &mut numbers {
        *place = number(parts.next()?)?;
    }
    // A comma of the sentence may follow.
    if parts.any(|more| !more.is_empty()) {
        return None;
    }
    let [a, b, c, d, high, low] = numbers;
    Some((
        Ipv4Addr::new(a, b, c, d).into(),
        u16::from_be_bytes([high, low]),
    ))
}
