//! Records as JSON Lines: one object a packet.

use std::io::{self, Write};
use std::net::IpAddr;

use serde::Serialize;

use super::record::{self, Words};
use crate::source::tap::PacketRecord;

pub(super) struct JsonlWriter<W: Write> {
    to: W,
    words: Words,
}

/// Members have the names of the CSV's columns; what is empty there is null here.
#[derive(Serialize)]
struct Line<'a> {
    time: Option<&'a str>,
    interface: Option<&'a str>,
    direction: &'static str,
    packets: u64,
    wire_len: u64,
    cap_len: u64,
    layers: &'a str,
    src_mac: Option<String>,
    dst_mac: Option<String>,
    src_addr: Option<IpAddr>,
    src_port: Option<u16>,
    dst_addr: Option<IpAddr>,
    dst_port: Option<u16>,
    transport: &'a str,
    protocol: &'a str,
    classified_by: Option<&'static str>,
    tcp_flags: Option<&'a str>,
    tcp_seq: Option<u32>,
    tcp_ack: Option<u32>,
    payload_len: Option<u32>,
    name: Option<&'a str>,
    name_source: Option<&'static str>,
    outcome: &'a str,
}

impl<W: Write> JsonlWriter<W> {
    pub(super) fn new(to: W) -> Self {
        JsonlWriter {
            to,
            words: Words::default(),
        }
    }

    pub(super) fn write(&mut self, packet: &PacketRecord<'_>) -> io::Result<()> {
        self.words.of(packet);
        let words = &self.words;
        let (src_mac, dst_mac) = words.macs.unzip();
        let (src_addr, dst_addr) = words.addrs.unzip();
        let (src_port, dst_port) = words.ports.unzip();
        let name = record::name(packet);
        let line = Line {
            time: some(&words.time),
            interface: packet.interface,
            direction: record::direction(packet.direction),
            packets: packet.packets,
            wire_len: packet.wire_len,
            cap_len: packet.cap_len,
            layers: &words.layers,
            src_mac: src_mac.map(record::mac),
            dst_mac: dst_mac.map(record::mac),
            src_addr,
            src_port,
            dst_addr,
            dst_port,
            transport: &words.transport,
            protocol: &words.protocol,
            classified_by: words.classified_by,
            tcp_flags: some(&words.tcp_flags),
            tcp_seq: words.tcp_seq,
            tcp_ack: words.tcp_ack,
            payload_len: words.payload_len,
            name: name.map(|name| &*name.text),
            name_source: name.map(|name| name.source.name()),
            outcome: &words.outcome,
        };
        serde_json::to_writer(&mut self.to, &line)?;
        self.to.write_all(b"\n")
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
