//! The labels of reports against nDPI's, for the flows that tshark calls the same as nDPI does; and the table of both in
//! docs/labels.md, which is made here: `UPDATE=1` writes it, otherwise it must be the one that stands there.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::{corpus, each_report};
use crate::support::report::{Counts, list, number, text};
use crate::support::{document, labels};

/// nDPI's names and what we call the same. Several: one of both looks closer.
const SAME: &[(&str, &[&str])] = &[
    ("BitTorrent", &["bittorrent"]),
    ("DHCP", &["dhcp"]),
    ("DHCPV6", &["dhcpv6"]),
    ("DNS", &["dns"]),
    ("DTLS", &["dtls"]),
    ("FTP_CONTROL", &["ftp"]),
    ("FTP_DATA", &["ftp-data"]),
    ("HTTP", &["http", "http-proxy", "websocket"]),
    ("HTTP_Proxy", &["http", "http-proxy"]),
    ("IMAP", &["imap"]),
    ("IMAPS", &["imaps"]),
    ("LLMNR", &["llmnr"]),
    ("MDNS", &["mdns"]),
    ("MQTT", &["mqtt"]),
    ("MySQL", &["mysql"]),
    ("NFS", &["nfs", "rpc", "rpcbind"]),
    ("NTP", &["ntp"]),
    (
        "NetBIOS",
        &["netbios-dgm", "netbios-ns", "netbios-ssn", "smb"],
    ),
    ("OpenVPN", &["openvpn"]),
    ("POP3", &["pop3"]),
    ("PostgreSQL", &["postgresql"]),
    ("QUIC", &["quic", "http3", "doq"]),
    ("RTP", &["rtp"]),
    ("RTSP", &["rtsp"]),
    ("SIP", &["sip"]),
    ("SMTP", &["smtp"]),
    ("SNMP", &["snmp"]),
    ("SSDP", &["ssdp"]),
    ("SSH", &["ssh"]),
    ("STUN", &["stun"]),
    ("Syslog", &["syslog"]),
    ("TLS", &["tls", "https", "dot"]),
    ("Whois-DAS", &["whois"]),
    ("WireGuard", &["wireguard"]),
];

/// Where our label is another: file, nDPI's, ours. One that is not needed fails the test.
const EXCUSES: &[(&str, &str, &str, &str)] = &[(
    "ndpi__stun.pcap",
    "DTLS",
    "stun",
    "a call that opens with STUN, which is what its first packet is called by",
)];

/// Percent.
const TARGET: f64 = 98.0;

/// Flows and bytes.
type Cell = Counts;

#[derive(Default)]
struct Score {
    /// nDPI's name, ours, how we know.
    table: BTreeMap<(String, String, String), Cell>,
    all: Cell,
    agreed: Cell,
    unknown: BTreeMap<String, Cell>,
    wrong: Vec<String>,
    used: Vec<bool>,
}

#[test]
fn labels_agree_with_ndpi() {
    let Some(corpus) = corpus() else { return };
    let mut score = Score {
        used: vec![false; EXCUSES.len()],
        ..Score::default()
    };
    each_report(&corpus, |file, _, report| {
        let path = corpus.join(format!("truth/{file}.ndpi.json"));
        if let Ok(theirs) = std::fs::read(path) {
            let theirs: Value = serde_json::from_slice(&theirs).unwrap();
            score.file(file, &theirs, report);
        }
    });
    let stale = EXCUSES.iter().zip(&score.used).filter(|(_, used)| !**used);
    let stale = stale.map(|(excuse, _)| format!("needs no excuse: {}: {}", excuse.0, excuse.1));
    score.wrong.extend(stale);
    let text = score.text();
    println!("{text}\nlabels that only nDPI knows: {:?}", score.unknown);
    assert!(score.wrong.is_empty(), "{}", score.wrong.join("\n"));
    for (agreed, all) in [(score.agreed.0, score.all.0), (score.agreed.1, score.all.1)] {
        assert!(percent(agreed, all) >= TARGET, "{agreed} of {all}");
    }
    assert!(score.all.0 > 500, "too few: {:?}", score.all);
    document::block("docs/labels.md", "agreement", &text);
}

impl Score {
    fn file(&mut self, file: &str, theirs: &Value, report: &Value) {
        let (ours, split) = labels::of_conversations(report);
        self.wrong
            .extend(split.into_iter().map(|one| format!("{file}: {one}")));
        for flow in list(&theirs["flows"]) {
            if flow["agree"] != true {
                continue;
            }
            let transport = text(&flow["l4"]).to_lowercase();
            let id = labels::id(
                &transport,
                [&flow["a"], &flow["b"]],
                [&flow["a_port"], &flow["b_port"]],
            );
            let bytes = number(&flow["bytes_ab"]) + number(&flow["bytes_ba"]);
            match ours.get(&id) {
                Some((label, how)) => {
                    let theirs = text(&flow["master"]);
                    self.flow(file, theirs, (label, how), Counts(1, bytes));
                }
                None => self.wrong.push(format!("{file}: the report has no {id:?}")),
            }
        }
    }

    fn flow(&mut self, file: &str, theirs: &str, (label, how): (&str, &str), size: Cell) {
        let key = (theirs.to_owned(), label.to_owned(), how.to_owned());
        *self.table.entry(key).or_default() += size;
        let Some((_, same)) = SAME.iter().find(|(name, _)| *name == theirs) else {
            *self.unknown.entry(theirs.to_owned()).or_default() += size;
            if !how.is_empty() && how != "port" {
                self.wrong
                    .push(format!("{file}: {theirs} is {label} here, by {how}"));
            }
            return;
        };
        self.all += size;
        if same.contains(&label) {
            self.agreed += size;
            return;
        }
        let mut excuses = EXCUSES.iter();
        match excuses.position(|one| (one.0, one.1, one.2) == (file, theirs, label)) {
            Some(index) => self.used[index] = true,
            // No label contradicts nothing; it only misses.
            None if how.is_empty() => {}
            None => self
                .wrong
                .push(format!("{file}: {theirs} is {label} here, by {how}")),
        }
    }

    /// As it stands in the document.
    fn text(&self) -> String {
        let mut text = String::new();
        let [flows, bytes] = [(self.agreed.0, self.all.0), (self.agreed.1, self.all.1)];
        writeln!(
            text,
            "The same label for {} of {} flows ({:.1} %) and {} of {} bytes ({:.1} %).\n",
            flows.0,
            flows.1,
            percent(flows.0, flows.1),
            bytes.0,
            bytes.1,
            percent(bytes.0, bytes.1),
        )
        .unwrap();
        text += "| known by | flows | bytes |\n|---|---:|---:|\n";
        for (how, size) in self.by_how() {
            writeln!(text, "| {how} | {} | {} |", size.0, size.1).unwrap();
        }
        text +=
            "\n| nDPI and tshark | here | by | flows | bytes | |\n|---|---|---|---:|---:|---|\n";
        for ((theirs, label, how), size) in &self.table {
            let same = SAME.iter().find(|(name, _)| name == theirs);
            let same = same.is_some_and(|(_, same)| same.contains(&label.as_str()));
            let excuse = EXCUSES.iter().find(|one| (one.1, one.2) == (theirs, label));
            let note = match excuse {
                _ if same => "",
                Some(excuse) => excuse.3,
                None => "not the same",
            };
            writeln!(
                text,
                "| {theirs} | {label} | {how} | {} | {} | {note} |",
                size.0, size.1
            )
            .unwrap();
        }
        text
    }

    fn by_how(&self) -> BTreeMap<&str, Cell> {
        let mut sums = BTreeMap::<&str, Cell>::new();
        for ((_, _, how), size) in &self.table {
            *sums.entry(how).or_default() += *size;
        }
        sums
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole as f64
}
