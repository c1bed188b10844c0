//! Handshakes of TLS and DTLS.

use sensor_common::application::Application;
use sensor_common::flow::FlowKey;

use super::super::ends::Ends;
use super::super::{Book, refine};
use super::Open;
use super::segments::Segments;
use crate::names::decode::tls::{self, ClientHello, Hello, ServerHello};
use crate::names::{Label, NameSource, Sample, Verdict};

impl Book {
    /// TLS over TCP. `None` while the rest of a ClientHello is to come.
    pub(super) fn tls(
        &mut self,
        ends: Ends,
        sample: &Sample<'_>,
        open: &mut Open,
    ) -> Option<Label> {
        let mut begun = open.hello.take();
        let mut can_go_on = true;
        if let Some(segments) = &mut begun {
            if segments.is_of(sample) {
                can_go_on = segments.add(sample) && segments.may_grow();
            } else {
                // The server has answered: the rest was sent, but not seen.
                self.cut_hello(ends, &sample.key, segments);
                begun = None;
            }
        }
        // What is only half there is read once, when the rest has come or won't.
        if begun.is_some() && can_go_on && !sample.last {
            let more = begun.take_if(|begun| tls::is_begun(&begun.bytes));
            if more.is_some() {
                open.hello = more;
                return None;
            }
        }
        let bytes = begun.as_ref().map_or(sample.payload, |begun| &begun.bytes);
        match tls::records(bytes) {
            Some(Hello::Client(hello)) => {
                if !hello.complete && can_go_on && !sample.last {
                    open.hello = begun.or_else(|| Segments::start(sample));
                }
                if open.hello.is_some() {
                    open.pending = Some(refine::tls(&[sample.key.dst_port()], &hello.alpn));
                    return None;
                }
                self.client_hello(ends, &sample.key, &hello);
                Some(refine::tls(&[sample.key.dst_port()], &hello.alpn))
            }
            Some(Hello::Server(hello)) => {
                self.server_hello(ends, &hello);
                Some(refine::tls(
                    &[sample.key.src_port()],
                    &self.alpn(&ends, &hello),
                ))
            }
            Some(Hello::Other) | None => {
                let ports = [sample.key.src_port(), sample.key.dst_port()];
                Some(refine::tls(
                    &ports,
                    &self.alpn(&ends, &ServerHello::default()),
                ))
            }
        }
    }

    /// What the beginning of a ClientHello says, when the rest won't come. `key`: either way of its flow.
    pub(super) fn cut_hello(
        &mut self,
        ends: Ends,
        key: &FlowKey,
        segments: &Segments,
    ) -> Option<Label> {
        let Some(Hello::Client(hello)) = tls::records(&segments.bytes) else {
            return None;
        };
        let key = segments.way_of(key);
        self.client_hello(ends, &key, &hello);
        Some(refine::tls(&[key.dst_port()], &hello.alpn))
    }

    pub(super) fn dtls(&mut self, ends: Ends, sample: &Sample<'_>) -> Label {
        match tls::datagram(sample.payload) {
            Some(Hello::Client(hello)) => self.client_hello(ends, &sample.key, &hello),
            Some(Hello::Server(hello)) => self.server_hello(ends, &hello),
            Some(Hello::Other) | None => {}
        }
        refine::dtls(&[sample.key.src_port(), sample.key.dst_port()])
    }

    /// Notes what it says of the flow, and of the server that it is sent to.
    pub(super) fn client_hello(&mut self, ends: Ends, key: &FlowKey, hello: &ClientHello) {
        let known = self.conversations.tls(ends);
        if known.version.is_none() {
            known.version = tls::version_name(hello.version).map(String::from);
        }
        if known.alpn.is_empty() {
            known.alpn.clone_from(&hello.alpn);
        }
        if known.ja4.is_none() {
            known.ja4.clone_from(&hello.ja4);
        }
        let Some(name) = &hello.sni else {
            return;
        };
        self.conversations.name(ends, name, NameSource::Sni);
        if !self.is_proxied(&ends) {
            self.addresses.name(key.dst_addr(), name, NameSource::Sni);
        }
    }

    fn server_hello(&mut self, ends: Ends, hello: &ServerHello) {
        if let Some(version) = tls::version_name(hello.version) {
            self.conversations.tls(ends).version = Some(version.into());
        }
    }

    /// What the server chose, or else what the client offers.
    fn alpn(&self, ends: &Ends, hello: &ServerHello) -> Vec<String> {
        if let Some(chosen) = &hello.alpn {
            return vec![chosen.clone()];
        }
        let known = self.conversations.info(ends);
        let tls = known.and_then(|info| info.tls.as_ref());
        tls.map_or(Vec::new(), |tls| tls.alpn.clone())
    }

    /// The address that the client talks to is not the server's own.
    fn is_proxied(&self, ends: &Ends) -> bool {
        use Application::{HttpProxy, Socks};
        let verdict = self.conversations.verdict(ends);
        matches!(verdict, Verdict::Decided(Some(label)) if matches!(label.application, HttpProxy | Socks))
    }
}
