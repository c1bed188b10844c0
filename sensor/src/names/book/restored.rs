//! A book that is filled from what was written down of another one.

use std::net::IpAddr;
use std::sync::Arc;

use sensor_common::flow::FlowKey;

use super::{Book, Ends, PutOut};
use crate::names::{FlowInfo, Name};

impl Book {
    /// What is known of the flow, instead of what was known before.
    pub fn restore_flow(&mut self, key: &FlowKey, info: Arc<FlowInfo>) {
        self.conversations.restore(Ends::of(key), info);
    }

    /// The names of an address, in this order, instead of those before.
    pub fn restore_address(&mut self, addr: IpAddr, names: Vec<Name>) {
        self.addresses.restore(addr, names);
    }

    /// Payloads that somebody else looked at.
    pub fn restore_samples(&mut self, payloads: u64) {
        self.samples += payloads;
    }

    /// What the other ones forgot.
    pub fn restore_put_out(&mut self, put_out: PutOut) {
        self.conversations.put_out += put_out.flows;
        self.addresses.put_out += put_out.names;
        self.answers.put_out += put_out.answers;
    }
}
