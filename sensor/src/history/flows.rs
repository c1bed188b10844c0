//! The rows of the flows' table, a row group at a time.
//!
//! Rows lie in memory in the order in which they were counted, so each is looked up once, and put down column by column.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parquet::data_type::BoolType;
use parquet::errors::Result;
use sensor_common::application::Application;
use sensor_common::flow::Direction;

use super::columns::{ABSENT, Value};
use super::encode::{GROUP, Group, Out};
use super::meta::Meta;
use super::numbers::Numbers;
use super::order::{self, Addresses};
use super::rows::{FlowEntry, FlowPart, Rows, Stretch};
use super::runs::Runs;
use super::{details, words};
use crate::counters::{Class, Kind, transport_name};
use crate::names::How;

/// Rows that are fetched from memory while those before them are put down.
const AHEAD: usize = 16;

pub(super) fn write(rows: &Rows, meta: &Meta, file: &mut Out) -> Result<()> {
    let addresses = Addresses::of(rows.flows.iter().map(|entry| &entry.key));
    let order = order::of_parts(rows, &addresses);
    let mut table = Table::new(meta, &addresses);
    for group in order.chunks(GROUP) {
        table.clear(group.len());
        let mut coming = group.iter().skip(AHEAD);
        for of_flow in group.chunk_by(|a, b| a.1 == b.1) {
            let flow = of_flow[0].1;
            let entry = &rows.flows[flow as usize];
            let codes = table.codes_of(entry, flow);
            table.add_flow(entry, codes, of_flow.len());
            for (place, _) in of_flow {
                order::prefetch(rows, &addresses, coming.next());
                if let Some(part) = rows.parts.get(*place) {
                    table.add(&part);
                }
            }
        }
        let mut group = Group::new(file)?;
        table.write(&mut group)?;
        group.close()?;
    }
    Ok(())
}

/// The columns that are written by numbers.
#[derive(Clone, Copy)]
enum Coded {
    Slot,
    Interface,
    Direction,
    Network,
    Source,
    Destination,
    Transport,
    Application,
    How,
    Name,
    NameSource,
    Details,
    Start,
    Length,
    Flags,
}

const CODED: usize = Coded::Flags as usize + 1;
/// Those before are the same in all rows of a flow.
const SHARED: usize = Coded::Start as usize;
/// Of what is not IP, beside the numbers of protocols and, for networks, of IPv4 and IPv6.
const NOT_IP: u32 = 256;

/// A row group.
struct Table<'a> {
    meta: &'a Meta,
    addresses: &'a Addresses,
    instants: Numbered<i64>,
    lengths: Numbered<i64>,
    texts: Numbered<Arc<str>>,
    coded: [Runs; CODED],
    ports: [Numbers; 2],
    settled: Vec<bool>,
    /// Packets and bytes.
    counts: [Numbers; 2],
    /// First and last.
    times: [Numbers; 2],
}

impl<'a> Table<'a> {
    fn new(meta: &'a Meta, addresses: &'a Addresses) -> Self {
        Table {
            meta,
            addresses,
            instants: Numbered::default(),
            lengths: Numbered::default(),
            texts: Numbered::default(),
            coded: Default::default(),
            ports: Default::default(),
            settled: Vec::new(),
            counts: Default::default(),
            times: Default::default(),
        }
    }

    /// For the next row group, of so many rows.
    fn clear(&mut self, rows: usize) {
        self.coded.iter_mut().for_each(Runs::clear);
        let numbers = [&mut self.ports, &mut self.counts, &mut self.times];
        for numbers in numbers.into_iter().flatten() {
            numbers.clear(rows);
        }
        self.settled.clear();
        // Else numbers would grow from group to group.
        self.instants = Numbered::default();
        self.lengths = Numbered::default();
        self.texts = Numbered::default();
    }

    /// What the rows of one flow have in common.
    fn codes_of(&mut self, entry: &FlowEntry, place: u32) -> [u32; SHARED] {
        let key = &entry.key;
        let mut codes = [ABSENT; SHARED];
        let mut set = |column: Coded, code: u32| codes[column as usize] = code;
        set(Coded::Slot, key.slot().into());
        if words::interface(self.meta, key.slot()).is_some() {
            set(Coded::Interface, key.slot().into());
        }
        set(Coded::Direction, key.direction() as u32);
        set(
            Coded::Network,
            match key.is_ip() {
                true => words::network_number(key) as u32,
                false => NOT_IP + u32::from(key.network()),
            },
        );
        let protocol = u32::from(key.protocol());
        set(
            Coded::Transport,
            match key.is_ip() {
                true => protocol,
                false => NOT_IP + protocol,
            },
        );
        let [src, dst] = self.addresses.of_flow(place);
        set(Coded::Source, src);
        set(Coded::Destination, dst);
        if let Some((application, how)) = words::application_of(key, entry.label) {
            set(Coded::Application, application as u32);
            set(Coded::How, how as u32);
        }
        if let Some(info) = entry.info.as_deref() {
            let told = details::split(Some(info));
            if let Some(name) = told.name {
                set(Coded::Name, self.texts.number(name.into()));
            }
            if let Some(source) = told.source {
                set(Coded::NameSource, self.texts.number(source.into()));
            }
            if let Some(details) = told.details {
                set(Coded::Details, self.texts.number(details.into()));
            }
        }
        codes
    }

    /// So many rows of this flow come next.
    fn add_flow(&mut self, entry: &FlowEntry, codes: [u32; SHARED], rows: usize) {
        for (column, code) in self.coded.iter_mut().zip(codes) {
            column.push(code, rows as u32);
        }
        let key = &entry.key;
        let ports = key.has_ports().then(|| [key.src_port(), key.dst_port()]);
        let ports = ports.map_or([None; 2], |ports| ports.map(|port| Some(port.into())));
        for _ in 0..rows {
            for (column, port) in self.ports.iter_mut().zip(ports) {
                column.push_some(port);
            }
            self.settled.push(entry.settled);
        }
    }

    #[inline]
    fn add(&mut self, part: &FlowPart) {
        let Stretch { start, length } = part.stretch;
        let start = start.map_or(ABSENT, |start| self.instants.number(start));
        self.coded[Coded::Start as usize].push(start, 1);
        self.coded[Coded::Length as usize].push(self.lengths.number(length), 1);
        self.coded[Coded::Flags as usize].push(part.tcp_flags.into(), 1);
        let [packets, bytes] = &mut self.counts;
        packets.push(part.counts.packets as i64);
        bytes.push(part.counts.bytes as i64);
        let [first, last] = &mut self.times;
        let timed = part.first <= part.last;
        first.push_some(timed.then_some(part.first));
        last.push_some(timed.then_some(part.last));
    }

    /// In the order of the schema.
    fn write(&self, group: &mut Group<'_>) -> Result<()> {
        self.coded(group, Coded::Start, |code| {
            Value::Int64(self.instants.list[code as usize])
        })?;
        self.coded(group, Coded::Length, |code| {
            Value::Int64(self.lengths.list[code as usize])
        })?;
        self.coded(group, Coded::Slot, number)?;
        self.coded(group, Coded::Interface, |code| {
            text(words::interface(self.meta, code as u8).unwrap_or_default())
        })?;
        self.coded(group, Coded::Direction, |code| text(direction_name(code)))?;
        self.coded(group, Coded::Network, network)?;
        self.coded(group, Coded::Network, |code| {
            match code.checked_sub(NOT_IP) {
                Some(network) => number(network),
                None => number(code),
            }
        })?;
        self.coded(group, Coded::Source, |code| text(self.addresses.text(code)))?;
        self.coded(group, Coded::Destination, |code| {
            text(self.addresses.text(code))
        })?;
        for ports in &self.ports {
            group.numbers(ports, true)?;
        }
        self.coded(group, Coded::Transport, transport)?;
        self.coded(group, Coded::Transport, |code| number(code % NOT_IP))?;
        self.coded(group, Coded::Application, |code| {
            text(Application::ALL[code as usize].name())
        })?;
        self.coded(group, Coded::How, |code| text(how_name(code)))?;
        group.column::<BoolType>(&self.settled, None)?;
        self.coded(group, Coded::Name, |code| {
            text(&self.texts.list[code as usize])
        })?;
        self.coded(group, Coded::NameSource, |code| {
            text(&self.texts.list[code as usize])
        })?;
        self.coded(group, Coded::Details, |code| {
            text(&self.texts.list[code as usize])
        })?;
        for counts in &self.counts {
            group.numbers(counts, true)?;
        }
        for times in &self.times {
            // Hardly a bit of them can be told from the others: zstd would take half of its time for one byte in a hundred.
            group.numbers(times, false)?;
        }
        self.coded(group, Coded::Flags, number)
    }

    fn coded<'v>(
        &self,
        group: &mut Group<'_>,
        column: Coded,
        mut value: impl FnMut(u32) -> Value<'v>,
    ) -> Result<()> {
        group.coded(&self.coded[column as usize], &mut value)
    }
}

fn number(code: u32) -> Value<'static> {
    Value::Int32(code as i32)
}

fn text(text: &str) -> Value<'_> {
    Value::Text(text.into())
}

fn network(code: u32) -> Value<'static> {
    Value::Text(match code.checked_sub(NOT_IP) {
        Some(id) => class_of(Kind::NotIp(id as u16)).network(),
        None if code == 4 => "ipv4".into(),
        None => "ipv6".into(),
    })
}

fn transport(code: u32) -> Value<'static> {
    Value::Text(match u8::try_from(code) {
        Ok(protocol) => transport_name(protocol),
        Err(_) => class_of(Kind::NotIp(0)).transport(),
    })
}

fn class_of(kind: Kind) -> Class {
    Class {
        direction: Direction::Unknown,
        kind,
    }
}

fn direction_name(code: u32) -> &'static str {
    let all = [Direction::Unknown, Direction::Ingress, Direction::Egress];
    let found = all.into_iter().find(|one| *one as u32 == code);
    words::direction_name(found.unwrap_or_default())
}

fn how_name(code: u32) -> &'static str {
    let all = [How::Payload, How::Handshake, How::Expectation];
    let found = all.into_iter().find(|one| *one as u32 == code);
    found.unwrap_or(How::Port).name()
}

/// Values that come again, each with a number.
struct Numbered<T> {
    list: Vec<T>,
    numbers: HashMap<T, u32, RandomState>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Numbered {
            list: Vec::new(),
            numbers: HashMap::default(),
        }
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    fn number(&mut self, value: T) -> u32 {
        // Nearly always it is one of the first, and not yet worth a hash.
        let first = self.list.iter().take(4).position(|one| *one == value);
        if let Some(number) = first {
            return number as u32;
        }
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.list.push(value.clone());
        self.numbers.insert(value, number);
        number
    }
}
