//! Words for protocols and ports: what reports call them, and what pcap-filter(7) and /etc/services do.
//!
//! No table of its own beyond the aliases: everything is derived from the names that reports print, so that whatever a
//! report shows can be typed.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use sensor_common::application::Application;
use sensor_common::classify;
use sensor_common::protocol::{self, ip, network};

use super::tree::{PortRange, Test};

/// Transports whose ports the parser reads.
pub const WITH_PORTS: [u8; 5] = [ip::TCP, ip::UDP, ip::SCTP, ip::DCCP, ip::UDP_LITE];

/// Everything that a word means: network protocols, then transports, then the application's label.
pub fn uses(word: &str) -> Option<&'static [Test]> {
    tables().words.get(word).map(Vec::as_slice).or_else(|| {
        let (_, name) = WORD_ALIASES.iter().find(|(alias, _)| *alias == word)?;
        tables().words.get(name).map(Vec::as_slice)
    })
}

/// As [`uses`], of the reports' names for numbers without one: `ip-proto-253`, `ethertype-0x1234`.
pub fn nameless(word: &str) -> Option<Test> {
    if let Some(number) = word.strip_prefix("ip-proto-") {
        return number.parse().ok().map(Test::Protocol);
    }
    let id = word.strip_prefix("ethertype-0x")?;
    u16::from_str_radix(id, 16).ok().map(network_test)
}

/// Number of an IP protocol, by its name in reports, in pcap-filter(7) and in /etc/protocols.
pub fn transport(word: &str) -> Option<u8> {
    let alias = TRANSPORT_ALIASES.iter().find(|(alias, _)| *alias == word);
    alias
        .map(|(_, number)| *number)
        .or_else(|| tables().transports.get(word).copied())
}

/// Network ids of a name.
pub fn networks(word: &str) -> Option<&'static [u16]> {
    let alias = NETWORK_ALIASES.iter().find(|(alias, _)| *alias == word);
    alias
        .map(|(_, id)| std::slice::from_ref(id))
        .or_else(|| tables().networks.get(word).map(Vec::as_slice))
}

/// Ports that are called so, per transport.
pub fn ports(word: &str) -> Option<&'static BTreeMap<u8, Vec<PortRange>>> {
    let alias = PORT_ALIASES.iter().find(|(alias, _)| *alias == word);
    let word = alias.map_or(word, |(_, label)| *label);
    tables().ports.get(word)
}

/// The test on a network id: tags and IP have tests of their own.
pub fn network_test(id: u16) -> Test {
    match id {
        network::IPV4 => Test::Ipv4,
        network::IPV6 => Test::Ipv6,
        network::VLAN | network::QINQ | network::QINQ_9100 | network::QINQ_9200 => Test::Vlan(None),
        network::MPLS | network::MPLS_MULTICAST => Test::Mpls(None),
        network::PPPOE_SESSION => Test::Pppoe(None),
        id => Test::Network(id),
    }
}

/// Labels of applications, in alphabetic order.
pub fn labels() -> impl Iterator<Item = &'static str> {
    Application::ALL.iter().map(|label| label.name())
}

/// All words that [`uses`] knows.
pub fn words() -> impl Iterator<Item = &'static str> {
    let aliases = WORD_ALIASES.iter().map(|(alias, _)| *alias);
    tables().words.keys().copied().chain(aliases)
}

/// All words that [`ports`] knows.
pub fn port_names() -> impl Iterator<Item = &'static str> {
    let aliases = PORT_ALIASES.iter().map(|(alias, _)| *alias);
    tables().ports.keys().copied().chain(aliases)
}

/// Words that mean several things, for printing them as one.
pub fn ambiguous() -> impl Iterator<Item = (&'static str, &'static [Test])> {
    let words = tables().words.iter().filter(|(_, tests)| tests.len() > 1);
    words.map(|(word, tests)| (*word, tests.as_slice()))
}

struct Tables {
    words: BTreeMap<&'static str, Vec<Test>>,
    networks: BTreeMap<&'static str, Vec<u16>>,
    transports: BTreeMap<&'static str, u8>,
    /// Of the labels, and of services that have none.
    ports: Ports,
}

type Ports = BTreeMap<&'static str, BTreeMap<u8, Vec<PortRange>>>;

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(Tables::new)
}

impl Tables {
    fn new() -> Self {
        let mut networks = BTreeMap::<_, Vec<_>>::new();
        for id in 0..=u16::MAX {
            if let Some(name) = protocol::network_name(id) {
                networks.entry(name).or_default().push(id);
            }
        }
        let transports: BTreeMap<_, _> = (0..=u8::MAX)
            .filter_map(|number| Some((protocol::transport_name(number)?, number)))
            .collect();
        let mut ports = labelled();
        for &(name, number, port) in SERVICES {
            add_port(&mut ports, name, number, port);
        }
        Tables {
            words: meanings(&networks, &transports),
            networks,
            transports,
            ports,
        }
    }
}

/// Asks the labels' own function about every port.
fn labelled() -> Ports {
    let mut ports = Ports::new();
    for number in WITH_PORTS {
        for port in 0..=u16::MAX {
            // No label belongs to port 0, so the other port decides.
            if let Some(label) = classify::by_port(number, port, 0) {
                add_port(&mut ports, label.name(), number, port);
            }
        }
    }
    ports
}

fn add_port(ports: &mut Ports, name: &'static str, protocol: u8, port: u16) {
    let ranges = ports.entry(name).or_default().entry(protocol).or_default();
    match ranges.last_mut() {
        Some(range) if range.last.checked_add(1) == Some(port) => range.last = port,
        _ => ranges.push(PortRange {
            first: port,
            last: port,
        }),
    }
}

fn meanings(
    networks: &BTreeMap<&'static str, Vec<u16>>,
    transports: &BTreeMap<&'static str, u8>,
) -> BTreeMap<&'static str, Vec<Test>> {
    let mut words = BTreeMap::<_, Vec<Test>>::new();
    let mut add = |word, test| {
        let tests = words.entry(word).or_default();
        if !tests.contains(&test) {
            tests.push(test);
        }
    };
    for (name, ids) in networks {
        ids.iter().for_each(|id| add(*name, network_test(*id)));
    }
    for (alias, id) in NETWORK_ALIASES {
        add(alias, network_test(*id));
    }
    for (name, number) in transports {
        add(*name, Test::Protocol(*number));
    }
    for label in labels() {
        add(label, Test::Application(label));
    }
    words
}

/// Words of pcap-filter(7) that reports have other names for. Its `ip` and `ip6` are network protocols only.
const WORD_ALIASES: &[(&str, &str)] = &[
    ("ip4", "ipv4"),
    ("icmp6", "icmpv6"),
    ("igrp", "igp"),
    ("carp", "vrrp"),
    ("udp-lite", "udplite"),
];

/// As pcap-filter(7) has them. EtherTypes without a name in reports can be asked for by these words only.
const NETWORK_ALIASES: &[(&str, u16)] = &[
    ("ip", network::IPV4),
    ("ip6", network::IPV6),
    ("atalk", 0x809b),
    ("mopdl", 0x6001),
    ("moprc", 0x6002),
    ("lat", 0x6004),
    ("sca", 0x6007),
];

/// /etc/protocols and pcap-filter(7), valid after `ip proto` and `ip6 proto`.
const TRANSPORT_ALIASES: &[(&str, u8)] = &[
    ("icmp6", ip::ICMPV6),
    ("ipv6-icmp", ip::ICMPV6),
    ("ipv6", ip::IPV6),
    ("ipencap", ip::IPIP),
    ("ipip6", ip::IPV6),
    ("igrp", 9),
    ("carp", 112),
    ("udp-lite", ip::UDP_LITE),
    ("ospfigp", 89),
    ("mobility-header", 135),
];

/// Names of /etc/services for what reports label otherwise.
const PORT_ALIASES: &[(&str, &str)] = &[
    ("domain", "dns"),
    ("www", "http"),
    ("sunrpc", "rpcbind"),
    ("imap2", "imap"),
    ("microsoft-ds", "smb"),
    ("ms-wbt-server", "rdp"),
    ("ms-sql-s", "mssql"),
    ("postgres", "postgresql"),
    ("ptp-event", "ptp"),
    ("isakmp", "ike"),
];

/// Ports of /etc/services that have no label of their own.
const SERVICES: &[(&str, u8, u16)] = &[
    ("echo", ip::TCP, 7),
    ("echo", ip::UDP, 7),
    ("discard", ip::TCP, 9),
    ("discard", ip::UDP, 9),
    ("daytime", ip::TCP, 13),
    ("daytime", ip::UDP, 13),
    ("chargen", ip::TCP, 19),
    ("chargen", ip::UDP, 19),
    ("time", ip::TCP, 37),
    ("time", ip::UDP, 37),
    ("bootps", ip::UDP, 67),
    ("bootpc", ip::UDP, 68),
    ("ident", ip::TCP, 113),
    ("auth", ip::TCP, 113),
    ("snmptrap", ip::UDP, 162),
    ("snmp-trap", ip::UDP, 162),
    ("exec", ip::TCP, 512),
    ("biff", ip::UDP, 512),
    ("login", ip::TCP, 513),
    ("who", ip::UDP, 513),
    ("dhcpv6-client", ip::UDP, 546),
    ("dhcpv6-server", ip::UDP, 547),
    ("submission", ip::TCP, 587),
    ("http-alt", ip::TCP, 8080),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn at(first: u16, last: u16) -> PortRange {
        PortRange { first, last }
    }

    #[test]
    fn every_name_that_a_report_can_print_is_known() {
        for name in (0..=u16::MAX).filter_map(protocol::network_name) {
            assert!(uses(name).is_some(), "{name}");
        }
        for number in 0..=u8::MAX {
            let name = crate::counters::transport_name(number);
            let known = uses(&name).map(<[Test]>::to_vec);
            let known = known.or_else(|| nameless(&name).map(|test| vec![test]));
            assert!(known.is_some_and(|tests| tests.contains(&Test::Protocol(number))));
        }
        for label in labels() {
            assert!(uses(label).is_some_and(|tests| tests.contains(&Test::Application(label))));
        }
    }

    #[test]
    fn words_of_the_manual_keep_their_meaning() {
        let one = |word| match uses(word) {
            Some([test]) => test.clone(),
            other => panic!("{word}: {other:?}"),
        };
        for (word, number) in [
            ("tcp", 6),
            ("udp", 17),
            ("icmp", 1),
            ("icmp6", 58),
            ("igmp", 2),
        ] {
            assert_eq!(one(word), Test::Protocol(number));
        }
        for (word, number) in [("esp", 50), ("ah", 51), ("sctp", 132), ("pim", 103)] {
            assert_eq!(one(word), Test::Protocol(number));
        }
        for (word, number) in [("vrrp", 112), ("carp", 112), ("igrp", 9), ("icmpv6", 58)] {
            assert_eq!(one(word), Test::Protocol(number));
        }
        assert_eq!(
            [one("ip"), one("ipv4"), one("ip4")],
            [const { Test::Ipv4 }; 3]
        );
        assert_eq!([one("ip6"), one("ipv6")], [const { Test::Ipv6 }; 2]);
        for (word, id) in [
            ("arp", 0x0806),
            ("rarp", 0x8035),
            ("stp", 0x42),
            ("iso", 0xfe),
        ] {
            assert_eq!(one(word), Test::Network(id));
        }
        assert_eq!(one("atalk"), one("appletalk"));
        assert_eq!(one("vlan"), Test::Vlan(None));
        assert_eq!(one("mpls"), Test::Mpls(None));
        assert_eq!(one("pppoes"), Test::Pppoe(None));
        assert_eq!(one("pppoed"), Test::Network(0x8863));
    }

    #[test]
    fn a_word_means_all_that_reports_call_by_it() {
        assert_eq!(
            uses("rdp"),
            Some(&[Test::Protocol(27), Test::Application("rdp")][..])
        );
        let ipx = [0xe0, 0xff, 0x8137].map(Test::Network);
        assert_eq!(uses("ipx"), Some(&ipx[..]));
        assert_eq!(nameless("ip-proto-253"), Some(Test::Protocol(253)));
        assert_eq!(nameless("ethertype-0x1234"), Some(Test::Network(0x1234)));
        assert_eq!(nameless("ethertype-0x"), None);
        assert_eq!(nameless("ip-proto-256"), None);
    }

    #[test]
    fn labels_give_their_ports_per_transport() {
        let https = ports("https").unwrap();
        assert_eq!(https.len(), 1);
        assert_eq!(https[&ip::TCP], [at(443, 443), at(8443, 8443)]);
        assert_eq!(ports("domain"), ports("dns"));
        assert_eq!(ports("dns").unwrap().len(), 2);
        assert_eq!(ports("bittorrent").unwrap()[&ip::UDP], [at(6881, 6889)]);
        assert_eq!(ports("nonsense"), None);
    }

    #[test]
    fn aliases_lead_somewhere_and_hide_nothing() {
        for (alias, word) in WORD_ALIASES {
            assert!(uses(word).is_some(), "{word}");
            assert!(!tables().words.contains_key(alias), "{alias}");
        }
        for (alias, label) in PORT_ALIASES {
            assert!(ports(label).is_some(), "{label}");
            assert!(!tables().ports.contains_key(alias), "{alias}");
        }
        for (alias, _) in NETWORK_ALIASES {
            assert!(!tables().networks.contains_key(alias), "{alias}");
        }
    }
}
