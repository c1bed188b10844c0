//! Where counts differ from the truth, and why that is right.

/// Expressions of one file.
pub(super) struct Excuse {
    pub(super) file: &'static str,
    pub(super) expressions: &'static [&'static str],
    /// What libpcap's expression is in our language: that must have libpcap's count.
    pub(super) libpcap_means: Option<fn(&str) -> String>,
    pub(super) reason: &'static str,
}

/// Files of a link type without a decoder: nothing is known of their packets but lengths.
pub(super) const UNDECODED: &[(&str, &str)] = &[
    ("arkime__80211http.pcap", "IEEE 802.11"),
    ("arkime__icmp-frame-relay.pcap", "frame relay"),
    ("zeek__llc.pcap", "FDDI"),
    ("zeek__nflog-http.pcap", "NFLOG"),
];

const IPV4_ONLY: &str = "libpcap's tcp[..] and udp[..] are of IPv4 only, ours of both versions";
const ARP: &str = "libpcap's net means addresses in ARP, too; ours asks for them by arp net";
const EXTENSIONS: &str =
    "132 extension headers; the kernel's verifier allows 8, and files are read by the same walk";
const VERSION: &str =
    "its EtherType says IPv4 and its version field 6: malformed for us, IPv6 for tshark";

/// An entry without a difference fails the test.
pub(super) const EXCUSED: &[Excuse] = &[
    Excuse {
        file: "gopacket__test_loopback.pcap",
        expressions: &[
            "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn (libpcap)",
            "tcp[tcpflags] & tcp-syn != 0 (libpcap)",
        ],
        libpcap_means: Some(|text| format!("ip and ({text})")),
        reason: IPV4_ONLY,
    },
    Excuse {
        file: "ipfixprobe__arp.pcap",
        expressions: &["net 192.168.0.0/16 (libpcap)"],
        libpcap_means: Some(|text| format!("{text} or arp {text}")),
        reason: ARP,
    },
    Excuse {
        file: "libpcap__ipv6_ext_headers.pcap",
        expressions: &[
            "host 2001:db8::1 and port 12345",
            "host 2001:db8::2 and port 12345",
            "port 12345",
            "src port 12345",
            "udp",
            "udp port 12345",
        ],
        libpcap_means: None,
        reason: EXTENSIONS,
    },
    Excuse {
        file: "ndpi__1kxun.pcap",
        expressions: &["udp[4:2] > 500 (libpcap)"],
        libpcap_means: Some(|text| format!("ip and ({text})")),
        reason: IPV4_ONLY,
    },
    Excuse {
        file: "ndpi__doq.pcapng",
        expressions: &["udp[4:2] > 500 (libpcap)"],
        libpcap_means: Some(|text| format!("ip and ({text})")),
        reason: IPV4_ONLY,
    },
    Excuse {
        file: "ndpi__fuzz-2006-06-26-2594.pcap",
        expressions: &[
            "dst 34:4489:e530:100:1::",
            "host 34:4489:e530:100:1::",
            "host 8011:4af7:c0a8:102:c0a8:101:b0b:35",
            "ip6",
            "net 34:4489:e530:100::/64",
            "not host 34:4489:e530:100:1::",
            "not host 8011:4af7:c0a8:102:c0a8:101:b0b:35",
            "src 8011:4af7:c0a8:102:c0a8:101:b0b:35",
        ],
        libpcap_means: None,
        reason: VERSION,
    },
    Excuse {
        file: "ndpi__http_ipv6.pcap",
        expressions: &[
            "tcp[13] & 1 != 0 (libpcap)",
            "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn (libpcap)",
            "tcp[tcpflags] & tcp-syn != 0 (libpcap)",
            "udp[4:2] > 500 (libpcap)",
        ],
        libpcap_means: Some(|text| format!("ip and ({text})")),
        reason: IPV4_ONLY,
    },
    Excuse {
        file: "ndpi__quic-v2.pcapng",
        expressions: &["udp[4:2] > 500 (libpcap)"],
        libpcap_means: Some(|text| format!("ip and ({text})")),
        reason: IPV4_ONLY,
    },
    Excuse {
        file: "pcapparser__wireshark_samples-test.pcapng",
        expressions: &["udp[4:2] > 500 (libpcap)"],
        libpcap_means: Some(|text| format!("ip and ({text})")),
        reason: IPV4_ONLY,
    },
    Excuse {
        file: "pcapparser__wireshark_samples-test.pcapng",
        expressions: &["net 192.168.0.0/16 (libpcap)"],
        libpcap_means: Some(|text| format!("{text} or arp {text}")),
        reason: ARP,
    },
    Excuse {
        file: "pcpp__four_ipv6_http_streams.pcap",
        expressions: &[
            "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn (libpcap)",
            "tcp[tcpflags] & tcp-syn != 0 (libpcap)",
        ],
        libpcap_means: Some(|text| format!("ip and ({text})")),
        reason: IPV4_ONLY,
    },
    Excuse {
        file: "pcpp__raw_ip.pcap",
        expressions: &[
            "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn (libpcap)",
            "tcp[tcpflags] & tcp-syn != 0 (libpcap)",
        ],
        libpcap_means: Some(|text| format!("ip and ({text})")),
        reason: IPV4_ONLY,
    },
    Excuse {
        file: "pcpp__tls2.pcap",
        expressions: &["tcp[13] & 1 != 0 (libpcap)"],
        libpcap_means: Some(|text| format!("ip and ({text})")),
        reason: IPV4_ONLY,
    },
    Excuse {
        file: "zeek__http-1000-requests-one-dropped-response.pcap.gz",
        expressions: &[
            "tcp[13] & 1 != 0 (libpcap)",
            "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn (libpcap)",
            "tcp[tcpflags] & tcp-syn != 0 (libpcap)",
        ],
        libpcap_means: Some(|text| format!("ip and ({text})")),
        reason: IPV4_ONLY,
    },
    Excuse {
        file: "zeek__quic-chromium-115.0.5790.110-google-de-fragmented.pcap",
        expressions: &["udp[4:2] > 500 (libpcap)"],
        libpcap_means: Some(|text| format!("ip and ({text})")),
        reason: IPV4_ONLY,
    },
];
