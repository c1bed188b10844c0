//! The files of a set read back as [`Rows`].

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use sensor_common::flow::{Direction, FlowKey};

use super::HistoryError;
use super::decode::{Batch, TableFile, Window};
use super::meta::Meta;
use super::rows::{Account, AccountKey, BucketKey, FlowPart, Rows, Stretch};
use super::{details, schema, words};
use crate::counters::{Class, Counts};
use crate::names::Label;

/// What a row says of its flow's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) label: Option<Label>,
    pub(super) settled: bool,
}

/// Where a set's files are: one path for each of its tables.
pub(super) trait Files {
    fn path(&self, table: &str) -> std::path::PathBuf;
}

/// A whole set, as far as it is in the window.
pub(super) fn set(files: &impl Files, window: Window) -> Result<(Rows, Meta), HistoryError> {
    let file = TableFile::open(&files.path("flows"))?;
    let mut rows = Rows::of_length(file.meta.flows);
    let mut addresses = Addresses::default();
    file.batches(schema::FLOWS, window, &mut |batch| {
        (0..batch.rows).try_for_each(|row| flow(batch, row, window, (&mut rows, &mut addresses)))
    })?;
    buckets(&files.path("buckets"), window, &mut rows)?;
    accounting(&files.path("accounting"), window, &mut rows)?;
    names(&files.path("names"), &mut rows)?;
    Ok((rows, file.meta))
}

/// Columns of the flows' table that say which flow it is, and its label.
pub(super) fn labels(
    path: &Path,
    window: Window,
    show: &mut dyn FnMut(FlowKey, Told),
) -> Result<(), HistoryError> {
    let columns = &schema::FLOWS[..16];
    let mut addresses = Addresses::default();
    TableFile::open(path)?.batches(columns, window, &mut |batch| {
        for row in 0..batch.rows {
            if window.has(batch.int64(0, row)) {
                show(key(batch, row, &mut addresses)?, told(batch, row)?);
            }
        }
        Ok(())
    })
}

/// The addresses of the row before: rows are sorted, so mostly it has the same.
#[derive(Default)]
struct Addresses([Option<(String, IpAddr)>; 2]);

impl Addresses {
    fn get(&mut self, which: usize, text: &str) -> Option<IpAddr> {
        if let Some((known, addr)) = &self.0[which]
            && known == text
        {
            return Some(*addr);
        }
        let addr = text.parse().ok()?;
        self.0[which] = Some((text.to_owned(), addr));
        Some(addr)
    }
}

fn told(batch: &Batch<'_>, row: usize) -> Result<Told, HistoryError> {
    Ok(Told {
        label: words::label(batch.text(13, row)?, batch.text(14, row)?),
        settled: batch.flag(15, row).unwrap_or_default(),
    })
}

fn key(batch: &Batch<'_>, row: usize, addresses: &mut Addresses) -> Result<FlowKey, HistoryError> {
    let number = |column| batch.int32(column, row);
    let byte = |column| number(column).and_then(|value| u8::try_from(value).ok());
    let wrong = || batch.damaged("a row names no flow");
    let slot = byte(2).ok_or_else(wrong)?;
    let direction = batch
        .text(4, row)?
        .and_then(words::direction)
        .ok_or_else(wrong)?;
    let mut addr = |which: usize, column| -> Result<Option<IpAddr>, HistoryError> {
        let text = batch.text(column, row)?;
        Ok(text.and_then(|text| addresses.get(which, text)))
    };
    let (src, dst) = (addr(0, 7)?, addr(1, 8)?);
    let protocol = byte(12).ok_or_else(wrong)?;
    let mut key = match (number(6), src, dst) {
        (Some(4), Some(IpAddr::V4(src)), Some(IpAddr::V4(dst))) => {
            let word = |addr: std::net::Ipv4Addr| u32::from_ne_bytes(addr.octets());
            FlowKey::ipv4(word(src), word(dst), protocol)
        }
        (Some(6), Some(IpAddr::V6(src)), Some(IpAddr::V6(dst))) => {
            FlowKey::ipv6(halves(src), halves(dst), protocol)
        }
        (Some(network), None, None) => {
            FlowKey::not_ip(u16::try_from(network).map_err(|_| wrong())?)
        }
        _ => return Err(wrong()),
    };
    if let (Some(src), Some(dst)) = (number(9), number(10)) {
        let port = |port: i32| u16::try_from(port).map_err(|_| wrong());
        let ([a, b], [c, d]) = (port(src)?.to_be_bytes(), port(dst)?.to_be_bytes());
        key.set_ports(u32::from_ne_bytes([a, b, c, d]));
    }
    key.set_origin(slot, direction);
    Ok(key)
}

fn halves(addr: std::net::Ipv6Addr) -> [u64; 2] {
    let octets = addr.octets();
    let half = |from: usize| {
        let mut half = [0; 8];
        half.copy_from_slice(&octets[from..from + 8]);
        u64::from_ne_bytes(half)
    };
    [half(0), half(8)]
}

fn flow(
    batch: &Batch<'_>,
    row: usize,
    window: Window,
    (rows, addresses): (&mut Rows, &mut Addresses),
) -> Result<(), HistoryError> {
    let start = batch.int64(0, row);
    if !window.has(start) {
        return Ok(());
    }
    let key = key(batch, row, addresses)?;
    let told = told(batch, row)?;
    let place = rows.place(&key);
    let entry = &mut rows.flows[place as usize];
    let more = [
        batch.text(16, row)?,
        batch.text(17, row)?,
        batch.text(18, row)?,
    ];
    let known = entry.info.is_some() && entry.settled == told.settled;
    let info = match more {
        _ if known => None,
        [None, _, None] => None,
        [name, source, more] => details::join(name, source, more).map(Arc::new),
    };
    entry.learn(told.label, told.settled, info);
    let (first, last) = times(batch, (21, 22), row);
    rows.part(&FlowPart {
        flow: place,
        tcp_flags: batch.int32(23, row).unwrap_or_default() as u8,
        stretch: Stretch {
            start,
            length: length(batch, 1, row)?,
        },
        counts: counts(batch, (19, 20), row)?,
        first,
        last,
        class: Class::of_flow(&key, told.label),
    });
    Ok(())
}

fn buckets(path: &Path, window: Window, rows: &mut Rows) -> Result<(), HistoryError> {
    TableFile::open(path)?.batches(schema::BUCKETS, Window::ALL, &mut |batch| {
        for row in 0..batch.rows {
            let stretch = batch.int64(2, row).unwrap_or_default();
            if !window.has(Some(stretch)) {
                continue;
            }
            let wrong = || batch.damaged("a row of buckets names no class");
            let text = |column| batch.text(column, row);
            let direction = text(3)?.and_then(words::direction).ok_or_else(wrong)?;
            let (kind, network) = (text(4)?.unwrap_or_default(), text(5)?.unwrap_or_default());
            let number = batch.int32(8, row).unwrap_or_default();
            let class = words::class(direction, (kind, network), text(7)?, number);
            let key = BucketKey {
                stretch,
                start: batch.int64(0, row).unwrap_or_default(),
                length: length(batch, 1, row)?,
                class: class.ok_or_else(wrong)?,
            };
            rows.bucket(key, counts(batch, (9, 10), row)?);
        }
        Ok(())
    })
}

fn accounting(path: &Path, window: Window, rows: &mut Rows) -> Result<(), HistoryError> {
    TableFile::open(path)?.batches(schema::ACCOUNTING, window, &mut |batch| {
        for row in 0..batch.rows {
            let start = batch.int64(0, row);
            if !window.has(start) {
                continue;
            }
            let wrong = || batch.damaged("a row of the accounting says nothing that is known");
            let slot = batch.int32(2, row).map(u8::try_from).transpose();
            let slot = slot.map_err(|_| wrong())?;
            let direction: Option<Direction> = batch.text(4, row)?.and_then(words::direction);
            let term = batch.text(5, row)?.unwrap_or_default();
            let term = words::term(term, batch.text(6, row)?, batch.int32(7, row));
            let key = AccountKey {
                stretch: Stretch {
                    start,
                    length: length(batch, 1, row)?,
                },
                origin: slot.zip(direction),
                term: term.ok_or_else(wrong)?,
            };
            if key.term.is_seen() != key.origin.is_some() {
                return Err(wrong());
            }
            let (first, last) = times(batch, (10, 11), row);
            let account = Account {
                counts: counts(batch, (8, 9), row)?,
                first,
                last,
            };
            rows.account(key, &account);
        }
        Ok(())
    })
}

fn names(path: &Path, rows: &mut Rows) -> Result<(), HistoryError> {
    TableFile::open(path)?.batches(schema::NAMES, Window::ALL, &mut |batch| {
        for row in 0..batch.rows {
            let addr = batch.text(0, row)?.and_then(|text| text.parse().ok());
            let name = details::name(batch.text(2, row)?, batch.text(3, row)?);
            if let (Some(addr), Some(name)) = (addr, name) {
                rows.names.entry(addr).or_default().push(name);
            }
        }
        Ok(())
    })
}

fn length(batch: &Batch<'_>, column: usize, row: usize) -> Result<i64, HistoryError> {
    let length = batch.int64(column, row).filter(|length| *length > 0);
    length.ok_or_else(|| batch.damaged("a row has no length"))
}

fn counts(
    batch: &Batch<'_>,
    (packets, bytes): (usize, usize),
    row: usize,
) -> Result<Counts, HistoryError> {
    Ok(Counts {
        packets: batch.count(packets, row)?,
        bytes: batch.count(bytes, row)?,
    })
}

/// First and last time; `first > last` where there is none.
fn times(batch: &Batch<'_>, (first, last): (usize, usize), row: usize) -> (i64, i64) {
    match (batch.int64(first, row), batch.int64(last, row)) {
        (Some(first), Some(last)) if first <= last => (first, last),
        _ => (i64::MAX, i64::MIN),
    }
}
