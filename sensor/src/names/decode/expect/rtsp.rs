//! RTSP: SETUP and its answer agree on the ports of one stream.

use std::net::IpAddr;

use sensor_common::application::Application;

use super::{Out, addr, lines, number};
use crate::names::Sample;

pub(super) fn announced(sample: &Sample<'_>, out: &mut Out<'_>) {
    let (from, to) = (sample.key.src_addr(), sample.key.dst_addr());
    let answer = sample.payload.starts_with(b"RTSP/");
    let (client, server) = if answer { (to, from) } else { (from, to) };
    for line in lines(sample) {
        let Some((name, value)) = line.split_first_chunk::<10>() else {
            continue;
        };
        if name.eq_ignore_ascii_case(b"transport:") {
            // A client may offer several.
            for transport in value.split(|byte| *byte == b',') {
                Transport::of(transport, client, server).send(out);
            }
        }
    }
}

/// `RTP/AVP;unicast;client_port=4588-4589;server_port=6256-6257`
struct Transport {
    rtp: bool,
    client: IpAddr,
    server: IpAddr,
    to_client: Option<Pair>,
    to_server: Option<Pair>,
    /// Of a multicast group, which stands in the client's place.
    to_group: Option<Pair>,
    group: bool,
}

impl Transport {
    fn of(value: &[u8], client: IpAddr, server: IpAddr) -> Self {
        let mut parts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let mut this = Transport {
            rtp: parts.next().is_some_and(is_rtp_over_udp),
            client,
            server,
            to_client: None,
            to_server: None,
            to_group: None,
            group: false,
        };
        for part in parts {
            let Some(equals) = part.iter().position(|byte| *byte == b'=') else {
                continue;
            };
            let value = &part[equals + 1..];
            match &part[..equals] {
                b"client_port" => this.to_client = Pair::of(value),
                b"server_port" => this.to_server = Pair::of(value),
                b"port" => this.to_group = Pair::of(value),
                b"source" => this.server = addr(value).unwrap_or(this.server),
                b"destination" => {
                    if let Some(destination) = addr(value) {
                        this.group = destination.is_multicast();
                        this.client = destination;
                    }
                }
                _ => {}
            }
        }
        this
    }

    fn send(&self, out: &mut Out<'_>) {
        if !self.rtp {
            return;
        }
        let group = self.to_group.filter(|_| self.group);
        let client = self.to_client.or(group);
        for (to, pair) in [(self.client, client), (self.server, self.to_server)] {
            let Some(pair) = pair else { continue };
            out.send(Application::Rtp, to, pair.first);
            if pair.second != pair.first {
                out.send(Application::Rtcp, to, pair.second);
            }
        }
    }
}

/// Without a lower transport UDP is meant; TCP is this very connection.
fn is_rtp_over_udp(profile: &[u8]) -> bool {
    let mut parts = profile.split(|byte| *byte == b'/');
    let rtp = parts.next() == Some(b"RTP") && parts.next().is_some();
    rtp && matches!(parts.next(), None | Some(b"UDP"))
}

/// `4588-4589`, or `4588` alone.
#[derive(Clone, Copy)]
struct Pair {
    first: u16,
    second: u16,
}

impl Pair {
    fn of(value: &[u8]) -> Option<Self> {
        let mut parts = value.split(|byte| *byte == b'-');
        let first: u16 = number(parts.next()?)?;
        let second = match parts.next() {
            Some(second) => number(second)?,
            None => first.checked_add(1)?,
        };
        Some(Pair { first, second })
    }
}
