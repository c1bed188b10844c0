//! What is known of a flow beside its label, in three columns: the surest name, where it is from, and the rest as JSON.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::names::{FlowInfo, Http, Name, NameSource, Tls};

#[derive(Default)]
pub(super) struct Told<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) source: Option<&'static str>,
    pub(super) details: Option<String>,
}

/// The JSON in `details`; what is not known is left out.
#[derive(Serialize, Deserialize)]
struct Details<'a> {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    names: Vec<OtherName<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tls: Option<TlsDetails<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    http: Option<HttpDetails<'a>>,
}

#[derive(Serialize, Deserialize)]
struct OtherName<'a> {
    name: Cow<'a, str>,
    source: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct TlsDetails<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    alpn: Vec<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ja4: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct HttpDetails<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_agent: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

pub(super) fn split(info: Option<&FlowInfo>) -> Told<'_> {
    let Some(FlowInfo { names, tls, http }) = info else {
        return Told::default();
    };
    let (first, rest) = match names.split_first() {
        Some((first, rest)) => (Some(first), rest),
        None => (None, &[][..]),
    };
    let more = !rest.is_empty() || tls.is_some() || http.is_some();
    let details = Details {
        names: rest
            .iter()
            .map(|name| OtherName {
                name: name.text.as_ref().into(),
                source: name.source.name().into(),
            })
            .collect(),
        tls: tls.as_deref().map(|tls| TlsDetails {
            version: text(&tls.version),
            alpn: tls.alpn.iter().map(|one| one.as_str().into()).collect(),
            ja4: text(&tls.ja4),
        }),
        http: http.as_deref().map(|http| HttpDetails {
            method: text(&http.method),
            host: text(&http.host),
            user_agent: text(&http.user_agent),
            status: http.status,
        }),
    };
    Told {
        name: first.map(|name| &*name.text),
        source: first.map(|name| name.source.name()),
        details: more.then(|| serde_json::to_string(&details).ok()).flatten(),
    }
}

/// The other way of [`split`]; what we don't understand is left out.
pub(super) fn join(
    name: Option<&str>,
    source: Option<&str>,
    details: Option<&str>,
) -> Option<FlowInfo> {
    let mut info = FlowInfo::default();
    info.names.extend(self::name(name, source));
    let details = details.and_then(|json| serde_json::from_str::<Details<'_>>(json).ok());
    if let Some(details) = details {
        let rest = details.names.iter();
        info.names
            .extend(rest.filter_map(|one| self::name(Some(&one.name), Some(&one.source))));
        info.tls = details.tls.map(|tls| {
            Arc::new(Tls {
                version: tls.version.map(Cow::into_owned),
                alpn: tls.alpn.into_iter().map(Cow::into_owned).collect(),
                ja4: tls.ja4.map(Cow::into_owned),
            })
        });
        info.http = details.http.map(|http| {
            Arc::new(Http {
                method: http.method.map(Cow::into_owned),
                host: http.host.map(Cow::into_owned),
                user_agent: http.user_agent.map(Cow::into_owned),
                status: http.status,
            })
        });
    }
    (info != FlowInfo::default()).then_some(info)
}

pub(super) fn name(text: Option<&str>, source: Option<&str>) -> Option<Name> {
    let source = source?;
    let source = SOURCES.into_iter().find(|one| one.name() == source)?;
    Some(Name {
        text: text?.into(),
        source,
    })
}

const SOURCES: [NameSource; 8] = [
    NameSource::Sni,
    NameSource::Http,
    NameSource::Dns,
    NameSource::Mdns,
    NameSource::Llmnr,
    NameSource::Netbios,
    NameSource::Dhcp,
    NameSource::ReverseDns,
];

fn text(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(Cow::Borrowed)
}
