//! What the counting side makes of a packet: the counter it goes to, its flow, its labels and names.

use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::{Packet, Reason};
use sensor_common::protocol::network_name;
use serde::Serialize;

use crate::counters::{Counts, Delta, DeltaConfig, Seen, application, transport_name};
use crate::filter::tree::Tree;
use crate::names::{Book, How, Name, Verdict};
use crate::seeds;
use crate::source::file::{Record, Way};
use crate::source::sampling::Sampler;

/// Flows that are told apart, as `read` does.
const MAX_FLOWS: usize = 1 << 21;
/// Nobody looks at the buckets.
const INTERVAL: i64 = 3_600_000_000_000;

/// Counts and learns from payloads as a report does, up to the packet that is explained.
pub(super) struct Learner {
    delta: Delta,
    sampler: Sampler,
}

impl Learner {
    /// `names`: how many are remembered.
    pub(super) fn new(names: usize) -> Self {
        Learner {
            delta: Delta::new(DeltaConfig {
                interval: INTERVAL,
                max_flows: MAX_FLOWS,
                seeds: seeds::random(),
                trail: false,
                names,
            }),
            sampler: Sampler::default(),
        }
    }

    pub(super) fn learn(&mut self, record: &Record<'_>, parsed: &Result<Packet, Reason>) {
        let seen = Seen {
            packet: *parsed,
            when: record.when,
            slot: 0,
            direction: match record.way {
                Way::Unknown => Direction::Unknown,
                Way::Ingress => Direction::Ingress,
                Way::Egress => Direction::Egress,
            },
            counts: Counts {
                packets: 1,
                bytes: u64::from(record.wire_len),
            },
            captured_bytes: record.data.len() as u64,
        };
        self.sampler.sample(&seen, record.data, &mut self.delta);
        self.delta.packet(&seen);
    }
}

/// What the report says of the packet.
#[derive(Serialize)]
pub(super) struct Counted {
    /// `in_flows`, `not_ip`, `malformed`: places of the report's accounting.
    pub(super) counter: &'static str,
    /// Of what is malformed.
    pub(super) reason: Option<&'static str>,
    pub(super) flow: Option<Flow>,
    pub(super) network: String,
    pub(super) transport: String,
    pub(super) protocol: String,
    pub(super) classified_by: Option<&'static str>,
    /// Later payloads of the flow can't change the label any more.
    pub(super) decided: bool,
    pub(super) names: Vec<Named>,
    pub(super) src_names: Vec<Named>,
    pub(super) dst_names: Vec<Named>,
    pub(super) direction: &'static str,
}

#[derive(Serialize)]
pub(super) struct Flow {
    pub(super) src_addr: String,
    pub(super) src_port: u16,
    pub(super) dst_addr: String,
    pub(super) dst_port: u16,
    /// False where ports 0 mean that there are none to be seen.
    pub(super) has_ports: bool,
}

#[derive(Serialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) source: &'static str,
}

impl Counted {
    pub(super) fn of(parsed: &Result<Packet, Reason>, key: FlowKey, learner: &Learner) -> Self {
        let direction = direction_name(key.direction());
        let mut counted = Counted {
            counter: "malformed",
            reason: parsed.err().map(Reason::name),
            flow: None,
            network: "other".to_owned(),
            transport: "other".to_owned(),
            protocol: "other".to_owned(),
            classified_by: None,
            decided: true,
            names: Vec::new(),
            src_names: Vec::new(),
            dst_names: Vec::new(),
            direction,
        };
        if parsed.is_err() {
            return counted;
        }
        if key.is_ip() {
            counted.counter = "in_flows";
            counted.add_flow(key, learner.delta.book());
        } else {
            counted.counter = "not_ip";
            counted.network = of_network(key.network());
            counted.transport = "non-ip".to_owned();
            counted.protocol.clone_from(&counted.network);
        }
        counted
    }

    fn add_flow(&mut self, key: FlowKey, book: Option<&Book>) {
        self.flow = Some(Flow {
            src_addr: key.src_addr().to_string(),
            src_port: key.src_port(),
            dst_addr: key.dst_addr().to_string(),
            dst_port: key.dst_port(),
            has_ports: key.has_ports(),
        });
        self.network = if key.is_ipv6() { "ipv6" } else { "ipv4" }.to_owned();
        self.transport = transport_name(key.protocol()).into_owned();
        self.protocol.clone_from(&self.transport);
        if let Some(by_port) = application(&key) {
            self.protocol = by_port.name().to_owned();
            self.classified_by = Some(How::Port.name());
        }
        let Some(book) = book else {
            return;
        };
        if let Some(label) = book.label(&key) {
            self.protocol = label.application.name().to_owned();
            self.classified_by = Some(label.how.name());
        }
        if book.verdict(&key) == Verdict::Undecided {
            self.decided = !key.has_ports();
        }
        let info = book.flow(&key);
        self.names = info.map(|info| named(&info.names)).unwrap_or_default();
        self.src_names = named(book.of_address(key.src_addr()));
        self.dst_names = named(book.of_address(key.dst_addr()));
    }
}

/// As many as a line is read for.
const NAMES: usize = 4;

fn named(names: &[Name]) -> Vec<Named> {
    let one = |name: &Name| Named {
        name: name.text.to_string(),
        source: name.source.name(),
    };
    names.iter().take(NAMES).map(one).collect()
}

fn of_network(id: u16) -> String {
    match network_name(id) {
        Some(name) => name.to_owned(),
        None => format!("ethertype-0x{id:04x}"),
    }
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Unknown => "unknown",
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    }
}

/// The tests of a filter, each as a filter of its own.
pub(super) fn parts(tree: &Tree) -> Vec<Tree> {
    match tree {
        Tree::True | Tree::False => Vec::new(),
        Tree::Test(_) => vec![tree.clone()],
        Tree::Not(inner) => parts(inner),
        Tree::All(trees) | Tree::Any(trees) => trees.iter().flat_map(parts).collect(),
    }
}
