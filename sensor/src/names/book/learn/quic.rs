//! Handshakes of QUIC, which come in several datagrams.

use std::sync::Arc;

use sensor_common::flow::FlowKey;

use super::super::ends::{Ends, goes_up, turned};
use super::super::{Book, refine};
use super::Open;
use crate::names::decode::quic::{Initials, long_header};
use crate::names::decode::tls::{self, ClientHello, Hello, Transport};
use crate::names::{Label, Sample};

/// Datagrams of the client, or of anybody while nothing could be decrypted, that are waited for.
const PATIENCE: u8 = 4;

#[derive(Clone, Debug, Default)]
pub(super) struct Quic {
    initials: Initials,
    /// The client's way, once something of it could be decrypted.
    client_goes_up: Option<bool>,
    datagrams: u8,
}

impl Book {
    /// `None` while the rest of the ClientHello may come.
    pub(super) fn quic(
        &mut self,
        ends: Ends,
        sample: &Sample<'_>,
        open: &mut Open,
    ) -> Option<Label> {
        let mut quic = open
            .quic
            .take()
            .map(Arc::unwrap_or_clone)
            .unwrap_or_default();
        quic.add(sample);
        let complete = quic.hello().is_some_and(|hello| hello.complete);
        let closed = long_header(sample.payload).is_some_and(|header| is_google(header.version));
        if complete || closed || quic.datagrams >= PATIENCE || sample.last {
            return Some(self.quic_as_far(ends, &sample.key, &quic));
        }
        open.pending = Some(refine::quic(&ports(&sample.key), &[]));
        open.quic = Some(Arc::new(quic));
        None
    }

    /// What is known of it when no more is waited for. `key`: either way of the flow.
    pub(super) fn quic_as_far(&mut self, ends: Ends, key: &FlowKey, quic: &Quic) -> Label {
        let Some(hello) = quic.hello() else {
            return refine::quic(&ports(key), &[]);
        };
        let from_client = quic.client_goes_up == Some(goes_up(key));
        let key = if from_client { *key } else { turned(key) };
        self.client_hello(ends, &key, &hello);
        refine::quic(&[key.dst_port()], &hello.alpn)
    }
}

impl Quic {
    fn add(&mut self, sample: &Sample<'_>) {
        let up = goes_up(&sample.key);
        if self.client_goes_up == Some(!up) {
            return;
        }
        if self.initials.add(sample.payload) {
            self.client_goes_up = Some(up);
        }
        self.datagrams = self.datagrams.saturating_add(1);
    }

    fn hello(&self) -> Option<ClientHello> {
        match tls::handshake(self.initials.crypto(), Transport::Quic) {
            Some(Hello::Client(hello)) => Some(hello),
            _ => None,
        }
    }
}

/// Versions of Google's own, whose handshake is none of TLS: `Q046`.
fn is_google(version: u32) -> bool {
    matches!(version.to_be_bytes(), [b'Q', b'0', _, _])
}

fn ports(key: &FlowKey) -> [u16; 2] {
    [key.src_port(), key.dst_port()]
}
