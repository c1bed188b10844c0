//! Payloads made here, payloads that only look alike, and those of real captures.

mod corpus;
mod guards;
mod messages;

use sensor_common::application::Application;
use sensor_common::flow::FlowKey;
use sensor_common::protocol::ip;

use super::{Hints, identify};
use crate::names::Sample;

/// Both ways of one conversation, client first.
struct Talk {
    protocol: u8,
    client: u16,
    server: u16,
    hints: Hints,
    numbers: [u8; 2],
}

impl Talk {
    fn tcp(server: u16) -> Self {
        Self::new(ip::TCP, 50123, server)
    }

    fn udp(server: u16) -> Self {
        Self::new(ip::UDP, 50123, server)
    }

    fn new(protocol: u8, client: u16, server: u16) -> Self {
        Talk {
            protocol,
            client,
            server,
            hints: Hints::default(),
            numbers: [0; 2],
        }
    }

    fn ask(&mut self, payload: &[u8]) -> Option<Application> {
        self.say(false, payload)
    }

    fn answer(&mut self, payload: &[u8]) -> Option<Application> {
        self.say(true, payload)
    }

    fn say(&mut self, answers: bool, payload: &[u8]) -> Option<Application> {
        let number = &mut self.numbers[usize::from(answers)];
        let (src, dst) = (self.client, self.server);
        let key = if answers {
            key(self.protocol, 2, 1, dst, src)
        } else {
            key(self.protocol, 1, 2, src, dst)
        };
        let sample = Sample {
            key,
            at: None,
            payload,
            payload_len: payload.len() as u32,
            tcp_seq: None,
            number: *number,
            last: false,
        };
        *number += 1;
        identify(&sample, &mut self.hints)
    }
}

fn key(protocol: u8, from: u32, to: u32, src: u16, dst: u16) -> FlowKey {
    let mut key = FlowKey::ipv4(from, to, protocol);
    let ([a, b], [c, d]) = (src.to_be_bytes(), dst.to_be_bytes());
    key.set_ports(u32::from_ne_bytes([a, b, c, d]));
    key
}

fn bytes(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}
