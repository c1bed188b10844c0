//! The rows of the flows' table, a row group at a time.
//!
//! Rows lie in memory in the order in which they were counted, so each is looked up once, and put down column by column.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parquet::data_type::{BoolType, Int32Type, Int64Type};
use parquet::errors::Result;
use sensor_common::application::Application;
use sensor_common::flow::Direction;

use super::columns::{ABSENT, Value};
use super::encode::{GROUP, Group, Out};
use super::meta::Meta;
use super::order::{self, Addresses};
use super::rows::{FlowEntry, FlowPart, Rows};
use super::{details, words};
use crate::counters::{Class, Kind, transport_name};
use crate::names::How;

pub(super) fn write(rows: &Rows, meta: &Meta, file: &mut Out) -> Result<()> {
    let addresses = Addresses::of(rows.flows.iter().map(|entry| &entry.key));
    let order = order::of_parts(rows, &addresses);
    for places in order.chunks(GROUP) {
        let mut table = Table::new(meta, &addresses, places.len());
        let mut last = None;
        let mut codes = [ABSENT; CODED];
        for place in places {
            let part = &rows.parts[*place as usize];
            let entry = &rows.flows[part.flow as usize];
            if last.replace(part.flow) != Some(part.flow) {
                codes = table.codes_of(entry, part.flow);
            }
            table.add(part, entry, codes);
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
    Length,
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
    Flags,
}

const CODED: usize = Coded::Flags as usize + 1;
/// Of what is not IP, beside the numbers of protocols and, for networks, of IPv4 and IPv6.
const NOT_IP: u32 = 256;

/// A row group.
struct Table<'a> {
    meta: &'a Meta,
    addresses: &'a Addresses,
    lengths: Numbered<i64>,
    texts: Numbered<Arc<str>>,
    coded: [Vec<u32>; CODED],
    starts: Vec<Option<i64>>,
    ports: Vec<Option<(u16, u16)>>,
    settled: Vec<bool>,
    packets: Vec<i64>,
    bytes: Vec<i64>,
    times: Vec<(i64, i64)>,
}

impl<'a> Table<'a> {
    fn new(meta: &'a Meta, addresses: &'a Addresses, rows: usize) -> Self {
        Table {
            meta,
            addresses,
            lengths: Numbered::default(),
            texts: Numbered::default(),
            coded: std::array::from_fn(|_| Vec::with_capacity(rows)),
            starts: Vec::with_capacity(rows),
            ports: Vec::with_capacity(rows),
            settled: Vec::with_capacity(rows),
            packets: Vec::with_capacity(rows),
            bytes: Vec::with_capacity(rows),
            times: Vec::with_capacity(rows),
        }
    }

    /// What the rows of one flow have in common.
    fn codes_of(&mut self, entry: &FlowEntry, place: u32) -> [u32; CODED] {
        let key = &entry.key;
        let mut codes = [ABSENT; CODED];
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

    fn add(&mut self, part: &FlowPart, entry: &FlowEntry, mut codes: [u32; CODED]) {
        codes[Coded::Length as usize] = self.lengths.number(part.stretch.length);
        codes[Coded::Flags as usize] = part.tcp_flags.into();
        for (column, code) in self.coded.iter_mut().zip(codes) {
            column.push(code);
        }
        let key = &entry.key;
        let ports = key.has_ports().then(|| (key.src_port(), key.dst_port()));
        self.starts.push(part.stretch.start);
        self.ports.push(ports);
        self.settled.push(entry.settled);
        self.packets.push(part.counts.packets as i64);
        self.bytes.push(part.counts.bytes as i64);
        self.times.push((part.first, part.last));
    }

    /// In the order of the schema.
    fn write(&self, group: &mut Group<'_>) -> Result<()> {
        group.some::<Int64Type>(self.starts.iter().copied())?;
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
        let ports = || self.ports.iter();
        group.some::<Int32Type>(ports().map(|ports| Some((*ports)?.0.into())))?;
        group.some::<Int32Type>(ports().map(|ports| Some((*ports)?.1.into())))?;
        self.coded(group, Coded::Transport, transport)?;
        self.coded(group, Coded::Transport, |code| number(code % NOT_IP))?;
        self.coded(group, Coded::Application, |code| {
            text(Application::ALL[code as usize].name())
        })?;
        self.coded(group, Coded::How, |code| text(how_name(code)))?;
        group.all::<BoolType>(self.settled.iter().copied())?;
        self.coded(group, Coded::Name, |code| {
            text(&self.texts.list[code as usize])
        })?;
        self.coded(group, Coded::NameSource, |code| {
            text(&self.texts.list[code as usize])
        })?;
        self.coded(group, Coded::Details, |code| {
            text(&self.texts.list[code as usize])
        })?;
        group.all::<Int64Type>(self.packets.iter().copied())?;
        group.all::<Int64Type>(self.bytes.iter().copied())?;
        let timed = || {
            self.times
                .iter()
                .map(|(first, last)| (first <= last).then_some((*first, *last)))
        };
        group.some::<Int64Type>(timed().map(|times| Some(times?.0)))?;
        group.some::<Int64Type>(timed().map(|times| Some(times?.1)))?;
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
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.list.push(value.clone());
        self.numbers.insert(value, number);
        number
    }
}
