//! Addresses of IP, ARP and Ethernet.

use std::net::IpAddr;
use std::sync::Arc;

use super::list::{self, FileError};
use super::primitive::members;
use super::problem::Problem;
use super::{Context, address, relation, simplify};
use crate::filter::ast::{Id, Kind, Operator, Primitive, Span};
use crate::filter::error::FilterError;
use crate::filter::names;
use crate::filter::tree::{Base, Compare, Prefix, PrefixList, Side, Term, Test, Tree};

/// `host` and `net`, and addresses without a kind.
pub(super) fn lower(context: &Context<'_>, primitive: &Primitive) -> Result<Tree, FilterError> {
    let side = primitive.qualifiers.side.unwrap_or(Side::Either);
    let (id, span) = (&primitive.id, &context.id_span(primitive));
    let each = |test: fn(Side, Prefix) -> Tree| {
        members(id, span, |id, span| {
            let prefix = typed(id, primitive.qualifiers.kind).and_then(v4_only);
            Ok(test(
                side,
                prefix.map_err(|problem| context.error(problem, span))?,
            ))
        })
    };
    match primitive.qualifiers.protocol.as_deref() {
        None | Some("ip" | "ip6") => of_ip(context, primitive, side),
        Some("arp") => each(|side, prefix| Tree::Test(Test::ArpAddress(side, prefix))),
        Some("rarp") => each(rarp),
        Some("ether") => members(id, span, |id, span| {
            mac(primitive, id, side).map_err(|problem| context.error(problem, span))
        }),
        Some(other) => Err(context.error(no_addresses(other, primitive, context), &primitive.span)),
    }
}

/// `broadcast` and `multicast`, of destinations.
pub(super) fn cast(context: &Context<'_>, primitive: &Primitive) -> Result<Tree, FilterError> {
    let multicast = primitive.qualifiers.kind == Some(Kind::Multicast);
    let dst = |prefix| Ok(Tree::Test(Test::Address(Side::Dst, prefix)));
    let refuse = |problem| Err(context.error(problem, &primitive.span));
    if primitive.qualifiers.side.is_some() {
        let help = "only destinations are broadcast and multicast addresses";
        return refuse(Problem::new("nothing comes from such an address").help(help));
    }
    match (primitive.qualifiers.protocol.as_deref(), multicast) {
        (None | Some("ether"), true) => Ok(group_bit()),
        (None | Some("ether"), false) => Ok(ether(Side::Dst, [0xff; 6])),
        // As libpcap: 224.0.0.0 and above.
        (Some("ip"), true) => dst(address::prefix(0xe000_0000, 32, 3)),
        // No netmask is known here, so only the address of every network.
        (Some("ip"), false) => dst(address::prefix(0xffff_ffff, 32, 32)),
        (Some("ip6"), true) => dst(address::prefix(0xff << 120, 128, 8)),
        (Some("ip6"), false) => {
            refuse(Problem::new("IPv6 has no broadcast").help("did you mean 'ip6 multicast'?"))
        }
        (Some(other), _) => {
            let word = if multicast { "multicast" } else { "broadcast" };
            let help = format!("did you mean '{other} and {word}'?");
            refuse(Problem::new(format!("'{other}' has no {word} addresses")).help(help))
        }
    }
}

fn of_ip(context: &Context<'_>, primitive: &Primitive, side: Side) -> Result<Tree, FilterError> {
    let kind = primitive.qualifiers.kind;
    let protocol = primitive.qualifiers.protocol.as_deref();
    let one = |id: &Id, span: &Span| {
        let prefix = typed(id, kind).and_then(|prefix| of_family(prefix, protocol));
        prefix.map_err(|problem| context.error(problem, span))
    };
    let list = match &primitive.id {
        Id::File(path) => {
            let list = file(context, path, &primitive.span)?;
            return Ok(simplify::all([family(protocol), in_list(side, list)]));
        }
        Id::List(members) => {
            let prefixes: Result<Vec<_>, _> =
                members.iter().map(|(id, span)| one(id, span)).collect();
            PrefixList::merged(None, prefixes?)
        }
        id => return Ok(address_test(side, one(id, &context.id_span(primitive))?)),
    };
    Ok(in_list(side, list))
}

fn in_list(side: Side, list: PrefixList) -> Tree {
    match (&list.file, &list.prefixes[..]) {
        (_, []) => Tree::False,
        (None, [prefix]) => address_test(side, *prefix),
        _ => Tree::Test(Test::AddressIn(side, Arc::new(list))),
    }
}

/// What single addresses say by themselves, and a file's list does not.
fn family(protocol: Option<&str>) -> Tree {
    match protocol {
        Some("ip") => Tree::Test(Test::Ipv4),
        Some("ip6") => Tree::Test(Test::Ipv6),
        _ => Tree::True,
    }
}

fn address_test(side: Side, prefix: Prefix) -> Tree {
    Tree::Test(Test::Address(side, prefix))
}

fn file(context: &Context<'_>, path: &str, span: &Span) -> Result<PrefixList, FilterError> {
    list::prefixes_of_file(path, context.library).map_err(|error| match error {
        FileError::File(problem) => context.error(problem, span),
        FileError::Line(error) => error,
    })
}

/// One address or network.
fn typed(id: &Id, kind: Option<Kind>) -> Result<Prefix, Problem> {
    match (id, kind) {
        (Id::Text(text), Some(Kind::Host)) => address::address(text),
        (Id::Text(text), _) => address::network(text),
        (Id::Number(number), Some(Kind::Net)) => Ok(address::network_of_number(*number)),
        (Id::Number(number), _) => address::address_of_number(*number),
        (Id::Masked(net, mask), _) => address::network_with_mask(net, mask),
        (Id::Range(first, last), _) => {
            Err(Problem::new(format!("'{first}-{last}' is not an address"))
                .help(format!("did you mean 'portrange {first}-{last}'?")))
        }
        (Id::File(_), _) => Err(Problem::new("a list from a file is of IP addresses")
            .help("write the addresses out: 'arp host in {10.0.0.1, 10.0.0.2}'")),
        (Id::None | Id::List(_), _) => {
            Err(Problem::new("an address is missing").help("as in 'host 10.0.0.1'"))
        }
    }
}

fn of_family(prefix: Prefix, protocol: Option<&str>) -> Result<Prefix, Problem> {
    let (typed, other) = match (protocol, prefix.addr.is_ipv4()) {
        (Some("ip"), false) => ("ip", "ip6"),
        (Some("ip6"), true) => ("ip6", "ip"),
        _ => return Ok(prefix),
    };
    let message = format!("'{typed}' has no addresses such as {}", prefix.addr);
    Err(Problem::new(message).help(format!("did you mean '{other}'?")))
}

fn v4_only(prefix: Prefix) -> Result<Prefix, Problem> {
    match prefix.addr {
        IpAddr::V4(_) => Ok(prefix),
        IpAddr::V6(addr) => Err(Problem::new(format!("ARP has no addresses such as {addr}"))
            .help("IPv6 asks for neighbours with icmp6")),
    }
}

/// `tcp host 10.0.0.1`, `icmp net 10`.
fn no_addresses(protocol: &str, primitive: &Primitive, context: &Context<'_>) -> Problem {
    let kind = primitive.qualifiers.kind;
    if names::transport(protocol).is_none() {
        return Problem::new(format!("addresses of '{protocol}' are not supported"))
            .help("there are those of ip, ip6, arp, rarp and ether");
    }
    let problem = Problem::new(format!(
        "'{protocol}' packets have the addresses of IP, none of their own"
    ));
    let typed = context.text.get(primitive.span.clone()).unwrap_or_default();
    match typed.split_once(char::is_whitespace) {
        Some((first, rest)) if first.eq_ignore_ascii_case(protocol) => {
            problem.help(format!("did you mean '{protocol} and {rest}'?"))
        }
        _ => {
            let kind = kind.unwrap_or(Kind::Host).word();
            problem.help(format!("write '{protocol} and {kind} ...'"))
        }
    }
}

fn mac(primitive: &Primitive, id: &Id, side: Side) -> Result<Tree, Problem> {
    if primitive.qualifiers.kind == Some(Kind::Net) {
        return Err(Problem::new("Ethernet has no networks").help("did you mean 'ether host'?"));
    }
    let help = "as in 'ether host 00:1b:21:3c:4d:5e'";
    match id {
        Id::Text(text) => match address::ethernet(text) {
            Some(addr) => Ok(ether(side, addr)),
            None => Err(Problem::new(format!("'{text}' is not an Ethernet address")).help(help)),
        },
        _ => Err(Problem::new("'ether host' takes an Ethernet address").help(help)),
    }
}

fn ether(side: Side, addr: [u8; 6]) -> Tree {
    Tree::Test(Test::Mac(side, addr, [0xff; 6]))
}

fn group_bit() -> Tree {
    Tree::Test(Test::Mac(Side::Dst, [1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]))
}

/// RARP has ARP's format, with the sender's address at byte 14 and the target's at byte 24.
fn rarp(side: Side, prefix: Prefix) -> Tree {
    let at = |offset| {
        let bytes = Term::Bytes {
            base: Base::Network(RARP),
            offset: Box::new(Term::Number(offset)),
            size: 4,
        };
        let left = match prefix.len {
            32 => bytes,
            len => {
                let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
                Term::Operation(Operator::And, Box::new(bytes), Box::new(Term::Number(mask)))
            }
        };
        let IpAddr::V4(addr) = prefix.addr else {
            return Tree::False;
        };
        relation::compare(left, Compare::Equal, Term::Number(u32::from(addr)))
    };
    match side {
        Side::Src => at(14),
        Side::Dst => at(24),
        Side::Either => simplify::any([at(14), at(24)]),
        Side::Both => simplify::all([at(14), at(24)]),
    }
}

const RARP: u16 = 0x8035;
