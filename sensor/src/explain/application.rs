//! Payloads, by the decoders that names come from. Each looks only where it is at home: by port where bytes alone prove
//! nothing.

use crate::names::decode::dns::{Data, Message};
use crate::names::decode::tls::{Hello, Transport};
use crate::names::decode::{dhcp, dns, http, quic, tls};
use crate::names::text::shown;

use super::layer::Layer;
use super::walk::{Next, Talk, Walk};

/// Questions, records, protocols ... of one message that are listed.
const LISTED: usize = 12;

pub(super) fn step(walk: &mut Walk<'_>, talk: Talk) -> Next {
    let payload = walk.ahead();
    if payload.is_empty() {
        return Next::Done;
    }
    let offset = walk.at;
    let mut layer = Layer {
        name: "data",
        offset,
        length: payload.len(),
        depth: walk.depth,
        fields: Vec::new(),
    };
    let known = if talk.udp {
        of_udp(&mut layer, payload, talk)
    } else {
        of_tcp(&mut layer, payload, talk)
    };
    if !known {
        return walk.rest("payload");
    }
    walk.at = walk.end;
    walk.push(layer);
    Next::Done
}

impl Talk {
    fn uses(self, port: u16) -> bool {
        self.src == port || self.dst == port
    }
}

fn of_udp(layer: &mut Layer, payload: &[u8], talk: Talk) -> bool {
    for (port, name) in [(53, "dns"), (5353, "mdns"), (5355, "llmnr")] {
        if talk.uses(port)
            && let Some(message) = dns::message(payload)
        {
            layer.name = name;
            of_dns(layer, &message);
            return true;
        }
    }
    if talk.uses(137)
        && let Some(message) = dns::netbios(payload)
    {
        layer.name = "netbios-ns";
        of_dns(layer, &message);
        return true;
    }
    for (ports, name, decode) in [
        (
            [67, 68],
            "dhcp",
            dhcp::dhcp as fn(&[u8]) -> Option<dhcp::Lease>,
        ),
        ([546, 547], "dhcpv6", dhcp::dhcpv6),
    ] {
        if ports.into_iter().any(|port| talk.uses(port))
            && let Some(lease) = decode(payload)
        {
            layer.name = name;
            of_dhcp(layer, &lease);
            return true;
        }
    }
    if let Some(hello) = tls::datagram(payload) {
        layer.name = "dtls";
        of_tls(layer, &hello);
        return true;
    }
    of_quic(layer, payload) || of_http(layer, payload)
}

fn of_tcp(layer: &mut Layer, payload: &[u8], talk: Talk) -> bool {
    if talk.uses(53)
        && let Some(message) = payload.get(2..).and_then(dns::message)
    {
        layer.name = "dns";
        of_dns(layer, &message);
        return true;
    }
    if let Some(hello) = tls::records(payload) {
        layer.name = "tls";
        of_tls(layer, &hello);
        return true;
    }
    of_http(layer, payload)
}

fn of_dns(layer: &mut Layer, message: &Message) {
    layer.field("id", 0, 2, format_args!("0x{:04x}", message.id));
    let kind = if message.response {
        "answer"
    } else {
        "question"
    };
    layer.told("message", kind);
    if message.code != 0 {
        layer.told("code", message.code);
    }
    for question in message.questions.iter().take(LISTED) {
        let (name, kind) = (&question.name, query_type(question.kind));
        layer.told("question", format_args!("{name} {kind}"));
    }
    for record in message.records.iter().take(LISTED) {
        let data = match &record.data {
            Data::Address(addr) => addr.to_string(),
            Data::Cname(name) => format!("cname {name}"),
            Data::Pointer(name) => format!("ptr {name}"),
        };
        let (name, ttl) = (&record.name, record.ttl);
        layer.told("record", format_args!("{name} {data} (ttl {ttl})"));
    }
    let left = message.questions.len().saturating_sub(LISTED)
        + message.records.len().saturating_sub(LISTED);
    more(layer, left);
    if message.cut {
        layer.told("note", "cut off or damaged behind this");
    }
}

fn more(layer: &mut Layer, left: usize) {
    if left > 0 {
        layer.told("note", format_args!("{left} more"));
    }
}

fn query_type(kind: u16) -> String {
    let name = match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        32 => "NB",
        33 => "SRV",
        65 => "HTTPS",
        255 => "ANY",
        other => return format!("type {other}"),
    };
    name.to_owned()
}

fn of_dhcp(layer: &mut Layer, lease: &dhcp::Lease) {
    layer.told("transaction", format_args!("0x{:08x}", lease.transaction));
    if let Some(name) = &lease.host_name {
        layer.told("host name", name);
    }
    if let Some(address) = lease.address {
        layer.told("address", address);
    }
    layer.told("settled", if lease.settled { "yes" } else { "no" });
}

fn of_tls(layer: &mut Layer, hello: &Hello) {
    match hello {
        Hello::Client(client) => {
            layer.told("message", "client hello");
            of_client(layer, client);
        }
        Hello::Server(server) => {
            layer.told("message", "server hello");
            layer.told("version", version(server.version));
            if let Some(alpn) = &server.alpn {
                layer.told("alpn", alpn);
            }
        }
        Hello::Other => layer.told(
            "message",
            "not a hello: what it holds is encrypted or of the handshake",
        ),
    }
}

fn of_client(layer: &mut Layer, client: &tls::ClientHello) {
    if let Some(sni) = &client.sni {
        layer.told("server name", sni);
    }
    layer.told("version", version(client.version));
    let alpn: Vec<&str> = client
        .alpn
        .iter()
        .take(LISTED)
        .map(String::as_str)
        .collect();
    if !alpn.is_empty() {
        layer.told("alpn", alpn.join(", "));
    }
    if let Some(ja4) = &client.ja4 {
        layer.told("ja4", ja4);
    }
    if !client.complete {
        layer.told("note", "goes on in another packet, or is cut off");
    }
}

fn version(number: u16) -> String {
    match tls::version_name(number) {
        Some(name) => format!("0x{number:04x} ({name})"),
        None => format!("0x{number:04x}"),
    }
}

fn of_quic(layer: &mut Layer, payload: &[u8]) -> bool {
    let Some(header) = quic::long_header(payload) else {
        return false;
    };
    layer.name = "quic";
    layer.field("version", 1, 4, format_args!("0x{:08x}", header.version));
    layer.told("destination id", hex(header.dcid));
    layer.told("source id", hex(header.scid));
    let mut initials = quic::Initials::default();
    if initials.add(payload)
        && let Some(Hello::Client(client)) = tls::handshake(initials.crypto(), Transport::Quic)
    {
        layer.told(
            "message",
            "client hello, decrypted with the keys that the packet names",
        );
        of_client(layer, &client);
    }
    true
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "none".to_owned();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of_http(layer: &mut Layer, payload: &[u8]) -> bool {
    if let Some(request) = http::request(payload) {
        layer.name = "http";
        layer.told("method", shown(request.method));
        layer.told("target", shown(request.target));
        optional(layer, "host", request.host);
        optional(layer, "user agent", request.user_agent);
        optional(layer, "upgrade", request.upgrade);
        return true;
    }
    let Some(response) = http::response(payload) else {
        return false;
    };
    layer.name = "http";
    layer.told("status", response.status);
    optional(layer, "server", response.server);
    optional(layer, "upgrade", response.upgrade);
    true
}

fn optional(layer: &mut Layer, name: &'static str, value: Option<&[u8]>) {
    if let Some(value) = value {
        layer.told(name, shown(value));
    }
}
