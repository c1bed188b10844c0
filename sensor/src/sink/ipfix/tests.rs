//! What a collector makes of what is sent: netflow_parser reads it back.

mod exporting;
mod outages;
mod timeouts;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use netflow_parser::variable_versions::ipfix::{FlowSetBody, IPFix};
use netflow_parser::{NetflowPacket, NetflowParser};
use serde_json::Value;

use super::link::Link;
use super::{Collector, Exporter, Room, Settings, Timeouts};
use crate::clock::Now;
use crate::counters::Counts;
use crate::report::samples::{SECOND, START};

const SETTINGS: Settings = Settings {
    timeouts: Timeouts {
        active: 60 * SECOND,
        idle: 15 * SECOND,
    },
    domain: 7,
    message_size: 1_400,
    rate: 0,
};

/// Nanoseconds since the start of everything here, on both clocks.
fn now(nanoseconds: i64) -> Now {
    Now {
        wall: START + nanoseconds,
        monotonic: nanoseconds,
    }
}

/// A way to nowhere, that keeps what is sent and can be broken.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    sessions: bool,
    messages: Vec<Vec<u8>>,
    /// How many messages get through before sending fails; `None` = all.
    working: Option<usize>,
    /// What broke works again when it is opened anew.
    heals: bool,
    closed: bool,
    opened: usize,
    refused: u64,
}

impl Wire {
    fn of_sessions() -> Self {
        let wire = Wire::default();
        wire.0.lock().unwrap().sessions = true;
        wire
    }

    fn exporter(&self, settings: &Settings, flows: usize) -> Exporter {
        let collector: Collector = "udp://192.0.2.1".parse().unwrap();
        let room = Room {
            flows,
            messages: 20,
        };
        Exporter::over(Box::new(self.clone()), &collector, settings, room)
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap());
    }

    fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.0.lock().unwrap().messages)
    }

    fn opened(&self) -> usize {
        self.0.lock().unwrap().opened
    }
}

impl Link for Wire {
    fn open(&mut self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        if state.closed {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        state.opened += 1;
        if state.heals {
            state.working = None;
        }
        Ok(())
    }

    fn send(&mut self, message: &[u8], _records: u32) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        match &mut state.working {
            Some(0) => return Err(io::ErrorKind::BrokenPipe.into()),
            Some(left) => *left -= 1,
            None => {}
        }
        state.messages.push(message.to_vec());
        Ok(())
    }

    fn has_sessions(&self) -> bool {
        self.0.lock().unwrap().sessions
    }

    fn refused(&mut self) -> u64 {
        std::mem::take(&mut self.0.lock().unwrap().refused)
    }
}

/// One data record: values by the names of elements.
type Fields = BTreeMap<String, Value>;

/// What a collector knows after some messages.
#[derive(Default)]
struct Known {
    parser: NetflowParser,
    flows: Vec<Fields>,
    options: Vec<Fields>,
    templates: usize,
    /// What the next message must have.
    sequence: Option<u32>,
}

impl Known {
    fn of(messages: &[Vec<u8>]) -> Self {
        let mut known = Known::default();
        messages.iter().for_each(|message| known.hear(message));
        known
    }

    /// Fails where the message can't be read whole, or records were lost before it.
    fn hear(&mut self, message: &[u8]) {
        let parsed = self.parser.parse_bytes(message);
        assert!(parsed.error.is_none(), "{:?}", parsed.error);
        let [NetflowPacket::IPFix(message)] = &parsed.packets[..] else {
            panic!("{:?}", parsed.packets);
        };
        let header = message.header;
        assert_eq!(header.observation_domain_id, SETTINGS.domain);
        if let Some(expected) = self.sequence {
            assert_eq!(header.sequence_number, expected, "records were lost");
        }
        let before = self.flows.len() + self.options.len();
        self.sets(message);
        let records = (self.flows.len() + self.options.len() - before) as u32;
        self.sequence = Some(header.sequence_number.wrapping_add(records));
    }

    fn sets(&mut self, message: &IPFix) {
        for set in &message.flowsets {
            match &set.body {
                FlowSetBody::Data(data) => self.flows.extend(data.fields.iter().map(fields)),
                FlowSetBody::OptionsData(data) => {
                    self.options.extend(data.fields.iter().map(fields));
                }
                FlowSetBody::Template(_) | FlowSetBody::OptionsTemplate(_) => self.templates += 1,
                other => panic!("{other:?}"),
            }
        }
    }

    fn total(&self) -> Counts {
        let of = |flow: &Fields| Counts {
            packets: number(flow, "PacketDeltaCount"),
            bytes: number(flow, "OctetDeltaCount"),
        };
        self.flows.iter().map(of).sum()
    }

    /// The only record with this application name.
    fn named(&self, name: &str) -> &Fields {
        let is = |flow: &&Fields| flow["ApplicationName"] == name;
        let found: Vec<_> = self.flows.iter().filter(is).collect();
        assert_eq!(found.len(), 1, "{name}: {:#?}", self.flows);
        found[0]
    }
}

fn fields<'a, Name: serde::Serialize + 'a, Of: serde::Serialize + 'a>(
    record: impl IntoIterator<Item = &'a (Name, Of)>,
) -> Fields {
    let field = |(name, value): &(Name, Of)| {
        let name = inner(serde_json::to_value(name).unwrap());
        let value = inner(serde_json::to_value(value).unwrap());
        (name.as_str().unwrap().to_owned(), value)
    };
    record.into_iter().map(field).collect()
}

/// What stands in the innermost of single names: `{"DataNumber": {"U64": 5}}`.
fn inner(value: Value) -> Value {
    match value {
        Value::Object(object) if object.len() == 1 => {
            inner(object.into_values().next().unwrap_or_default())
        }
        other => other,
    }
}

fn number(record: &Fields, name: &str) -> u64 {
    record[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} in {record:#?}"))
}
