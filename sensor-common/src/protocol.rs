//! Numbers and names of network and transport protocols.

/// IP protocol numbers (IANA protocol-numbers) that the code speaks of.
pub mod ip {
    pub const ICMP: u8 = 1;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const DCCP: u8 = 33;
    pub const GRE: u8 = 47;
    pub const ICMPV6: u8 = 58;
    pub const SCTP: u8 = 132;
    pub const UDP_LITE: u8 = 136;
    pub const IPIP: u8 = 4;
    pub const IPV6: u8 = 41;
}

/// Network ids: an EtherType, or below 0x0600 what 802.3 frames and other links carry instead: 0x00 to 0xff an LLC
/// service access point, above that numbers of our own.
pub mod network {
    pub const IPV4: u16 = 0x0800;
    pub const IPV6: u16 = 0x86dd;
    pub const ARP: u16 = 0x0806;
    pub const VLAN: u16 = 0x8100;
    pub const QINQ: u16 = 0x88a8;
    pub const QINQ_9100: u16 = 0x9100;
    pub const QINQ_9200: u16 = 0x9200;
    pub const VN_TAG: u16 = 0x8926;
    pub const E_TAG: u16 = 0x893f;
    pub const PBB: u16 = 0x88e7;
    pub const MPLS: u16 = 0x8847;
    pub const MPLS_MULTICAST: u16 = 0x8848;
    pub const PPPOE_SESSION: u16 = 0x8864;
    /// SNAP with an organisation code of its own.
    pub const LLC_SNAP: u16 = 0x00aa;
    /// PPP control protocols (LCP, IPCP, authentication ...).
    pub const PPP: u16 = 0x0100;
    /// The link layer names no protocol that we know.
    pub const UNKNOWN: u16 = 0x0101;
}

/// Name of what a packet carries that is not IP, or `None` for an id without a name here.
pub fn network_name(id: u16) -> Option<&'static str> {
    Some(match id {
        network::IPV4 => "ipv4",
        network::IPV6 => "ipv6",
        network::ARP => "arp",
        0x0842 => "wol",
        0x22f3 => "trill",
        0x6003 => "decnet",
        0x8035 => "rarp",
        0x809b => "appletalk",
        0x80f3 => "aarp",
        network::VLAN | network::QINQ | network::QINQ_9100 | network::QINQ_9200 => "vlan",
        0x8137 => "ipx",
        0x8808 => "flow-control",
        0x8809 => "slow", // LACP, OAM, synchronisation status: 802.3 annex 57A
        network::MPLS | network::MPLS_MULTICAST => "mpls",
        0x8863 => "pppoed",
        network::PPPOE_SESSION => "pppoes",
        0x887b => "homeplug",
        0x888e => "eapol",
        0x8892 => "profinet",
        0x889a => "hyperscsi",
        0x88a2 => "aoe",
        0x88a4 => "ethercat",
        0x88ab => "powerlink",
        0x88b8 => "goose",
        0x88ba => "sv",
        0x88b5 | 0x88b6 => "experimental",
        0x88b7 => "oui-extended",
        0x88cc => "lldp",
        0x88e1 => "homeplug-av",
        0x88e3 => "mrp",
        0x88e5 => "macsec",
        network::PBB => "pbb",
        0x88f5 => "mvrp",
        0x88f6 => "mmrp",
        0x88f7 => "ptp",
        0x88fb => "prp",
        0x8902 => "cfm",
        0x8906 => "fcoe",
        0x8914 => "fip",
        0x8915 => "roce",
        network::VN_TAG => "vn-tag",
        0x892f => "hsr",
        network::E_TAG => "e-tag",
        0x894f => "nsh",
        0x9000 => "loopback",
        0xffff => "reserved",
        0x0042 => "stp",
        0x00e0 | 0x00ff => "ipx",
        0x00f0 => "netbeui",
        0x00fe => "iso", // IS-IS, ES-IS, CLNP
        network::LLC_SNAP => "snap",
        network::PPP => "ppp",
        network::UNKNOWN => "unknown",
        0x0000..=0x00fd => "llc",
        _ => return None,
    })
}

/// Name of an IP protocol, or `None` for a number without a common name.
pub fn transport_name(number: u8) -> Option<&'static str> {
    Some(match number {
        0 => "hopopt",
        1 => "icmp",
        2 => "igmp",
        3 => "ggp",
        4 => "ipip",
        5 => "st",
        6 => "tcp",
        7 => "cbt",
        8 => "egp",
        9 => "igp",
        12 => "pup",
        17 => "udp",
        22 => "idp",
        27 => "rdp",
        29 => "iso-tp4",
        33 => "dccp",
        41 => "6in4",
        43 => "ipv6-route",
        44 => "ipv6-frag",
        46 => "rsvp",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        55 => "mobile",
        57 => "skip",
        58 => "icmpv6",
        59 => "ipv6-nonxt",
        60 => "ipv6-opts",
        88 => "eigrp",
        89 => "ospf",
        94 => "ip-encap",
        97 => "etherip",
        98 => "encap",
        103 => "pim",
        108 => "ipcomp",
        112 => "vrrp",
        115 => "l2tp",
        124 => "isis",
        132 => "sctp",
        133 => "fc",
        135 => "mobility",
        136 => "udplite",
        137 => "mpls-in-ip",
        138 => "manet",
        139 => "hip",
        140 => "shim6",
        141 => "wesp",
        142 => "rohc",
        143 => "ethernet",
        255 => "raw",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_name(name: &str) -> bool {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        name.starts_with(plain) && name.chars().all(plain)
    }

    #[test]
    fn names_are_lower_case_and_of_one_word() {
        let networks = (0..=u16::MAX).filter_map(network_name);
        let transports = (0..=u8::MAX).filter_map(transport_name);
        for name in networks.chain(transports) {
            assert!(is_name(name), "{name:?}");
        }
    }

    #[test]
    fn no_two_transports_share_a_name() {
        let names: Vec<_> = (0..=u8::MAX).filter_map(transport_name).collect();
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
    }

    #[test]
    fn the_numbers_in_the_code_have_their_names() {
        let transports = [ip::ICMP, ip::TCP, ip::UDP, ip::GRE, ip::ICMPV6, ip::SCTP];
        let names = ["icmp", "tcp", "udp", "gre", "icmpv6", "sctp"];
        assert_eq!(transports.map(transport_name), names.map(Some));
        let tunnels = [ip::IPIP, ip::IPV6, ip::DCCP, ip::UDP_LITE];
        let names = ["ipip", "6in4", "dccp", "udplite"];
        assert_eq!(tunnels.map(transport_name), names.map(Some));
        let networks = [
            network::ARP,
            network::LLC_SNAP,
            network::PPP,
            network::UNKNOWN,
        ];
        assert_eq!(
            networks.map(network_name),
            ["arp", "snap", "ppp", "unknown"].map(Some)
        );
    }

    #[test]
    fn every_service_access_point_has_a_name() {
        assert!((0..=0xff).all(|id| network_name(id).is_some()));
        assert_eq!(network_name(0x42), Some("stp"));
        assert_eq!(network_name(0x06), Some("llc"));
        assert_eq!(network_name(0x0102), None);
        assert_eq!(network_name(0x1234), None);
    }
}
