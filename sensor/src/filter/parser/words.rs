//! The words with a meaning of their own.

use crate::filter::ast::{Kind, Side};
use crate::filter::tree::Measure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    And,
    Or,
    Not,
    In,
    Mask,
    /// May stand before a side and a kind.
    Protocol(&'static str),
    Side(Side),
    /// `host`, `net`, `port`, `portrange`, `proto`.
    Kind(Kind),
    /// `vlan`, `mpls`, `pppoes`.
    Tag(Kind),
    /// `broadcast`, `multicast`.
    Cast(Kind),
    /// The canonical word.
    Direction(&'static str),
    Interface,
    Greater,
    Less,
    Length,
    Measure(Measure),
    Unsupported(&'static Unsupported),
}

/// Words of pcap-filter(7) that have no meaning here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsupported {
    pub(super) words: &'static [&'static str],
    pub(super) what: &'static str,
    pub(super) help: &'static str,
}

/// Capitals are as good as small letters.
pub(super) fn keyword(text: &str) -> Option<Word> {
    let lower = text.to_ascii_lowercase();
    let text = lower.as_str();
    Some(match text {
        "and" => Word::And,
        "or" => Word::Or,
        "not" => Word::Not,
        "in" => Word::In,
        "mask" => Word::Mask,
        "src" => Word::Side(Side::Src),
        "dst" => Word::Side(Side::Dst),
        "host" => Word::Kind(Kind::Host),
        "net" => Word::Kind(Kind::Net),
        "port" => Word::Kind(Kind::Port),
        "portrange" => Word::Kind(Kind::PortRange),
        "proto" => Word::Kind(Kind::Proto),
        "vlan" => Word::Tag(Kind::Vlan),
        "mpls" => Word::Tag(Kind::Mpls),
        "pppoes" => Word::Tag(Kind::Pppoes),
        "broadcast" => Word::Cast(Kind::Broadcast),
        "multicast" => Word::Cast(Kind::Multicast),
        "ingress" | "inbound" => Word::Direction("ingress"),
        "egress" | "outbound" => Word::Direction("egress"),
        "interface" | "ifname" | "on" => Word::Interface,
        "greater" => Word::Greater,
        "less" => Word::Less,
        "len" | "length" => Word::Length,
        "bytes" => Word::Measure(Measure::Bytes),
        "packets" => Word::Measure(Measure::Packets),
        "duration" => Word::Measure(Measure::Duration),
        "ether" | "link" | "ppp" | "slip" | "fddi" | "tr" => Word::Protocol("ether"),
        _ => {
            return match PROTOCOLS.iter().find(|word| **word == text) {
                Some(word) => Some(Word::Protocol(word)),
                None => UNSUPPORTED
                    .iter()
                    .find(|group| group.words.contains(&text))
                    .map(Word::Unsupported),
            };
        }
    })
}

/// Words that a slip of the finger may have meant, the likeliest first.
pub(super) const SUGGESTED: [&str; 39] = [
    "port",
    "host",
    "net",
    "src",
    "dst",
    "proto",
    "portrange",
    "tcp",
    "udp",
    "icmp",
    "icmp6",
    "sctp",
    "ip",
    "ip6",
    "arp",
    "ether",
    "vlan",
    "mpls",
    "pppoes",
    "and",
    "or",
    "not",
    "in",
    "mask",
    "greater",
    "less",
    "len",
    "length",
    "broadcast",
    "multicast",
    "ingress",
    "egress",
    "inbound",
    "outbound",
    "interface",
    "bytes",
    "packets",
    "duration",
    "igmp",
];

const PROTOCOLS: [&str; 39] = [
    "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "icmpv6", "igmp", "igrp",
    "pim", "vrrp", "carp", "ah", "esp", "atalk", "aarp", "decnet", "lat", "sca", "moprc", "mopdl",
    "iso", "esis", "es-is", "isis", "is-is", "clnp", "stp", "ipx", "netbeui", "iih", "lsp", "snp",
    "csnp", "psnp", "pppoed",
];

const UNSUPPORTED: [Unsupported; 9] = [
    Unsupported {
        words: &["gateway"],
        what: "needs the names and addresses of hosts, which are not looked up here",
        help: "write the gateway's MAC address: 'ether host aa:bb:cc:dd:ee:ff and not host 10.0.0.1'",
    },
    Unsupported {
        words: &["protochain"],
        what: "is not supported",
        help: "'proto N' already looks behind IPv6 extension headers",
    },
    Unsupported {
        words: &["byte"],
        what: "is not supported",
        help: "compare bytes with 'ether[0] = 1', counted from the start of the packet",
    },
    Unsupported {
        words: &["ifindex"],
        what: "is not supported",
        help: "name the interface: 'interface eth0'",
    },
    Unsupported {
        words: &[
            "wlan",
            "type",
            "subtype",
            "dir",
            "direction",
            "addr1",
            "addr2",
            "addr3",
            "addr4",
            "address1",
            "address2",
            "address3",
            "address4",
            "ra",
            "ta",
            "radio",
        ],
        what: "belongs to 802.11 headers, which are not supported",
        help: "ask for addresses with 'ether host', and for bytes with 'link[0]'",
    },
    Unsupported {
        words: &[
            "lane",
            "metac",
            "bcc",
            "oam",
            "oamf4",
            "oamf4ec",
            "oamf4sc",
            "sc",
            "ilmic",
            "vpi",
            "vci",
            "connectmsg",
            "metaconnect",
        ],
        what: "belongs to ATM, which is not supported",
        help: "ask for bytes with 'link[0]'",
    },
    Unsupported {
        words: &[
            "fisu", "lssu", "lsu", "msu", "hfisu", "hlssu", "hmsu", "sio", "opc", "dpc", "sls",
            "hsio", "hopc", "hdpc", "hsls",
        ],
        what: "belongs to SS7, which is not supported",
        help: "ask for bytes with 'link[0]'",
    },
    Unsupported {
        words: &[
            "rset",
            "ruleset",
            "rnr",
            "rulenum",
            "srnr",
            "subrulenum",
            "reason",
            "action",
        ],
        what: "belongs to the logs of pf, which are not supported",
        help: "ask for the interface with 'interface eth0'",
    },
    Unsupported {
        words: &["l1", "l2"],
        what: "belongs to IS-IS packets, whose types are not told apart",
        help: "ask for 'isis', and for bytes with 'link[0]'",
    },
];
