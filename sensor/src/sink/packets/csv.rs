//! Records as CSV (RFC 4180), safe to be opened in a spreadsheet.

use std::io::{self, Write};

use super::super::csv::cell;
use super::record::{self, Words};
use crate::source::tap::PacketRecord;

/// The columns, in their order; the members of JSON Lines have the same names.
pub(super) const COLUMNS: [&str; 23] = [
    "time",
    "interface",
    "direction",
    "packets",
    "wire_len",
    "cap_len",
    "layers",
    "src_mac",
    "dst_mac",
    "src_addr",
    "src_port",
    "dst_addr",
    "dst_port",
    "transport",
    "protocol",
    "classified_by",
    "tcp_flags",
    "tcp_seq",
    "tcp_ack",
    "payload_len",
    "name",
    "name_source",
    "outcome",
];

pub(super) struct CsvWriter<W: Write> {
    to: csv::Writer<W>,
    words: Words,
}

impl<W: Write> CsvWriter<W> {
    pub(super) fn new(to: W) -> io::Result<Self> {
        let mut to = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(to);
        to.write_record(COLUMNS)?;
        Ok(CsvWriter {
            to,
            words: Words::default(),
        })
    }

    pub(super) fn write(&mut self, packet: &PacketRecord<'_>) -> io::Result<()> {
        self.words.of(packet);
        let words = &self.words;
        let to = &mut self.to;
        to.write_field(&words.time)?;
        to.write_field(cell(packet.interface.unwrap_or_default()).as_ref())?;
        to.write_field(record::direction(packet.direction))?;
        for number in [packet.packets, packet.wire_len, packet.cap_len] {
            to.write_field(number.to_string())?;
        }
        to.write_field(&words.layers)?;
        let (src, dst) = words.macs.unzip();
        for mac in [src, dst] {
            to.write_field(mac.map(record::mac).unwrap_or_default())?;
        }
        let (src, dst) = words.addrs.unzip();
        let (src_port, dst_port) = words.ports.unzip();
        for (addr, port) in [(src, src_port), (dst, dst_port)] {
            to.write_field(addr.map(|addr| addr.to_string()).unwrap_or_default())?;
            to.write_field(port.map(|port| port.to_string()).unwrap_or_default())?;
        }
        to.write_field(&words.transport)?;
        to.write_field(&words.protocol)?;
        to.write_field(words.classified_by.unwrap_or_default())?;
        to.write_field(&words.tcp_flags)?;
        for number in [words.tcp_seq, words.tcp_ack, words.payload_len] {
            to.write_field(number.map(|number| number.to_string()).unwrap_or_default())?;
        }
        let name = record::name(packet);
        to.write_field(cell(name.map_or("", |name| &name.text)).as_ref())?;
        to.write_field(name.map_or("", |name| name.source.name()))?;
        to.write_field(&words.outcome)?;
        to.write_record(None::<&[u8]>)?;
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
