//! Names and handshakes as a report says them, made from what the payloads told the [`Book`].

use std::borrow::Cow;
use std::net::IpAddr;

use schemars::JsonSchema;
use sensor_common::flow::FlowKey;
use serde::{Deserialize, Serialize};

use crate::counters::Delta;
use crate::names::{self, Book, FlowInfo};

/// A name, and where it comes from. Any character may be in it: escape it wherever it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Name {
    pub name: String,
    /// `sni`, `http`, `dns`, `mdns`, `llmnr`, `netbios`, `dhcp` or `reverse-dns`.
    pub source: Cow<'static, str>,
}

/// What was seen of a TLS or QUIC handshake.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Tls {
    /// The server's choice where its answer was seen, else the highest that the client offers.
    pub version: Option<String>,
    /// All that the client offers, in its order.
    pub alpn: Vec<String>,
    /// Fingerprint of the client.
    pub ja4: Option<String>,
}

/// What was seen of a flow's first request and first answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Http {
    pub method: Option<String>,
    pub host: Option<String>,
    pub status: Option<u16>,
    pub user_agent: Option<String>,
}

/// Where an address is registered, as far as the databases that were given say so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Place {
    /// Two letters, ISO 3166-1.
    pub country: Option<String>,
    pub country_name: Option<String>,
    pub city: Option<String>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    pub as_org: Option<String>,
}

/// How far names could be looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Naming {
    /// False: payloads were not looked at, ports alone gave labels.
    pub enabled: bool,
    /// Payloads that were looked at, since counting began.
    pub payloads: u64,
    /// Payloads that the kernel had no room to hand over: what is unnamed because of that.
    pub lost: u64,
    pub put_out: PutOut,
}

/// What the full caches forgot, since counting began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PutOut {
    pub flows: u64,
    pub names: u64,
    pub answers: u64,
}

impl From<&names::Name> for Name {
    fn from(name: &names::Name) -> Self {
        Name {
            name: name.text.to_string(),
            source: name.source.name().into(),
        }
    }
}

/// What the rows of a report are told of a flow.
pub(super) struct Told {
    pub(super) names: Vec<Name>,
    pub(super) tls: Option<Tls>,
    pub(super) http: Option<Http>,
}

pub(crate) fn of_address(book: Option<&Book>, addr: IpAddr) -> Vec<Name> {
    let known = book.map_or(&[][..], |book| book.of_address(addr));
    known.iter().map(Name::from).collect()
}

pub(super) fn of_flow(book: Option<&Book>, key: &FlowKey) -> Told {
    let info = book.and_then(|book| book.flow(key));
    let nothing = Told {
        names: Vec::new(),
        tls: None,
        http: None,
    };
    info.map_or(nothing, |info| told(info))
}

fn told(info: &FlowInfo) -> Told {
    Told {
        names: info.names.iter().map(Name::from).collect(),
        tls: info.tls.as_deref().map(|tls| Tls {
            version: tls.version.clone(),
            alpn: tls.alpn.clone(),
            ja4: tls.ja4.clone(),
        }),
        http: info.http.as_deref().map(|http| Http {
            method: http.method.clone(),
            host: http.host.clone(),
            status: http.status,
            user_agent: http.user_agent.clone(),
        }),
    }
}

impl Naming {
    pub fn of(delta: &Delta) -> Self {
        let book = delta.book();
        let put_out = book.map(Book::put_out).unwrap_or_default();
        Naming {
            enabled: book.is_some(),
            payloads: book.map_or(0, Book::samples),
            lost: delta.samples_lost(),
            put_out: PutOut {
                flows: put_out.flows,
                names: put_out.names,
                answers: put_out.answers,
            },
        }
    }

    /// What people must be told.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.lost > 0 {
            notes.push(format!(
                "payloads that could not be handed over: {}; their flows may be unnamed because of that, their counts \
                 are exact",
                self.lost
            ));
        }
        let PutOut {
            flows,
            names,
            answers,
        } = self.put_out;
        if self.put_out != PutOut::default() {
            notes.push(format!(
                "names that were forgotten for want of room: of {flows} flows, {names} of addresses, {answers} DNS \
                 answers (--max-names makes room)"
            ));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::names::NameSource;

    #[test]
    fn what_payloads_said_is_told_as_it_is() {
        let told = told(&FlowInfo {
            names: vec![names::Name {
                text: "api.example.com".into(),
                source: NameSource::Sni,
            }],
            tls: Some(Arc::new(names::Tls {
                version: Some("1.3".into()),
                alpn: vec!["h2".into()],
                ja4: None,
            })),
            http: Some(Arc::new(names::Http {
                method: Some("GET".into()),
                status: Some(204),
                ..names::Http::default()
            })),
        });
        assert_eq!(
            json(&told.names),
            r#"[{"name":"api.example.com","source":"sni"}]"#
        );
        assert_eq!(
            json(&told.tls),
            r#"{"version":"1.3","alpn":["h2"],"ja4":null}"#
        );
        assert_eq!(
            json(&told.http),
            r#"{"method":"GET","host":null,"status":204,"user_agent":null}"#
        );
    }

    #[test]
    fn a_loss_and_a_lack_of_room_are_noted() {
        let mut naming = Naming::default();
        assert!(naming.notes().is_empty());
        naming.lost = 7;
        naming.put_out.answers = 3;
        let notes = naming.notes().join("\n");
        assert!(notes.contains("handed over: 7;"), "{notes}");
        assert!(notes.contains("3 DNS answers (--max-names"), "{notes}");
    }

    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }
}
