use super::tree;

/// Typed text, the place that is marked, and words of the message and the help.
fn refused(cases: &[(&str, &str, &str)]) {
    for (typed, place, words) in cases {
        let error = tree(typed).expect_err(typed);
        assert_eq!(&typed[error.span.clone()], *place, "{typed}: {error}");
        assert!(error.help.is_some(), "says nothing to do: {error}");
        let said = format!("{} | {}", error.message, error.help.unwrap_or_default());
        assert!(said.contains(words), "{typed}: {said}");
    }
}

#[test]
fn numbers_have_their_ranges() {
    refused(&[
        ("tcp and port 65536", "65536", "65535"),
        ("portrange 1-65536", "1-65536", "65535"),
        ("port in {80, 70000}", "70000", "65535"),
        ("vlan 4096 or tcp", "4096", "0 to 4095"),
        ("mpls 1048576", "1048576", "0 to 1048575"),
        ("pppoes 65536", "65536", "0 to 65535"),
        ("proto 256", "256", "0 to 255"),
        ("proto 0x806", "0x806", "'ether proto 0x0806'"),
        ("ip6 proto 256", "256", "0 to 255"),
        ("link proto 65536", "65536", "0xffff"),
        ("ip host 256.256.256.256", "256.256.256.256", "0 to 255"),
        ("ip net 10.0.0.0/33", "10.0.0.0/33", "0 to 32"),
        ("net fe80::/129", "fe80::/129", "0 to 128"),
        ("net 192.168/8", "192.168/8", "'net 192.0.0.0/8'"),
        ("tcp[0] / 0 = 1", "tcp[0] / 0 = 1", "division by zero"),
        ("len % (1 - 1) = 1", "len % (1 - 1) = 1", "division by zero"),
        ("len << 32 = 1", "len << 32 = 1", "0 to 31"),
    ]);
}

#[test]
fn what_does_not_go_together_is_refused() {
    refused(&[
        ("arp port 80", "arp port 80", "'arp' has no ports"),
        ("icmp port 80", "icmp port 80", "'icmp' has no ports"),
        ("ip port 80", "ip port 80", "'ip and port"),
        ("ip6 host 10.0.0.1", "10.0.0.1", "did you mean 'ip'"),
        (
            "ip host in {10.0.0.1, fe80::1}",
            "fe80::1",
            "did you mean 'ip6'",
        ),
        (
            "tcp host 1.2.3.4",
            "tcp host 1.2.3.4",
            "'tcp and host 1.2.3.4'",
        ),
        ("tcp dst 80", "80", "'tcp dst port 80'"),
        ("arp host fe80::1", "fe80::1", "ARP has no addresses"),
        ("ether host 10.0.0.1", "10.0.0.1", "not an Ethernet address"),
        ("ip6 broadcast", "ip6 broadcast", "'ip6 multicast'"),
        ("tcp multicast", "tcp multicast", "'tcp and multicast'"),
        ("iso proto 1", "iso proto 1", "'iso proto' is not supported"),
        ("host 10", "10", "'net 10'"),
        ("udp port https", "https", "tcp 443, 8443"),
        ("portrange http-https", "http-https", "several ports"),
        ("ether proto tcp", "tcp", "'proto tcp'"),
        ("ip proto dns", "dns", "'ip and dns'"),
        ("vlan[0] = 1", "vlan", "no bytes"),
        ("tcp and dns[0] = 1", "dns[0]", "can't be had"),
        ("esis", "esis", "'iso'"),
        ("interface ''", "interface ''", "a name is missing"),
        ("interface in {eth0, \"\"}", "\"\"", "a name is missing"),
    ]);
}

#[test]
fn unknown_words_have_suggestions() {
    refused(&[
        ("port htps", "htps", "did you mean 'https'?"),
        ("proto qiuc", "qiuc", "did you mean 'quic'?"),
        ("ip proto grre", "grre", "did you mean 'gre'?"),
        ("ether proto lldq", "lldq", "did you mean 'lldp'?"),
        ("tcp and nothinglikeit", "nothinglikeit", "nothinglikeit"),
        ("host example.org", "example.org", "never looked up"),
        ("port nothinglikeit", "nothinglikeit", "number"),
        ("port 80 or lldp", "lldp", "'proto lldp'"),
        ("ip proto nothinglikeit", "nothinglikeit", "'ip proto 47'"),
        ("ingres", "ingres", "did you mean 'ingress'?"),
        ("any", "any", "empty filter"),
        ("syn or tcp", "syn", "tcp-syn"),
        ("tcp and htps", "htps", "did you mean 'https'?"),
        ("SSL", "SSL", "did you mean 'https'?"),
        ("slip", "slip", "'slip' alone says nothing"),
        (
            "port 80 or 443 and upd",
            "upd",
            "unknown word 'upd' | did you mean 'udp'?",
        ),
        ("port 80 or htps", "htps", "did you mean 'https'?"),
        ("malformed", "malformed", "no protocol"),
    ]);
}

#[test]
fn what_was_typed_is_said_in_part_only() {
    for head in [
        "",
        "proto ",
        "host ",
        "ether host ",
        "port ",
        "port in file ",
    ] {
        let error = tree(&format!("{head}{}", "q1x".repeat(1000))).unwrap_err();
        let longest = error.to_string().lines().map(str::len).max();
        assert!(longest < Some(300), "{error}");
        assert!(!error.message.ends_with("..."), "{error}");
    }
}
