//! What one flow announces of another: FTP's PASV, EPSV, PORT and EPRT (RFC 959, 2428), SDP's media (RFC 8866) in SIP and
//! RTSP's transports (RFC 2326).

use std::net::IpAddr;

use sensor_common::application::Application;

use crate::names::Sample;

/// A flow that is to come to this address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub application: Application,
    pub protocol: u8,
    pub addr: IpAddr,
    pub port: u16,
}

/// Hands every announcement in the payload of a control channel to `each`, at most 16 of them. `application`: the label of
/// the control channel's flow.
pub fn announced(sample: &Sample<'_>, application: Application, each: &mut dyn FnMut(Expected)) {
    let _ = (sample, application, each);
}
