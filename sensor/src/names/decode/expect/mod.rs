//! What one flow announces of another: FTP's PASV, EPSV, PORT and EPRT (RFC 959, 2428), SDP's media (RFC 8866) in SIP and
//! RTSP's transports (RFC 2326).

mod ftp;
mod rtsp;
mod sdp;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use sensor_common::application::Application;
use sensor_common::protocol::ip;

use crate::names::Sample;

/// A flow that is to come to this address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub application: Application,
    pub protocol: u8,
    pub addr: IpAddr,
    pub port: u16,
}

/// From one payload, not more are taken.
const MOST: usize = 16;
/// Of one payload, not more are looked at.
const MOST_LINES: usize = 256;
const LONGEST_LINE: usize = 1024;

/// Hands every announcement in the payload of a control channel to `each`, at most 16 of them. `application`: the label of
/// the control channel's flow.
pub fn announced(sample: &Sample<'_>, application: Application, each: &mut dyn FnMut(Expected)) {
    let mut out = Out { each, left: MOST };
    match application {
        Application::Ftp => ftp::announced(sample, &mut out),
        Application::Sip => sdp::announced(sample, &mut out),
        Application::Rtsp => {
            sdp::announced(sample, &mut out);
            rtsp::announced(sample, &mut out);
        }
        _ => {}
    }
}

/// Where announcements go, as many as may.
struct Out<'a> {
    each: &'a mut dyn FnMut(Expected),
    left: usize,
}

impl Out<'_> {
    /// Nobody can come to no address or to port 0: that is how the end of a medium is written.
    fn send(&mut self, application: Application, addr: IpAddr, port: u16) {
        if self.left == 0 || port == 0 || addr.is_unspecified() {
            return;
        }
        self.left -= 1;
        let protocol = match application {
            Application::FtpData => ip::TCP,
            _ => ip::UDP,
        };
        (self.each)(Expected {
            application,
            protocol,
            addr,
            port,
        });
    }
}

/// The payload's lines. The last one counts only if it has its end, or if it ends with a whole datagram: half a number is
/// another number.
fn lines<'a>(sample: &Sample<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let whole = sample.key.protocol() == ip::UDP
        && sample.payload.len() >= usize::try_from(sample.payload_len).unwrap_or(usize::MAX);
    let lines = sample.payload.split_inclusive(|byte| *byte == b'\n');
    lines
        .take(MOST_LINES)
        .filter(move |line| whole || line.ends_with(b"\n"))
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| line.len() <= LONGEST_LINE)
}

/// A number in decimal and nothing else.
fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| text(digits)?.parse().ok())?
}

fn addr(digits: &[u8]) -> Option<IpAddr> {
    text(digits)?.parse().ok()
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
