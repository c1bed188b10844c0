//! The report's lists as rows of numbers, each text and address once.

use std::collections::HashMap;
use std::net::IpAddr;

use serde::Serialize;

use super::data::milliseconds;
use crate::escape;
use crate::report::{Conversation, Endpoint, Name, Place, Process, Time};
use crate::report::{FlowRow as ReportFlow, Http, Tls};

/// Place of a text in [`super::Data::strings`]; 0 is no text.
pub(super) type Text = u32;

/// `[address, geo, name, source, ...]`: all names that it has.
#[derive(Clone, Debug, Serialize)]
pub struct Address(Vec<Text>);

/// `[address, packets sent, bytes sent, packets received, bytes received]`
#[derive(Clone, Debug, Serialize)]
pub struct EndpointRow(u32, u64, u64, u64, u64);

/// `[a, b, packets and bytes a to b, packets and bytes b to a, start, end]`
#[derive(Clone, Debug, Serialize)]
pub struct ConversationRow(u32, u32, u64, u64, u64, u64, Option<f64>, Option<f64>);

/// `[source, port, destination, port, transport, protocol, classified by, packets, bytes, start, end, texts]`, `texts`:
/// `[flags, interface, direction, process, details, name, source, ...]`.
#[derive(Clone, Debug, Serialize)]
pub struct FlowRow(
    u32,
    u16,
    u32,
    u16,
    Text,
    Text,
    Text,
    u64,
    u64,
    Option<f64>,
    Option<f64>,
    Vec<Text>,
);

pub(super) struct Tables {
    origin: f64,
    strings: Vec<String>,
    places: HashMap<String, Text>,
    addresses: Vec<Address>,
    known: HashMap<IpAddr, u32>,
}

impl Tables {
    pub(super) fn new(origin: Time) -> Self {
        Tables {
            origin: milliseconds(origin.0),
            strings: vec![String::new()],
            places: HashMap::from([(String::new(), 0)]),
            addresses: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// What could lie is spelled out here, once for all places where it is shown.
    pub(super) fn text(&mut self, text: &str) -> Text {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = self.strings.len() as Text;
        self.strings.push(escape::text(text));
        self.places.insert(text.to_owned(), place);
        place
    }

    pub(super) fn endpoints(&mut self, list: &[Endpoint]) -> Vec<EndpointRow> {
        let row = |one: &Endpoint| {
            let address = self.address(one.addr, &one.names, one.geo.as_ref());
            let (sent, received) = (one.sent, one.received);
            EndpointRow(
                address,
                sent.packets,
                sent.bytes,
                received.packets,
                received.bytes,
            )
        };
        list.iter().map(row).collect()
    }

    pub(super) fn conversations(&mut self, list: &[Conversation]) -> Vec<ConversationRow> {
        let row = |one: &Conversation| {
            let a = self.address(one.a, &one.a_names, None);
            let b = self.address(one.b, &one.b_names, None);
            let (there, back) = (one.a_to_b, one.b_to_a);
            ConversationRow(
                a,
                b,
                there.packets,
                there.bytes,
                back.packets,
                back.bytes,
                self.time(one.start),
                self.time(one.end),
            )
        };
        list.iter().map(row).collect()
    }

    pub(super) fn flows(&mut self, list: &[ReportFlow]) -> Vec<FlowRow> {
        list.iter().map(|one| self.flow(one)).collect()
    }

    pub(super) fn finish(self) -> (Vec<String>, Vec<Address>) {
        (self.strings, self.addresses)
    }

    fn flow(&mut self, one: &ReportFlow) -> FlowRow {
        let mut texts = vec![
            self.text(one.tcp_flags.as_deref().unwrap_or_default()),
            self.text(one.interface.as_deref().unwrap_or_default()),
            self.text(&one.direction),
            self.text(&one.process.as_ref().map(process).unwrap_or_default()),
            self.text(&details(one.tls.as_ref(), one.http.as_ref())),
        ];
        self.names(&one.names, &mut texts);
        FlowRow(
            self.address(one.src_addr, &[], None),
            one.src_port,
            self.address(one.dst_addr, &[], None),
            one.dst_port,
            self.text(&one.transport),
            self.text(&one.protocol),
            self.text(one.classified_by.as_deref().unwrap_or_default()),
            one.packets,
            one.bytes,
            self.time(one.start),
            self.time(one.end),
            texts,
        )
    }

    /// An address has the same names in every list; only endpoints have a place.
    fn address(&mut self, addr: IpAddr, names: &[Name], geo: Option<&Place>) -> u32 {
        if let Some(place) = self.known.get(&addr) {
            let place = *place;
            let bare = self.addresses[place as usize].0.len() == 2;
            if bare && !names.is_empty() {
                let mut texts = std::mem::take(&mut self.addresses[place as usize].0);
                self.names(names, &mut texts);
                self.addresses[place as usize].0 = texts;
            }
            return place;
        }
        let mut texts = vec![
            self.text(&addr.to_string()),
            self.text(&geo.map(place).unwrap_or_default()),
        ];
        self.names(names, &mut texts);
        let place = self.addresses.len() as u32;
        self.addresses.push(Address(texts));
        self.known.insert(addr, place);
        place
    }

    fn names(&mut self, names: &[Name], texts: &mut Vec<Text>) {
        for one in names {
            texts.push(self.text(&one.name));
            texts.push(self.text(&one.source));
        }
    }

    /// Milliseconds after the origin.
    fn time(&self, time: Option<Time>) -> Option<f64> {
        let after = |time: Time| milliseconds(time.0) - self.origin;
        time.map(|time| (after(time) * 1000.0).round() / 1000.0)
    }
}

fn process(process: &Process) -> String {
    let name = process.name.as_deref().unwrap_or("?");
    let pid = process.pid.map(|pid| format!(" ({pid})"));
    format!("{name}{}", pid.unwrap_or_default())
}

fn place(place: &Place) -> String {
    let asn = place.asn.map(|asn| format!("AS{asn}"));
    let network = [asn, place.as_org.clone()];
    let network: Vec<String> = network.into_iter().flatten().collect();
    let parts = [
        place.country.clone(),
        place.city.clone(),
        (!network.is_empty()).then(|| network.join(" ")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(" · ")
}

/// What was seen of a handshake or a request, in a line.
fn details(tls: Option<&Tls>, http: Option<&Http>) -> String {
    let mut parts = Vec::new();
    if let Some(tls) = tls {
        parts.extend(tls.version.as_ref().map(|version| format!("TLS {version}")));
        if !tls.alpn.is_empty() {
            parts.push(format!("ALPN {}", tls.alpn.join(" ")));
        }
        parts.extend(tls.ja4.as_ref().map(|ja4| format!("JA4 {ja4}")));
    }
    if let Some(http) = http {
        parts.extend(http.method.clone());
        parts.extend(http.host.clone());
        parts.extend(http.status.map(|status| format!("status {status}")));
        parts.extend(http.user_agent.clone());
    }
    parts.join(", ")
}
