//! What changed between two reports: who is new, who is gone, who grew.
//!
//! The two may be of different length, so rates are compared, over the time that each report covers. Where a report does not
//! list everything, what it does not say is a range and not a zero: see [`Amount`]. No clock, no I/O.

mod amount;
mod notes;
mod rows;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::net::IpAddr;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

pub use amount::{Amount, Verdict};

use crate::report::{self, Name, Report, Time};

/// Value of [`Diff::schema`].
pub const SCHEMA: &str = "sensor.diff/1";

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Diff {
    #[schemars(extend("const" = SCHEMA))]
    pub schema: &'static str,
    pub measure: Measure,
    pub a: Side,
    pub b: Side,
    pub totals: Row<Everything>,
    pub protocols: Layers,
    /// Of what each sent and received.
    pub endpoints: List<Endpoint>,
    /// Of both ways together.
    pub conversations: List<Conversation>,
    /// Of both ways together, by the port of the server's side.
    pub ports: List<Port>,
    pub notes: Vec<String>,
}

/// What every `sensor.diff/1` keeps to.
pub fn json_schema() -> Schema {
    report::schema_of::<Diff>()
}

impl Diff {
    pub fn is_empty(&self) -> bool {
        let Layers {
            network,
            transport,
            application,
        } = &self.protocols;
        self.totals.verdict == Verdict::Same
            && [network, transport, application]
                .iter()
                .all(|list| list.total == 0)
            && self.endpoints.total == 0
            && self.conversations.total == 0
            && self.ports.total == 0
    }
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    BitsPerSec,
    /// Where a side has no duration, as a single packet has none.
    Bytes,
}

/// One of the two reports.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Side {
    pub hostname: String,
    pub backend: String,
    pub interfaces: Vec<String>,
    pub files: Vec<String>,
    pub filter: Option<String>,
    pub start: Option<Time>,
    pub end: Option<Time>,
    /// The time that rates are taken over.
    pub duration_seconds: f64,
    pub packets_per_sec: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Layers {
    pub network: List<Protocol>,
    pub transport: List<Protocol>,
    pub application: List<Protocol>,
}

/// The rows that differ, or may: the largest certain change first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct List<K> {
    pub rows: Vec<Row<K>>,
    /// How many rows the whole list has.
    pub total: u64,
    /// Of the whole list.
    pub verdicts: Verdicts,
}

/// How many rows there are of each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verdicts {
    pub new: u64,
    pub gone: u64,
    pub grew: u64,
    pub shrank: u64,
    pub new_or_grew: u64,
    pub gone_or_shrank: u64,
    pub unknown: u64,
    /// None of these is in the list.
    pub same: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Row<K> {
    #[serde(flatten)]
    pub key: K,
    pub verdict: Verdict,
    pub a: Amount,
    pub b: Amount,
    /// From A to B, in the measure: where amounts are ranges, the part of the change that is certain.
    pub change: f64,
    /// How many times A's B's is; null where either is 0 or not listed.
    pub factor: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Everything {}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Protocol {
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Endpoint {
    pub addr: IpAddr,
    pub names: Vec<Name>,
}

/// `a <= b`, as in reports.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Conversation {
    #[serde(rename = "a_addr")]
    pub a: IpAddr,
    #[serde(rename = "b_addr")]
    pub b: IpAddr,
    pub a_names: Vec<Name>,
    pub b_names: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Port {
    pub transport: String,
    pub port: u16,
    /// The application that the port is registered for.
    pub service: Option<Cow<'static, str>>,
}

/// `top_n`: rows of each list; 0 = all.
pub fn diff(a: &Report, b: &Report, top_n: usize) -> Diff {
    let both = Both { a, b };
    let compare = rows::Compare::new(&both, top_n);
    let protocol = |name: String| Protocol { name };
    let layer = |of: fn(&Report) -> &[report::Protocol]| {
        let sides = both.map(|report| rows::protocols(of(report)));
        compare.list(sides, |name, _| protocol(name))
    };
    let measure = compare.measure();
    Diff {
        schema: SCHEMA,
        measure,
        a: Side::of(a),
        b: Side::of(b),
        totals: compare.totals(),
        protocols: Layers {
            network: layer(|report| &report.protocols.network),
            transport: layer(|report| &report.protocols.transport),
            application: layer(|report| &report.protocols.application),
        },
        endpoints: compare.list(both.map(rows::endpoints), |addr, names| Endpoint {
            addr,
            names,
        }),
        conversations: compare.list(
            both.map(rows::conversations),
            |(a, b), (a_names, b_names)| Conversation {
                a,
                b,
                a_names,
                b_names,
            },
        ),
        ports: compare.list(both.map(rows::ports), |(transport, port), ()| Port {
            service: rows::service(&transport, port),
            transport,
            port,
        }),
        notes: notes::of(&both, measure),
    }
}

/// The same of either.
struct Both<T> {
    a: T,
    b: T,
}

impl<T: Copy> Both<T> {
    fn map<U>(&self, of: impl Fn(T) -> U) -> Both<U> {
        Both {
            a: of(self.a),
            b: of(self.b),
        }
    }
}

impl Side {
    fn of(report: &Report) -> Self {
        let source = &report.source;
        let seconds = report.duration_seconds;
        Side {
            hostname: report.sensor.hostname.clone(),
            backend: source.backend.clone(),
            interfaces: source
                .interfaces
                .iter()
                .map(|one| one.name.clone())
                .collect(),
            files: source.files.iter().map(|one| one.path.clone()).collect(),
            filter: report.filter.clone(),
            start: report.start,
            end: report.end,
            duration_seconds: seconds,
            packets_per_sec: (seconds > 0.0).then(|| report.totals.packets as f64 / seconds),
        }
    }
}

impl Verdicts {
    fn count(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::New => &mut self.new,
            Verdict::Gone => &mut self.gone,
            Verdict::Grew => &mut self.grew,
            Verdict::Shrank => &mut self.shrank,
            Verdict::NewOrGrew => &mut self.new_or_grew,
            Verdict::GoneOrShrank => &mut self.gone_or_shrank,
            Verdict::Unknown => &mut self.unknown,
            Verdict::Same => &mut self.same,
        } += 1;
    }
}
