//! Classes: the combinations of direction, network, transport and application protocol that occur.
//!
//! There are few of them (tens), so time buckets keep one counter per class instead of one per protocol and layer, and a
//! packet costs one bucket update.

use std::borrow::Cow;
use std::collections::HashMap;

use sensor_common::application::Application;
use sensor_common::classify;
use sensor_common::flow::{Direction, FlowKey};
use sensor_common::parse::Reason;
use sensor_common::protocol;

use crate::names::Label;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    pub direction: Direction,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Ip {
        ipv6: bool,
        protocol: u8,
        application: Option<Application>,
    },
    /// Network id, see [`sensor_common::protocol::network`].
    NotIp(u16),
    Malformed(u8),
}

impl Class {
    /// By what its payloads said, else by its ports.
    pub fn of_flow(key: &FlowKey, label: Option<Label>) -> Self {
        let kind = if key.is_ip() {
            let label = label.map(|label| label.application);
            Kind::Ip {
                ipv6: key.is_ipv6(),
                protocol: key.protocol(),
                application: label.or_else(|| application(key)),
            }
        } else {
            Kind::NotIp(key.network())
        };
        Class {
            direction: key.direction(),
            kind,
        }
    }

    /// IP packets of which nothing but the protocol is known, because the flow table was full.
    pub fn of_overflow(direction: Direction, protocol: u8, ipv6: bool) -> Self {
        Class {
            direction,
            kind: Kind::Ip {
                ipv6,
                protocol,
                application: None,
            },
        }
    }

    /// A number that few classes have in common.
    fn mix(&self) -> usize {
        let kind = match self.kind {
            Kind::Ip {
                ipv6,
                protocol,
                application,
            } => {
                let application = application.map_or(0, |known| known as usize + 1);
                usize::from(protocol) + 2 * application + usize::from(ipv6)
            }
            Kind::NotIp(id) => id.into(),
            Kind::Malformed(reason) => reason.into(),
        };
        kind + 21 * self.direction as usize
    }

    pub fn of_malformed(direction: Direction, reason: Reason) -> Self {
        Class {
            direction,
            kind: Kind::Malformed(reason as u8),
        }
    }

    pub fn network(&self) -> Cow<'static, str> {
        match self.kind {
            Kind::Ip { ipv6: false, .. } => "ipv4".into(),
            Kind::Ip { ipv6: true, .. } => "ipv6".into(),
            Kind::NotIp(id) => network_name(id),
            Kind::Malformed(_) => "other".into(),
        }
    }

    pub fn transport(&self) -> Cow<'static, str> {
        match self.kind {
            Kind::Ip { protocol, .. } => transport_name(protocol),
            Kind::NotIp(_) => "non-ip".into(),
            Kind::Malformed(_) => "other".into(),
        }
    }

    /// The deepest protocol that has a name: the application's, else the transport's or the network's.
    pub fn application(&self) -> Cow<'static, str> {
        match self.kind {
            Kind::Ip {
                application: Some(name),
                ..
            } => name.name().into(),
            Kind::Ip {
                application: None, ..
            }
            | Kind::Malformed(_) => self.transport(),
            Kind::NotIp(_) => self.network(),
        }
    }
}

/// Application protocol of a flow, by its ports.
pub fn application(key: &FlowKey) -> Option<Application> {
    if !key.has_ports() {
        return None;
    }
    classify::by_port(key.protocol(), key.src_port(), key.dst_port())
}

pub fn transport_name(protocol: u8) -> Cow<'static, str> {
    match protocol::transport_name(protocol) {
        Some(name) => name.into(),
        None => format!("ip-proto-{protocol}").into(),
    }
}

fn network_name(id: u16) -> Cow<'static, str> {
    match protocol::network_name(id) {
        Some(name) => name.into(),
        None => format!("ethertype-0x{id:04x}").into(),
    }
}

pub type ClassId = u32;

/// The classes that have occurred, numbered in the order of their first packet.
#[derive(Clone, Debug)]
pub struct Classes {
    ids: HashMap<Class, ClassId, foldhash::fast::RandomState>,
    list: Vec<Class>,
    /// Asked for last, of those that [`Class::mix`] says the same of.
    recent: [ClassId; RECENT],
}

/// As many as flows of different classes come in turns.
const RECENT: usize = 64;

impl Default for Classes {
    fn default() -> Self {
        Classes {
            ids: HashMap::default(),
            list: Vec::new(),
            recent: [0; RECENT],
        }
    }
}

impl Classes {
    pub fn id(&mut self, class: Class) -> ClassId {
        let recent = class.mix() % RECENT;
        let id = self.recent[recent];
        if self.get(id) == Some(&class) {
            return id;
        }
        let id = self.look_up(class);
        self.recent[recent] = id;
        id
    }

    #[cold]
    fn look_up(&mut self, class: Class) -> ClassId {
        *self.ids.entry(class).or_insert_with(|| {
            self.list.push(class);
            (self.list.len() - 1) as ClassId
        })
    }

    pub fn get(&self, id: ClassId) -> Option<&Class> {
        self.list.get(id as usize)
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Class> {
        self.list.iter()
    }
}
