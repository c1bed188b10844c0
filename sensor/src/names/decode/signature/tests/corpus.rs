//! Against what nDPI and tshark say, where both say the same.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::Path;

use sensor_common::application::Application::{self, *};
use sensor_common::classify::by_port;
use sensor_common::parse;
use sensor_common::protocol::ip;
use sensor_common::view::SliceView;

use super::super::{Hints, identify};
use crate::names::Sample;
use crate::source::file::CaptureFile;
use crate::source::file::count::walk;

type Ends = (u8, [(IpAddr, u16); 2]);

#[derive(Default)]
struct Known {
    hints: Hints,
    numbers: [u8; 2],
    label: Option<Application>,
}

/// Payloads of each way that are looked at.
const FEW: u8 = 4;

fn labels(path: &Path) -> HashMap<Ends, Option<Application>> {
    let mut flows: HashMap<Ends, Known> = HashMap::new();
    let Ok(mut file) = CaptureFile::open(path) else {
        return HashMap::new();
    };
    walk(
        &mut file,
        |record, link_type| {
            let Ok(packet) = parse::packet(&SliceView(record.data), link_type) else {
                return;
            };
            let key = packet.key;
            let wire = packet.payload_len;
            let taken = record.data.get(packet.header_len.into()..).unwrap_or(&[]);
            let taken = &taken[..taken.len().min(wire as usize).min(512)];
            if taken.is_empty() || !key.has_ports() {
                return;
            }
            let mut ends = [
                (key.src_addr(), key.src_port()),
                (key.dst_addr(), key.dst_port()),
            ];
            let way = usize::from(ends[0] > ends[1]);
            ends.sort();
            let known = flows.entry((key.protocol(), ends)).or_default();
            if known.label.is_some() || known.numbers[way] == FEW {
                return;
            }
            let sample = Sample {
                key,
                at: None,
                payload: taken,
                payload_len: wire,
                tcp_seq: None,
                number: known.numbers[way],
                last: false,
            };
            known.numbers[way] += 1;
            known.label = identify(&sample, &mut known.hints);
        },
        |_| {},
    );
    let label = |(ends, known): (Ends, Known)| (ends, known.label);
    flows.into_iter().map(label).collect()
}

/// What nDPI's names mean here. Several: it looks less closely, or we do.
fn ours(master: &str) -> Option<&'static [Application]> {
    Some(match master {
        "DNS" => &[Dns],
        "HTTP" => &[Http, HttpProxy],
        "HTTP_Proxy" => &[Http, HttpProxy],
        "HTTP2" => &[Http2],
        "TLS" => &[Tls, Https],
        "IMAPS" => &[Tls],
        "LLMNR" => &[Llmnr],
        "MDNS" => &[Mdns],
        "NetBIOS" => &[NetbiosNs, NetbiosDgm, NetbiosSsn, Smb],
        "Syslog" => &[Syslog],
        "SNMP" => &[Snmp],
        "SIP" => &[Sip],
        "SSDP" => &[Ssdp],
        "FTP_CONTROL" => &[Ftp],
        "DHCP" => &[Dhcp],
        "DHCPV6" => &[Dhcpv6],
        "NFS" => &[Nfs, Rpc, Rpcbind],
        "RTSP" => &[Rtsp],
        "PostgreSQL" => &[Postgresql],
        "POP3" => &[Pop3],
        "STUN" => &[Stun],
        "QUIC" => &[Quic],
        "NTP" => &[Ntp],
        // Calls open with STUN.
        "DTLS" => &[Dtls, Stun],
        "RTP" => &[Rtp, Rtcp],
        "MQTT" => &[Mqtt],
        "OpenVPN" => &[Openvpn],
        "WireGuard" => &[Wireguard],
        "BitTorrent" => &[Bittorrent],
        "IMAP" => &[Imap],
        "MySQL" => &[Mysql],
        "SMTP" => &[Smtp],
        "SSH" => &[Ssh],
        "SMBv1" | "SMBv23" => &[Smb],
        // Whois and FTP-DATA have no bytes of their own.
        _ => return None,
    })
}

fn ends_of(flow: &serde_json::Value) -> Option<Ends> {
    let protocol = match flow["l4"].as_str()? {
        "TCP" => ip::TCP,
        "UDP" => ip::UDP,
        _ => return None,
    };
    let end = |addr: &str, port: &str| {
        let addr: IpAddr = flow[addr].as_str()?.parse().ok()?;
        Some((addr, u16::try_from(flow[port].as_u64()?).ok()?))
    };
    let mut ends = [end("a", "a_port")?, end("b", "b_port")?];
    ends.sort();
    Some((protocol, ends))
}

#[derive(Default)]
struct Score {
    /// Right by payload, right where the port's label stays in place of none, all.
    flows: [u64; 3],
    bytes: [u64; 3],
    wrong: Vec<String>,
    missed: BTreeMap<String, u64>,
    elsewhere: BTreeMap<String, u64>,
}

impl Score {
    fn add(&mut self, file: &str, flow: &serde_json::Value, label: Option<Application>) {
        let master = flow["master"].as_str().unwrap_or_default();
        let count = |field: &str| flow[field].as_u64().unwrap_or(0);
        let bytes = count("bytes_ab") + count("bytes_ba");
        let name = label.map_or("-", Application::name);
        if flow["agree"].as_bool() != Some(true) {
            let pair = format!("{master} | {} | {name}", flow["tshark_l7"]);
            *self.elsewhere.entry(pair).or_default() += 1;
            return;
        }
        let Some(expected) = ours(master) else {
            if let Some(label) = label {
                self.wrong.push(format!("{file}: {master} became {label}"));
            }
            return;
        };
        let proven = label.is_some();
        let right = label.is_some_and(|label| expected.contains(&label));
        let port = |field: &str| flow[field].as_u64().unwrap_or(0) as u16;
        let protocol = if flow["l4"] == "TCP" {
            ip::TCP
        } else {
            ip::UDP
        };
        let label = label.or_else(|| by_port(protocol, port("a_port"), port("b_port")));
        let shown = label.is_some_and(|label| expected.contains(&label));
        for (place, counts) in [right, shown, true].into_iter().enumerate() {
            self.flows[place] += u64::from(counts);
            self.bytes[place] += bytes * u64::from(counts);
        }
        if right {
            return;
        }
        if proven {
            self.wrong
                .push(format!("{file}: {master} became {name}: {flow}"));
        } else {
            let (a, b) = (&flow["a_port"], &flow["b_port"]);
            *self
                .missed
                .entry(format!("{file}: {master} {a} {b}"))
                .or_default() += 1;
        }
    }
}

#[test]
fn agrees_with_ndpi_and_tshark() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let Ok(truth) = std::fs::read_dir(corpus.join("truth")) else {
        println!("skipped: no ../shared/corpus");
        return;
    };
    let mut score = Score::default();
    for entry in truth.flatten() {
        let name = entry.file_name().into_string().unwrap();
        let Some(capture) = name.strip_suffix(".ndpi.json") else {
            continue;
        };
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let truth: serde_json::Value = serde_json::from_str(&text).unwrap();
        let labels = labels(&corpus.join("dev").join(capture));
        for flow in truth["flows"].as_array().into_iter().flatten() {
            if let Some(label) = ends_of(flow).and_then(|ends| labels.get(&ends)) {
                score.add(capture, flow, *label);
            }
        }
    }
    println!("not agreed (nDPI | tshark | ours): {:#?}", score.elsewhere);
    println!("missed: {:#?}", score.missed);
    println!(
        "right, all: flows {:?} bytes {:?}",
        score.flows, score.bytes
    );
    assert!(score.wrong.is_empty(), "{:#?}", score.wrong);
    // What payloads can't tell: streams whose beginning is missing, packets that were damaged on purpose.
    for [right, shown, all] in [score.flows, score.bytes] {
        assert!(right * 100 >= all * 85, "{right} of {all}");
        assert!(shown * 100 >= all * 98, "{shown} of {all}");
    }
}
