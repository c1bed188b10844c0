//! SDP: the body that says where sound and picture are to be sent.

use std::net::IpAddr;

use sensor_common::application::Application;

use super::{Out, addr, lines, number};
use crate::names::Sample;

/// The ports in one `m=` line: `m=audio 49170/2 ...` has two pairs.
const MOST_PAIRS: u16 = 4;

pub(super) fn announced(sample: &Sample<'_>, out: &mut Out<'_>) {
    let mut session = None;
    let mut medium: Option<Medium> = None;
    // Whatever stands before is the head of the message around it.
    for line in lines(sample).skip_while(|line| *line != b"v=0") {
        let Some((&[field, b'='], value)) = line.split_first_chunk::<2>() else {
            continue;
        };
        match (field, &mut medium) {
            (b'v' | b'm', _) => {
                finish(medium.take(), out);
                if field == b'v' {
                    session = None;
                } else {
                    medium = Medium::of(value, session);
                }
            }
            (b'c', Some(medium)) => medium.addr = connection(value),
            (b'c', None) => session = connection(value),
            (b'a', Some(medium)) => medium.attribute(value),
            _ => {}
        }
    }
    finish(medium, out);
}

fn finish(medium: Option<Medium>, out: &mut Out<'_>) {
    if let Some(medium) = medium {
        medium.send(out);
    }
}

struct Medium {
    /// Sound or picture by RTP.
    rtp: bool,
    addr: Option<IpAddr>,
    port: u16,
    pairs: u16,
    /// Where the port of RTCP is not the next one.
    control: Option<(Option<IpAddr>, u16)>,
}

impl Medium {
    /// `audio 49170/2 RTP/AVP 0 8`. Media that aren't RTP are kept too, for the lines that belong to them.
    fn of(value: &[u8], session: Option<IpAddr>) -> Option<Self> {
        let mut words = value.split(|byte| *byte == b' ');
        let kind = words.next()?;
        let mut ports = words.next()?.split(|byte| *byte == b'/');
        let profile = words.next()?;
        let rtp = profile.starts_with(b"RTP/") || profile.starts_with(b"UDP/TLS/RTP/");
        Some(Medium {
            rtp: rtp && matches!(kind, b"audio" | b"video"),
            addr: session,
            port: number(ports.next()?).unwrap_or(0),
            pairs: ports.next().and_then(number).unwrap_or(1),
            control: None,
        })
    }

    /// `rtcp:port`, `rtcp:port IN IP4 addr` (RFC 3605).
    fn attribute(&mut self, value: &[u8]) {
        let Some(value) = value.strip_prefix(b"rtcp:") else {
            return;
        };
        let (port, rest) = match value.iter().position(|byte| *byte == b' ') {
            Some(space) => (&value[..space], &value[space + 1..]),
            None => (value, &[][..]),
        };
        if let Some(port) = number(port) {
            self.control = Some((connection(rest), port));
        }
    }

    fn send(&self, out: &mut Out<'_>) {
        let Some(addr) = self.addr.filter(|_| self.rtp && self.port > 0) else {
            return;
        };
        for pair in 0..self.pairs.min(MOST_PAIRS) {
            let Some(port) = self.port.checked_add(2 * pair) else {
                return;
            };
            out.send(Application::Rtp, addr, port);
            let (to, control) = match self.control {
                Some((to, control)) if pair == 0 => (to.unwrap_or(addr), control),
                _ => (addr, port.saturating_add(1)),
            };
            // The same port for both (RFC 5761): RTP's label stands.
            if (to, control) != (addr, port) {
                out.send(Application::Rtcp, to, control);
            }
        }
    }
}

/// `IN IP4 224.2.1.1/127`.
fn connection(value: &[u8]) -> Option<IpAddr> {
    let mut words = value.split(|byte| *byte == b' ');
    let network = (words.next()?, words.next()?);
    let to = words.next()?.split(|byte| *byte == b'/').next()?;
    let to = addr(to)?;
    let right = match network {
        (b"IN", b"IP4") => to.is_ipv4(),
        (b"IN", b"IP6") => to.is_ipv6(),
        _ => false,
    };
    right.then_some(to)
}
