//! Application protocols that a flow may be labelled with. The names are those of reports, in lower case as in /etc/services
//! where there is one.

macro_rules! applications {
    ($($variant:ident = $name:literal,)*) => {
        /// One byte, so that a flow's record has room for it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Application {
            $($variant,)*
        }

        impl Application {
            /// In the order of their names.
            pub const ALL: &[Application] = &[$(Application::$variant,)*];

            /// The name that stands in reports.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Application::$variant => $name,)*
                }
            }
        }
    };
}

applications! {
    Amqp = "amqp",
    Bacnet = "bacnet",
    Bfd = "bfd",
    Bgp = "bgp",
    Bittorrent = "bittorrent",
    Cassandra = "cassandra",
    Ceph = "ceph",
    Cldap = "cldap",
    Coap = "coap",
    Coaps = "coaps",
    Consul = "consul",
    Dhcp = "dhcp",
    Dhcpv6 = "dhcpv6",
    Diameter = "diameter",
    Dnp3 = "dnp3",
    Dns = "dns",
    Docker = "docker",
    Doh = "doh",
    Doq = "doq",
    Dot = "dot",
    Dtls = "dtls",
    Elasticsearch = "elasticsearch",
    EspUdp = "esp-udp",
    Etcd = "etcd",
    EthernetIp = "ethernet-ip",
    Finger = "finger",
    Ftp = "ftp",
    FtpData = "ftp-data",
    Ftps = "ftps",
    FtpsData = "ftps-data",
    Geneve = "geneve",
    Git = "git",
    Gopher = "gopher",
    Grafana = "grafana",
    GtpC = "gtp-c",
    GtpU = "gtp-u",
    H323 = "h323",
    Http = "http",
    HttpProxy = "http-proxy",
    Http2 = "http2",
    Http3 = "http3",
    Https = "https",
    Iax2 = "iax2",
    Ike = "ike",
    Imap = "imap",
    Imaps = "imaps",
    Iperf3 = "iperf3",
    Ipfix = "ipfix",
    Ipmi = "ipmi",
    Ipp = "ipp",
    Irc = "irc",
    Iscsi = "iscsi",
    Kafka = "kafka",
    Kerberos = "kerberos",
    Kubernetes = "kubernetes",
    L2tp = "l2tp",
    Ldap = "ldap",
    Ldaps = "ldaps",
    Ldp = "ldp",
    Lisp = "lisp",
    Llmnr = "llmnr",
    M3ua = "m3ua",
    Mdns = "mdns",
    Memcached = "memcached",
    Mgcp = "mgcp",
    Modbus = "modbus",
    Mongodb = "mongodb",
    Mqtt = "mqtt",
    Mqtts = "mqtts",
    Msrpc = "msrpc",
    Mssql = "mssql",
    Mysql = "mysql",
    NatPmp = "nat-pmp",
    Nats = "nats",
    NetbiosDgm = "netbios-dgm",
    NetbiosNs = "netbios-ns",
    NetbiosSsn = "netbios-ssn",
    Netflow = "netflow",
    Nfs = "nfs",
    Ngap = "ngap",
    Nntp = "nntp",
    Ntp = "ntp",
    OpcUa = "opc-ua",
    Openvpn = "openvpn",
    Oracle = "oracle",
    Pop3 = "pop3",
    Pop3s = "pop3s",
    Postgresql = "postgresql",
    Pptp = "pptp",
    Printer = "printer",
    Prometheus = "prometheus",
    Ptp = "ptp",
    Quic = "quic",
    Radius = "radius",
    Rdp = "rdp",
    Redis = "redis",
    Rip = "rip",
    Ripng = "ripng",
    Rocev2 = "rocev2",
    Rpc = "rpc",
    Rpcbind = "rpcbind",
    Rsync = "rsync",
    Rtcp = "rtcp",
    Rtmp = "rtmp",
    Rtp = "rtp",
    Rtsp = "rtsp",
    S1ap = "s1ap",
    S7comm = "s7comm",
    Sflow = "sflow",
    Shell = "shell",
    Sip = "sip",
    Sips = "sips",
    Smb = "smb",
    Smpp = "smpp",
    Smtp = "smtp",
    Smtps = "smtps",
    Snmp = "snmp",
    Socks = "socks",
    Ssdp = "ssdp",
    Ssh = "ssh",
    Statsd = "statsd",
    Steam = "steam",
    Stomp = "stomp",
    Stun = "stun",
    Svn = "svn",
    Syslog = "syslog",
    Tacacs = "tacacs",
    Tailscale = "tailscale",
    Telnet = "telnet",
    Teredo = "teredo",
    Tftp = "tftp",
    Tls = "tls",
    Vnc = "vnc",
    Vxlan = "vxlan",
    Websocket = "websocket",
    Whois = "whois",
    Winrm = "winrm",
    Wireguard = "wireguard",
    WsDiscovery = "ws-discovery",
    X11 = "x11",
    X2ap = "x2ap",
    Xdmcp = "xdmcp",
    Xmpp = "xmpp",
    Zabbix = "zabbix",
    Zerotier = "zerotier",
    Zookeeper = "zookeeper",
}

impl Application {
    /// The other way of [`Self::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        let place = Self::ALL.binary_search_by(|one| one.name().cmp(name));
        place.ok().map(|place| Self::ALL[place])
    }
}

impl core::fmt::Display for Application {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        to.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_lead_back() {
        assert!(Application::ALL.is_sorted_by(|a, b| a.name() < b.name()));
        for one in Application::ALL {
            assert_eq!(Application::from_name(one.name()), Some(*one));
        }
        assert_eq!(Application::from_name("nonsense"), None);
    }
}
