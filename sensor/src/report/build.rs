//! From what was counted to the report.

use std::collections::BTreeMap;

use sensor_common::flow::Direction;
use sensor_common::parse::{MAX_EXTENSIONS, is_ipv6_extension};

use super::bandwidth::{Observation, bandwidth};
use super::protocols::{add_up, by_name, protocols};
use super::time::seconds;
use super::{
    Accounting, BucketRow, Context, Counts, Dns, Interface, InterfaceInfo, Naming, Others, Own,
    Report, SCHEMA, Sensor, SlotCounts, Source, Time, Totals, fold, interface_counters,
};
use crate::counters::{Bucket, Class, Delta, Kind, SlotAccounting};

/// `delta` must be flushed and settled.
pub fn build(delta: &Delta, context: &Context) -> Report {
    let sums = delta.flow_sums();
    let (accounted, slots) = delta.accounting_of(&sums);
    let totals = totals(delta);
    let counts = totals.counts();
    let classes = delta.by_class_of(&sums);
    let protocols = protocols(&classes, (delta, &sums), counts);
    let buckets = bucket_rows(delta);
    let span = context.span.or_else(|| delta.span());
    let duration = span.map(|(start, end)| seconds(start, end).max(0.0));

    let book = delta.book();
    let naming = Naming::of(delta);
    let (endpoints, conversations, flows) = fold::lists(delta.flows(), book, context);
    let overflow = accounted.overflow;
    let interfaces = interfaces(&context.interfaces, &slots);
    let identity_holds = accounted.identity_holds
        && counts + accounted.filtered + accounted.duplicates == accounted.seen
        && add_up(&protocols, counts);

    Report {
        schema: SCHEMA.into(),
        sensor: Sensor {
            version: env!("CARGO_PKG_VERSION").into(),
            hostname: context.hostname.clone(),
            sandbox: context.sandbox.clone(),
        },
        source: source(context, &interfaces),
        filter: context.filter.clone(),
        start: span.map(|(start, _)| Time(start)),
        end: span.map(|(_, end)| Time(end)),
        duration_seconds: duration.unwrap_or(0.0),
        interval_seconds: delta.buckets().interval() as f64 / 1e9,
        bandwidth: bandwidth(
            &buckets,
            counts,
            &Observation {
                interval: delta.buckets().interval(),
                watched: context.span,
                not_observed: &context.not_observed,
                seconds: duration,
            },
        ),
        totals,
        accounting: Accounting {
            seen: accounted.seen,
            in_flows: accounted.in_flows,
            overflow,
            overflow_by_transport: by_name(&delta.overflow_by_class(), Class::transport),
            not_ip: accounted.not_ip,
            malformed: named(&accounted.malformed),
            filtered: accounted.filtered,
            duplicates: accounted.duplicates,
            lost: named(delta.lost_by_place()),
            interface_counters: interface_counters::compared(context, &interfaces),
            identity_holds,
        },
        protocols,
        others: Others {
            endpoints: endpoints.left_out + overflow + overflow,
            conversations: conversations.left_out + overflow,
            flows: flows.left_out + overflow,
        },
        endpoints: endpoints.rows,
        endpoints_total: endpoints.total,
        conversations: conversations.rows,
        conversations_total: conversations.total,
        flows: flows.rows,
        flows_total: flows.total,
        processes: None,
        lists_at_least: false,
        dns: Dns::of(delta.resolving(), context.top_n),
        buckets,
        not_observed: context.not_observed.clone(),
        notes: notes(delta, context, (&naming, &classes)),
        written: context.written.clone(),
        own: own(context, accounted.seen, &naming),
        naming,
    }
}

/// What must be said of a delta that was selected from, where some packets could not be judged.
pub fn unjudged_note(delta: &Delta) -> Option<String> {
    let unjudged = delta.unjudged().packets;
    (unjudged > 0).then(|| {
        format!(
            "packets that found no room in the flow table: {unjudged}; the part of the filter that is about flows could \
             not be applied to them, so they count as matched"
        )
    })
}

fn source(context: &Context, interfaces: &[Interface]) -> Source {
    Source {
        backend: context.backend.clone(),
        interfaces: interfaces.to_vec(),
        left_out: context.left_out.clone(),
        files: context.files.clone(),
    }
}

fn own(context: &Context, seen: Counts, naming: &Naming) -> Option<Own> {
    let own = context.own.clone()?;
    Some(own.beside(seen.packets, naming.lost))
}

fn totals(delta: &Delta) -> Totals {
    let [unknown_direction, ingress, egress] = delta.by_direction();
    let Counts { packets, bytes } = unknown_direction + ingress + egress;
    Totals {
        packets,
        bytes,
        captured_bytes: delta.captured_bytes(),
        ingress,
        egress,
        unknown_direction,
    }
}

fn interfaces(infos: &[InterfaceInfo], slots: &[SlotAccounting]) -> Vec<Interface> {
    let of = |info: &InterfaceInfo| {
        let mut counted = SlotCounts::default();
        let mut identity_holds = true;
        for part in slots.iter().filter(|part| part.slot == info.slot) {
            let way = match part.direction {
                Direction::Ingress => &mut counted.ingress,
                Direction::Egress => &mut counted.egress,
                Direction::Unknown => &mut counted.unknown,
            };
            *way += part.accounting.seen;
            identity_holds &= part.accounting.identity_holds;
        }
        Interface {
            name: info.name.clone(),
            ifindex: info.ifindex,
            link_type: info.link_type.clone(),
            ingress: info.ingress.clone(),
            egress: info.egress.clone(),
            counted,
            identity_holds,
        }
    };
    infos.iter().map(of).collect()
}

/// In order of time; `delta` must be flushed and settled.
pub fn bucket_rows(delta: &Delta) -> Vec<BucketRow> {
    let interval = delta.buckets().interval();
    let row = |bucket: &&Bucket| {
        let classes: Vec<(Class, Counts)> = bucket
            .by_class(delta.classes())
            .map(|(class, counts)| (*class, counts))
            .collect();
        let way = |direction| -> Counts {
            let those = classes
                .iter()
                .filter(|(class, _)| class.direction == direction);
            those.map(|(_, counts)| *counts).sum()
        };
        let Counts { packets, bytes } = bucket.total();
        BucketRow {
            start: Time(bucket.index.saturating_mul(interval)),
            packets,
            bytes,
            ingress: way(Direction::Ingress),
            egress: way(Direction::Egress),
            transport: by_name(&classes, Class::transport),
            application: by_name(&classes, Class::application),
        }
    };
    delta.buckets().sorted().iter().map(row).collect()
}

fn named<T: Copy>(map: &BTreeMap<&'static str, T>) -> BTreeMap<String, T> {
    map.iter()
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect()
}

fn notes(
    delta: &Delta,
    context: &Context,
    (naming, classes): (&Naming, &[(Class, Counts)]),
) -> Vec<String> {
    let mut notes = context.notes.clone();
    let interval = delta.buckets().interval();
    if context.interval > 0 && interval != context.interval {
        notes.push(format!(
            "buckets are {} s long instead of the {} s asked for, because there would be too many",
            interval as f64 / 1e9,
            context.interval as f64 / 1e9,
        ));
    }
    let out_of_range = delta.out_of_range();
    let missing = delta.untimed().packets.saturating_sub(out_of_range);
    if missing > 0 {
        notes.push(format!(
            "packets without a time: {missing}; they count everywhere but in buckets"
        ));
    }
    if out_of_range > 0 {
        notes.push(format!(
            "packets with a time outside the years 1678 to 2261: {out_of_range}; they count everywhere but in buckets"
        ));
    }
    if let Some(note) = unjudged_note(delta) {
        notes.push(format!("{note} (--max-flows makes room)"));
    }
    let too_deep = beyond_the_walk(classes);
    if too_deep > 0 {
        notes.push(format!(
            "packets with IPv6 extension headers that are cut off or more than {MAX_EXTENSIONS}: {too_deep}; \
             they are named after the header at which the walk ended, with ports 0"
        ));
    }
    notes.extend(naming.notes());
    notes
}

/// Packets whose transport is an IPv6 extension header: what follows it was out of reach.
fn beyond_the_walk(classes: &[(Class, Counts)]) -> u64 {
    let is_extension = |class: &Class| {
        matches!(
            class.kind,
            Kind::Ip { ipv6: true, protocol, .. } if is_ipv6_extension(protocol)
        )
    };
    let deep = classes.iter().filter(|(class, _)| is_extension(class));
    deep.map(|(_, counts)| counts.packets).sum()
}
