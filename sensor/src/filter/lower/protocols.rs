//! Protocols by name and by number.

use super::primitive::members;
use super::problem::Problem;
use super::{Context, simplify};
use crate::filter::ast::{Id, Primitive};
use crate::filter::error::{FilterError, LONGEST_WORD, cut};
use crate::filter::suggest;
use crate::filter::tree::{Test, Tree};
use crate::filter::{names, names::network_test};

/// A bare word, or `proto WORD`: everything that reports call so.
pub(super) fn word(typed: &str) -> Result<Tree, Problem> {
    let word = typed.to_ascii_lowercase();
    if let Some(tests) = names::uses(&word) {
        return Ok(simplify::any(tests.iter().cloned().map(Tree::Test)));
    }
    if let Some(test) = names::nameless(&word) {
        return Ok(Tree::Test(test));
    }
    if let Some((_, what)) = REFUSED
        .iter()
        .find(|(words, _)| words.contains(&word.as_str()))
    {
        return Err(Problem::new(format!("'{typed}' alone says nothing")).help(*what));
    }
    let known = names::words().chain(WORDS);
    Err(unknown("protocol", typed, known).or_help(
        "names are those of the reports; hosts, ports and interfaces follow 'host', 'port' and 'interface'",
    ))
}

/// Whether there is a better answer to this word than that it's unknown.
pub(super) fn is_explained(word: &str) -> bool {
    REFUSED.iter().any(|(words, _)| words.contains(&word))
}

type Reader = fn(&Id) -> Result<Tree, Problem>;

/// `proto N`, `ip proto N`, `ether proto N`, or their names.
pub(super) fn numbered(context: &Context<'_>, primitive: &Primitive) -> Result<Tree, FilterError> {
    let qualifiers = &primitive.qualifiers;
    let refuse = |problem| Err(context.error(problem, &primitive.span));
    if qualifiers.side.is_some() {
        let problem = Problem::new("'proto' has no source and no destination");
        return refuse(problem.help("leave out what stands before it"));
    }
    let protocol = qualifiers.protocol.as_deref();
    let (family, each): (_, Reader) = match protocol {
        None => (Tree::True, any_layer),
        Some("ip") => (Tree::Test(Test::Ipv4), behind_ip),
        Some("ip6") => (Tree::Test(Test::Ipv6), behind_ip),
        Some("ether") => (Tree::True, behind_ethernet),
        Some(other) => {
            let message = format!("'{other} proto' is not supported");
            return refuse(
                Problem::new(message).help("'proto' stands alone or behind ip, ip6 or ether"),
            );
        }
    };
    let tree = members(&primitive.id, &context.id_span(primitive), |id, span| {
        each(id).map_err(|problem| context.error(problem, span))
    })?;
    Ok(simplify::all([family, tree]))
}

fn any_layer(id: &Id) -> Result<Tree, Problem> {
    match id {
        Id::Text(text) => word(text),
        id => ip_numbers(id),
    }
}

fn behind_ip(id: &Id) -> Result<Tree, Problem> {
    let Id::Text(text) = id else {
        return ip_numbers(id);
    };
    let word = text.to_ascii_lowercase();
    match (names::transport(&word), names::nameless(&word)) {
        (Some(number), _) => Ok(Tree::Test(Test::Protocol(number))),
        (None, Some(test @ Test::Protocol(_))) => Ok(Tree::Test(test)),
        _ if names::uses(&word).is_some() => Err(Problem::new(format!(
            "'{text}' is not a protocol that IP headers name"
        ))
        .help(format!("did you mean 'ip and {text}'?"))),
        _ => {
            let known = names::words().filter(|word| names::transport(word).is_some());
            Err(unknown("IP protocol", text, known)
                .or_help("write its number, as in 'ip proto 47'"))
        }
    }
}

fn behind_ethernet(id: &Id) -> Result<Tree, Problem> {
    match id {
        Id::Number(number) => match u16::try_from(*number) {
            Ok(id) => Ok(Tree::Test(network_test(id))),
            Err(_) => Err(Problem::new(format!("{number} is not an EtherType"))
                .help("EtherTypes go from 0 to 0xffff")),
        },
        Id::Text(text) => {
            let word = text.to_ascii_lowercase();
            if let Some(ids) = names::networks(&word) {
                return Ok(simplify::any(
                    ids.iter().map(|id| Tree::Test(network_test(*id))),
                ));
            }
            if names::transport(&word).is_some() {
                let message = format!("Ethernet headers don't name '{text}', IP headers do");
                return Err(Problem::new(message).help(format!("did you mean 'proto {text}'?")));
            }
            let known = names::words().filter(|word| names::networks(word).is_some());
            Err(unknown("EtherType", text, known)
                .or_help("write its number, as in 'ether proto 0x88cc'"))
        }
        _ => Err(wrong_id("ether proto", "an EtherType")),
    }
}

fn ip_numbers(id: &Id) -> Result<Tree, Problem> {
    let checked = |number: u32| {
        u8::try_from(number).map_err(|_| {
            let problem = Problem::new(format!("{number} is not an IP protocol"));
            match number {
                0x600..=0xffff => {
                    problem.help(format!("did you mean 'ether proto {number:#06x}'?"))
                }
                _ => problem.help("the numbers of IP protocols go from 0 to 255"),
            }
        })
    };
    match id {
        Id::Number(number) => Ok(Tree::Test(Test::Protocol(checked(*number)?))),
        Id::Range(first, last) => {
            let (first, last) = (checked(*first.min(last))?, checked(*first.max(last))?);
            let each = |number| Tree::Test(Test::Protocol(number));
            Ok(simplify::any((first..=last).map(each)))
        }
        _ => Err(wrong_id("proto", "a protocol's name or number")),
    }
}

fn wrong_id(kind: &str, expected: &str) -> Problem {
    Problem::new(format!("expected {expected} after '{kind}'")).help(format!(
        "as in '{kind} 6', or several: '{kind} in {{6, 17}}'"
    ))
}

/// With the known word that was probably meant.
pub(super) fn unknown(
    what: &str,
    typed: &str,
    known: impl Iterator<Item = &'static str>,
) -> Problem {
    let problem = Problem::new(format!("unknown {what} '{}'", cut(typed, LONGEST_WORD)));
    if matches!(typed.to_ascii_lowercase().as_str(), "tls" | "ssl") {
        return problem.help("did you mean 'https'?");
    }
    // Of equally near ones the first is taken, and the first letter is seldom wrong.
    let mut known: Vec<&str> = known.collect();
    known.sort_by_key(|word| word.chars().next() != typed.chars().next());
    match suggest::nearest(typed, known) {
        Some(word) => problem.help(format!("did you mean '{word}'?")),
        None => problem,
    }
}

/// Words of the grammar that stand alone.
const WORDS: [&str; 9] = [
    "ingress",
    "egress",
    "inbound",
    "outbound",
    "broadcast",
    "multicast",
    "vlan",
    "mpls",
    "pppoes",
];

/// Words of pcap-filter(7), of reports and of people that are no test by themselves.
const REFUSED: &[(&[&str], &str)] = &[
    (
        &["ether", "link", "ppp", "slip", "fddi", "tr"],
        "every packet has a link layer: 'ether host', 'ether proto' and 'ether[0]' ask what is in it",
    ),
    (
        &[
            "clnp", "esis", "es-is", "is-is", "iih", "lsp", "snp", "csnp", "psnp",
        ],
        "'iso' is all of IS-IS, ES-IS and CLNP",
    ),
    (
        &["wlan"],
        "802.11 headers are not told apart; 'ether host' asks for addresses",
    ),
    (&["non-ip"], "write 'not ip and not ip6'"),
    (
        &["other", "malformed", "truncated"],
        "packets that can't be parsed have no protocol; 'len' asks for their length",
    ),
    (
        &["all", "any", "true", "everything"],
        "leave it out: an empty filter is every packet",
    ),
    (
        &["syn", "ack", "fin", "rst", "psh", "urg"],
        "write 'tcp[tcpflags] & tcp-syn != 0' for a flag of TCP",
    ),
    (
        &["pppoe"],
        "'pppoes' is a session's packet, 'pppoed' one of discovery",
    ),
];
