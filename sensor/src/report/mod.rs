//! The report, schema `sensor.report/1`: the one value that every sink, chart and page is made from.
//!
//! [`build`] makes it from a [`crate::counters::Delta`] and a [`Context`] without I/O and without a clock.

mod addresses;
mod bandwidth;
mod build;
mod context;
mod dns;
mod fold;
mod interface_counters;
mod merge;
mod names;
mod own;
mod parted;
mod process;
mod protocols;
mod rank;
mod read;
#[cfg(test)]
pub(crate) mod samples;
mod schema;
mod series;
#[cfg(test)]
mod tests;
mod time;
mod written;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use addresses::{by_address, by_pair};
pub use build::{bucket_rows, build, unjudged_note};
pub use context::{
    Context, Egress, FileInfo, Ingress, InterfaceCounters, InterfaceInfo, LeftOut, SHARED_SLOT,
    SlotCounts,
};
pub use dns::{Dns, DnsCounts, DnsName, DnsServer, DnsWait};
pub use fold::{flow_row, listed_flows};
pub use merge::{MergeError, Merging, add_bucket, cut};
pub(crate) use names::of_address;
pub use names::{Http, Name, Naming, Place, PutOut, Tls};
pub use own::{Own, ProgramTime};
pub use process::{Process, ProcessRow, Processes};
pub(crate) use rank::top;
pub use read::{ReadError, read};
pub use schema::{json_schema, schema_of};
pub use series::{Column, columns};
pub use time::Time;
pub use written::Written;

pub use crate::counters::Counts;
use crate::names::How;
use crate::sandbox::Sandbox;

/// Value of [`Report::schema`].
pub const SCHEMA: &str = "sensor.report/1";

/// The report of some time or of some files, schema `sensor.report/1`.
// Fields with a default were added after the first reports had been written; what the default says is true of those.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Report {
    #[schemars(extend("const" = SCHEMA))]
    pub schema: Cow<'static, str>,
    pub sensor: Sensor,
    pub source: Source,
    /// The expression that all packets match but those in `accounting.filtered`.
    pub filter: Option<String>,
    /// Live: when somebody began to look; of files: the smallest time of a packet. Null where none has one.
    pub start: Option<Time>,
    pub end: Option<Time>,
    /// From `start` to `end`; 0 where they are null.
    pub duration_seconds: f64,
    /// Length of a bucket.
    pub interval_seconds: f64,
    pub totals: Totals,
    pub accounting: Accounting,
    pub protocols: Protocols,
    pub bandwidth: Bandwidth,
    /// By bytes, then packets, descending; at most as many as were asked for.
    pub endpoints: Vec<Endpoint>,
    /// How many rows the whole list has.
    pub endpoints_total: u64,
    /// By bytes, then packets, descending; at most as many as were asked for.
    pub conversations: Vec<Conversation>,
    /// How many rows the whole list has.
    pub conversations_total: u64,
    /// By bytes, then packets, descending; at most as many as were asked for.
    pub flows: Vec<FlowRow>,
    /// How many rows the whole list has.
    pub flows_total: u64,
    /// Null where nobody asked for processes.
    pub processes: Option<Processes>,
    pub others: Others,
    /// It was merged from reports that don't list everything: the rows of its lists are at least what they say.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lists_at_least: bool,
    /// In order of time; an interval without packets has none.
    pub buckets: Vec<BucketRow>,
    /// When nobody looked, which is not the same as no packets.
    pub not_observed: Vec<Span>,
    #[serde(default)]
    pub naming: Naming,
    /// How questions of DNS fared; null where no message of it was looked at.
    #[serde(default)]
    pub dns: Option<Dns>,
    /// Packets that were kept as they are; empty where nobody asked for that (-w).
    #[serde(default)]
    pub written: Vec<Written>,
    /// What the sensor itself took; null for files and for what was counted before.
    #[serde(default, rename = "self")]
    pub own: Option<Own>,
    /// Sentences for people.
    pub notes: Vec<String>,
}

impl Report {
    /// Seconds of the day, with the day where the report spans more than one.
    pub fn clock(&self, time: Time) -> String {
        let day = |time: Option<Time>| time.map(|time| time.strftime("%Y-%m-%d"));
        time.strftime(match day(self.start) == day(self.end) {
            true => "%H:%M:%S",
            false => "%Y-%m-%d %H:%M:%S",
        })
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Sensor {
    /// Of the sensor that made the report.
    pub version: Cow<'static, str>,
    /// Of where it was made.
    pub hostname: String,
    /// What it had given up while it counted live; null = nothing.
    #[serde(default)]
    pub sandbox: Option<Sandbox>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Source {
    /// `xdp`, `tc`, `af-packet`, `af-xdp` or `file`; of several interfaces the best in use.
    pub backend: String,
    /// Live only.
    pub interfaces: Vec<Interface>,
    /// What `any` or a pattern means, and is counted on other interfaces: a packet counts once.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    /// Capture files only.
    pub files: Vec<FileInfo>,
}

/// An interface, how it was listened to, and what was counted on it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Interface {
    pub name: String,
    pub ifindex: u32,
    /// What its packets begin with.
    pub link_type: String,
    pub ingress: Ingress,
    pub egress: Egress,
    /// All that was seen, whatever the filter left out of it: what the interface's own counters are compared with.
    pub counted: SlotCounts,
    /// The accounting identity of this interface alone.
    pub identity_holds: bool,
}

/// Of what matched the filter; with `accounting.filtered` it is what was seen.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Totals {
    pub packets: u64,
    pub bytes: u64,
    /// What was there to be read, of files the captured lengths.
    pub captured_bytes: u64,
    pub ingress: Counts,
    pub egress: Counts,
    pub unknown_direction: Counts,
}

impl Totals {
    pub fn counts(&self) -> Counts {
        Counts {
            packets: self.packets,
            bytes: self.bytes,
        }
    }
}

/// `seen = in_flows + overflow + not_ip + malformed + filtered + duplicates`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Accounting {
    /// Every packet that was looked at.
    pub seen: Counts,
    /// IP packets in the flow table: all that the lists are made of.
    pub in_flows: Counts,
    /// IP packets whose flow found no room in the table: exact here and in the protocols, absent from the lists.
    pub overflow: Counts,
    pub overflow_by_transport: BTreeMap<String, Counts>,
    /// Packets that carry no IP, by name in `protocols.network`.
    pub not_ip: Counts,
    /// By reason.
    pub malformed: BTreeMap<String, Counts>,
    /// What the filter left out: in no other field but `seen` and the interfaces' `counted`.
    #[serde(default)]
    pub filtered: Counts,
    /// Packets that came before, left out by `--dedup`: in no other field but `seen` and the interfaces' `counted` either.
    #[serde(default)]
    pub duplicates: Counts,
    /// What the kernel says it lost; not a part of `seen`.
    pub lost: BTreeMap<String, u64>,
    pub interface_counters: Vec<InterfaceCounters>,
    /// Computed: the identity, in packets and bytes, of the whole and of each interface and direction; and each list of
    /// protocols adds up to the totals.
    pub identity_holds: bool,
}

/// Each list adds up to the totals.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Protocols {
    pub network: Vec<Protocol>,
    pub transport: Vec<Protocol>,
    pub application: Vec<Protocol>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Protocol {
    pub name: String,
    pub packets: u64,
    pub bytes: u64,
    /// 0 to 100.
    pub packets_percent: f64,
    pub bytes_percent: f64,
    /// Of applications: by what they were told, with how much of the row; empty for what is no application.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classified_by: BTreeMap<Cow<'static, str>, Counts>,
}

impl Protocol {
    /// How much of it the port alone tells.
    pub fn by_port(&self) -> Counts {
        let by_port = self.classified_by.get(How::Port.name());
        by_port.copied().unwrap_or(Counts::ZERO)
    }
}

/// Rates of the wire bytes. Null where there is nothing to divide by, or no interval.
///
/// The mean is over the time from `start` to `end`. Peak and percentiles are of whole intervals: from the first to the
/// last one with a packet, those without one count as zero, those that nobody observed don't count. An interval that was
/// observed in part is still divided by its whole length.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Bandwidth {
    pub mean_bits_per_sec: Option<f64>,
    pub peak_bits_per_sec: Option<f64>,
    pub peak_start: Option<Time>,
    pub p50_bits_per_sec: Option<f64>,
    pub p95_bits_per_sec: Option<f64>,
    pub p99_bits_per_sec: Option<f64>,
    pub mean_packets_per_sec: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Endpoint {
    pub addr: IpAddr,
    /// The surest and latest first.
    #[serde(default)]
    pub names: Vec<Name>,
    /// Only where a database was given that knows the address.
    pub geo: Option<Place>,
    pub sent: Counts,
    pub received: Counts,
}

/// Both directions between two addresses, `a <= b`: IPv4 before IPv6, then by number. What an address sends to itself is
/// `a_to_b`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Conversation {
    pub a: IpAddr,
    pub b: IpAddr,
    /// As of the endpoints.
    #[serde(default)]
    pub a_names: Vec<Name>,
    #[serde(default)]
    pub b_names: Vec<Name>,
    pub a_to_b: Counts,
    pub b_to_a: Counts,
    pub start: Option<Time>,
    pub end: Option<Time>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct FlowRow {
    pub src_addr: IpAddr,
    /// 0 where there are no ports.
    pub src_port: u16,
    pub dst_addr: IpAddr,
    pub dst_port: u16,
    pub transport: String,
    /// The application's name, else the transport's.
    pub protocol: String,
    /// By what the application was told, null where it was not.
    pub classified_by: Option<Cow<'static, str>>,
    /// Of the server, the surest first; of DNS and its kin: what was asked.
    #[serde(default)]
    pub names: Vec<Name>,
    pub tls: Option<Tls>,
    pub http: Option<Http>,
    pub packets: u64,
    pub bytes: u64,
    pub start: Option<Time>,
    pub end: Option<Time>,
    /// Letters of the flags that any packet had, in the order FSRPAUEC; null where the transport is not TCP.
    pub tcp_flags: Option<String>,
    /// Null for files.
    pub interface: Option<String>,
    /// `ingress`, `egress` or `unknown`.
    pub direction: Cow<'static, str>,
    /// The local one that sent it, else the one that received it.
    pub process: Option<Process>,
}

/// What the lists leave out, so that columns add up:
///
/// - flows: `sum(packets) + others.flows = in_flows + overflow`;
/// - conversations: `sum(a_to_b + b_to_a) + others.conversations = in_flows + overflow`;
/// - endpoints: `sum(sent + received) + others.endpoints = 2 * (in_flows + overflow)`, as each packet is sent by one
///   endpoint and received by one.
///
/// So packets that overflowed the flow table, whose addresses nobody kept, are in all three (twice among the endpoints).
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Others {
    pub endpoints: Counts,
    pub conversations: Counts,
    pub flows: Counts,
}

/// One interval with packets in it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct BucketRow {
    pub start: Time,
    pub packets: u64,
    pub bytes: u64,
    pub ingress: Counts,
    pub egress: Counts,
    /// By name, adds up to the whole, as does `application`.
    pub transport: BTreeMap<String, Counts>,
    pub application: BTreeMap<String, Counts>,
}

impl BucketRow {
    pub fn unknown_direction(&self) -> Counts {
        let known = self.ingress + self.egress;
        Counts {
            packets: self.packets.saturating_sub(known.packets),
            bytes: self.bytes.saturating_sub(known.bytes),
        }
    }
}

/// `end` is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Span {
    pub start: Time,
    pub end: Time,
}
