//! Display filters of Wireshark, which people type by habit, in our words.

use super::{Parser, number};
use crate::filter::lexer::Kind;

/// `None` if the word is no field; else the same in our words, if it can be said.
pub(super) fn translated(parser: &Parser<'_, '_, '_>, field: &str) -> Option<Option<String>> {
    let field = field.to_ascii_lowercase();
    let (layer, rest) = field.split_once('.')?;
    let ours = FIELDS
        .iter()
        .find(|(known, _)| *known == field)
        .map(|(_, ours)| *ours);
    if ours.is_none() && (!LAYERS.contains(&layer) || number::is_number(rest)) {
        return None;
    }
    if ["http", "dns", "tls", "ssl", "ssh"].contains(&layer) {
        return Some(Some(format!(
            "write '{}'",
            if matches!(layer, "ssl" | "tls") {
                "https"
            } else {
                layer
            }
        )));
    }
    let (sign, value) = compared(parser);
    Some(match ours {
        Some(Ours::Id(words)) => words_and_value(words, sign, value),
        Some(Ours::Bytes(bytes)) => {
            Some(format!("write '{bytes} {sign} {}'", value.unwrap_or("10")))
        }
        Some(Ours::Flag(name)) => {
            let set = matches!(value, None | Some("1" | "true" | "True")) == (sign != "!=");
            Some(format!(
                "write 'tcp[tcpflags] & {name} {} 0'",
                if set { "!=" } else { "=" }
            ))
        }
        None => None,
    })
}

fn words_and_value(words: &str, sign: &str, value: Option<&str>) -> Option<String> {
    let Some(value) = value else {
        return Some(format!("write '{words} ...'"));
    };
    let network = value.contains('/');
    let words = if network {
        words.replace("host", "net")
    } else {
        words.into()
    };
    match sign {
        "=" | "in" if value.starts_with('{') => Some(format!("write '{words} in {value}'")),
        "=" => Some(format!("write '{words} {value}'")),
        "!=" => Some(format!("write 'not {words} {value}'")),
        _ => None,
    }
}

/// The comparison behind the field, in our signs, and the value behind that.
fn compared<'t>(parser: &Parser<'t, '_, '_>) -> (&'static str, Option<&'t str>) {
    let sign = parser.ahead(1);
    let sign = match (&sign.kind, parser.text_of(sign)) {
        (Kind::Symbol("=" | "==" | "==="), _) | (Kind::Word, "eq") => "=",
        (Kind::Symbol("!=" | "!=="), _) | (Kind::Word, "ne") => "!=",
        (Kind::Symbol("<"), _) | (Kind::Word, "lt") => "<",
        (Kind::Symbol("<="), _) | (Kind::Word, "le") => "<=",
        (Kind::Symbol(">"), _) | (Kind::Word, "gt") => ">",
        (Kind::Symbol(">="), _) | (Kind::Word, "ge") => ">=",
        (Kind::Word, "in") => "in",
        _ => return ("=", None),
    };
    let first = parser.ahead(2);
    let mut last = first;
    if first.kind == Kind::Symbol("{") {
        last = (3..20)
            .map(|by| parser.ahead(by))
            .find(|token| token.kind == Kind::Symbol("}"))
            .unwrap_or(first);
    } else if parser.ahead(3).kind == Kind::Symbol("/") {
        last = parser.ahead(4);
    }
    match first.kind {
        Kind::Word | Kind::Address | Kind::Symbol("{") => {
            (sign, Some(parser.slice(&(first.span.start..last.span.end))))
        }
        _ => (sign, None),
    }
}

#[derive(Clone, Copy)]
enum Ours {
    Id(&'static str),
    Bytes(&'static str),
    Flag(&'static str),
}

const LAYERS: [&str; 17] = [
    "ip", "ipv6", "tcp", "udp", "sctp", "eth", "frame", "vlan", "icmp", "icmpv6", "arp", "http",
    "dns", "tls", "ssl", "ssh", "mpls",
];

const FIELDS: [(&str, Ours); 44] = [
    ("ip.addr", Ours::Id("host")),
    ("ip.host", Ours::Id("host")),
    ("ip.src", Ours::Id("src host")),
    ("ip.src_host", Ours::Id("src host")),
    ("ip.dst", Ours::Id("dst host")),
    ("ip.dst_host", Ours::Id("dst host")),
    ("ipv6.addr", Ours::Id("host")),
    ("ipv6.host", Ours::Id("host")),
    ("ipv6.src", Ours::Id("src host")),
    ("ipv6.dst", Ours::Id("dst host")),
    ("ip.proto", Ours::Id("ip proto")),
    ("ipv6.nxt", Ours::Id("ip6 proto")),
    ("tcp.port", Ours::Id("tcp port")),
    ("tcp.srcport", Ours::Id("tcp src port")),
    ("tcp.dstport", Ours::Id("tcp dst port")),
    ("udp.port", Ours::Id("udp port")),
    ("udp.srcport", Ours::Id("udp src port")),
    ("udp.dstport", Ours::Id("udp dst port")),
    ("sctp.port", Ours::Id("sctp port")),
    ("sctp.srcport", Ours::Id("sctp src port")),
    ("sctp.dstport", Ours::Id("sctp dst port")),
    ("eth.addr", Ours::Id("ether host")),
    ("eth.src", Ours::Id("ether src")),
    ("eth.dst", Ours::Id("ether dst")),
    ("eth.type", Ours::Id("ether proto")),
    ("vlan.id", Ours::Id("vlan")),
    ("mpls.label", Ours::Id("mpls")),
    ("frame.interface_name", Ours::Id("interface")),
    ("frame.len", Ours::Bytes("len")),
    ("ip.len", Ours::Bytes("ip[2:2]")),
    ("ip.ttl", Ours::Bytes("ip[8]")),
    ("ip.id", Ours::Bytes("ip[4:2]")),
    ("ipv6.hlim", Ours::Bytes("ip6[7]")),
    ("icmp.type", Ours::Bytes("icmp[icmptype]")),
    ("icmp.code", Ours::Bytes("icmp[icmpcode]")),
    ("icmpv6.type", Ours::Bytes("icmp6[icmp6type]")),
    ("icmpv6.code", Ours::Bytes("icmp6[icmp6code]")),
    ("tcp.flags", Ours::Bytes("tcp[tcpflags]")),
    ("tcp.flags.fin", Ours::Flag("tcp-fin")),
    ("tcp.flags.syn", Ours::Flag("tcp-syn")),
    ("tcp.flags.reset", Ours::Flag("tcp-rst")),
    ("tcp.flags.push", Ours::Flag("tcp-push")),
    ("tcp.flags.ack", Ours::Flag("tcp-ack")),
    ("tcp.flags.urg", Ours::Flag("tcp-urg")),
];
