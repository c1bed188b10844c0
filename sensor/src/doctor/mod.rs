//! Whether packets can be counted on this machine, by what, and what stands in the way: a judgement on facts that somebody
//! else gathered, so that every machine can be judged in a test.

mod af_xdp;
mod facts;
mod host;
mod nic;
mod plan;
mod text;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

pub use facts::{Facts, Holder, Host, Known, Nic, NicProgram, PacketSocket, Programs};
pub use plan::Backend;
pub use text::{Options, write};

/// Value of [`Doctor::schema`].
pub const SCHEMA: &str = "sensor.doctor/1";

/// All that was found out, schema `sensor.doctor/1`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Doctor {
    #[schemars(extend("const" = SCHEMA))]
    pub schema: Cow<'static, str>,
    /// Version of the sensor that looked.
    pub version: Cow<'static, str>,
    pub hostname: String,
    /// As `uname -r` and `uname -m` have it.
    pub kernel: String,
    pub machine: String,
    pub verdict: Verdict,
    /// Of the machine and of this process.
    pub gates: Vec<Gate>,
    pub interfaces: Vec<Interface>,
}

/// Whether `sensor run` would count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verdict {
    /// On each of the interfaces.
    pub can_count: bool,
    /// What `--backend` could be on this machine, the best first.
    pub backends: Vec<Backend>,
    /// Only permission is missing.
    pub permission: bool,
    /// In a sentence.
    pub why: String,
}

/// One thing that counting depends on, or is the better for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Gate {
    /// The same word on every machine.
    pub name: Cow<'static, str>,
    pub state: State,
    /// What was seen; why it is not known.
    pub evidence: String,
    /// What is lost while it is not open; null = nothing.
    pub costs: Option<String>,
    /// The command, or what else opens it; null where nothing does, or need not.
    pub remedy: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Open,
    Closed,
    Unknown,
}

/// One interface, and how `sensor run` would count it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Interface {
    pub name: String,
    pub ifindex: u32,
    /// up, down, no carrier
    pub state: Cow<'static, str>,
    pub driver: Option<String>,
    /// Of a virtual interface: veth, bridge ...
    pub kind: Option<String>,
    pub mtu: u32,
    /// Receive queues in use; null where the driver does not tell.
    pub receive_queues: Option<u32>,
    pub ingress: Way,
    pub egress: Way,
    pub gates: Vec<Gate>,
}

/// One direction of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Way {
    /// xdp, tcx, clsact, af-packet; null = not counted.
    pub hook: Option<Cow<'static, str>>,
    pub why: String,
}

impl Gate {
    fn open(name: &'static str, evidence: impl Into<String>) -> Self {
        Gate {
            name: Cow::Borrowed(name),
            state: State::Open,
            evidence: evidence.into(),
            costs: None,
            remedy: None,
        }
    }

    fn closed(name: &'static str, evidence: impl Into<String>) -> Self {
        Gate {
            state: State::Closed,
            ..Gate::open(name, evidence)
        }
    }

    fn unknown(name: &'static str, why: impl Into<String>) -> Self {
        Gate {
            state: State::Unknown,
            ..Gate::open(name, why)
        }
    }

    fn costs(mut self, what: impl Into<String>) -> Self {
        self.costs = Some(what.into());
        self
    }

    fn remedy(mut self, command: impl Into<String>) -> Self {
        self.remedy = Some(command.into());
        self
    }
}

/// The judgement.
pub fn judge(facts: &Facts) -> Doctor {
    let host = &facts.host;
    let interfaces: Vec<Interface> = facts.nics.iter().map(|nic| nic::judge(host, nic)).collect();
    Doctor {
        schema: Cow::Borrowed(SCHEMA),
        version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
        hostname: host.hostname.clone(),
        kernel: host.release.clone(),
        machine: host.machine.clone(),
        verdict: plan::verdict(host, &interfaces),
        gates: host::gates(host),
        interfaces,
    }
}

/// What every `sensor.doctor/1` keeps to.
pub fn json_schema() -> Schema {
    crate::report::schema_of::<Doctor>()
}

#[cfg(test)]
mod tests;
