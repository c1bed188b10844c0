//! Counting where nobody else wants to see the packets: batch by batch, as fast as it goes.

use sensor_common::parse::{self, LinkType, plain};
use sensor_common::view::SliceView;

use super::count::{Ledger, Outcome, PROGRESS_EVERY, Run, seen};
use super::{Batch, CaptureFile, Marks, Plain, Record};
use crate::counters::Delta;

/// As [`super::count::count`].
pub(super) fn count(
    file: &mut CaptureFile,
    ledger: &mut impl Ledger,
    mut progress: impl FnMut(&CaptureFile),
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut run = Run::default();
    let mut marks = Marks::default();
    let mut told = 0;
    loop {
        if let Some(batch) = file.batch(&mut marks) {
            let packets = batch.size() as u64;
            let link_type = run.go_on(batch.link_type, packets, &mut outcome);
            count_batch(ledger, batch, link_type);
        } else {
            match file.next() {
                Ok(Some(record)) => {
                    let link_type = run.go_on(record.link_type, 1, &mut outcome);
                    count_one(ledger.of(record.when), &record, link_type);
                }
                Ok(None) => break,
                Err(error) => {
                    outcome.error = Some(error);
                    break;
                }
            }
        }
        if outcome.packets - told >= PROGRESS_EVERY {
            told = outcome.packets;
            progress(file);
        }
    }
    run.end(&mut outcome);
    outcome
}

#[inline(never)]
fn count_one(delta: &mut Delta, record: &Record<'_>, link_type: LinkType) {
    let packet = parse::packet(&SliceView(record.data), link_type);
    delta.packet(&seen(record, packet));
}

/// Piece by piece, where its packets are counted in several deltas.
#[inline(always)]
fn count_batch(ledger: &mut impl Ledger, mut batch: Batch<'_>, link_type: LinkType) {
    while let Some(at) = batch.begins() {
        let (delta, span) = ledger.onwards(at);
        let piece = batch.take(span);
        count_piece(delta, &piece, link_type);
    }
}

#[inline(never)]
fn count_piece(delta: &mut Delta, batch: &Batch<'_>, link_type: LinkType) {
    let (mut captured, mut first, mut last) = (0, i64::MAX, i64::MIN);
    for packet in batch.packets() {
        captured += packet.data.len() as u64;
        first = first.min(packet.at);
        last = last.max(packet.at);
        match link_type {
            LinkType::Ethernet => ethernet(delta, &packet),
            other => any(delta, packet, other),
        }
    }
    delta.note(captured, (first, last));
}

/// IPv4 alone is compiled into the loop, where it gets along with the registers that there are.
#[inline(always)]
fn ethernet(delta: &mut Delta, packet: &Plain<'_>) {
    let view = SliceView(packet.data);
    match plain::family(&view) {
        Some(plain::Family::Ipv4) => {
            let parsed = plain::ipv4(&view);
            delta.of_batch(parsed, packet.at, packet.wire_len);
        }
        Some(plain::Family::Ipv6) => ipv6(delta, *packet),
        None => any(delta, *packet, LinkType::Ethernet),
    }
}

#[inline(never)]
fn ipv6(delta: &mut Delta, packet: Plain<'_>) {
    let parsed = plain::ipv6(&SliceView(packet.data));
    delta.of_batch(parsed, packet.at, packet.wire_len);
}

#[inline(never)]
fn any(delta: &mut Delta, packet: Plain<'_>, link_type: LinkType) {
    let parsed = parse::packet(&SliceView(packet.data), link_type);
    delta.of_batch(parsed, packet.at, packet.wire_len);
}
