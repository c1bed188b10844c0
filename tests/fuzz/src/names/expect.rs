//! What control channels announce.

use sensor::names::Sample;
use sensor::names::decode::expect::{Expected, announced};
use sensor_common::application::Application;
use sensor_common::protocol::ip;

use super::cuts;
use super::talk::{HOSTS, key};
use crate::cost::bounded;

const MOST: usize = 16;

/// Panics if the decoders do not do with these bytes what they promise.
pub fn check(bytes: &[u8]) {
    for application in [
        Application::Ftp,
        Application::Sip,
        Application::Rtsp,
        Application::Smtp,
    ] {
        for (protocol, hosts) in [(ip::TCP, HOSTS[0]), (ip::UDP, HOSTS[1])] {
            let sample = Sample {
                key: key(hosts, protocol, [5060, 5060]),
                at: None,
                payload: bytes,
                payload_len: bytes.len() as u32,
                tcp_seq: None,
                number: 0,
                last: false,
            };
            let all = told(&sample, application);
            assert!(application != Application::Smtp || all.is_empty());
            if application == Application::Ftp && protocol == ip::TCP {
                lines_stand_alone(&sample, &all);
            }
        }
    }
}

fn told(sample: &Sample<'_>, application: Application) -> Vec<Expected> {
    let mut all = Vec::with_capacity(MOST + 1);
    bounded(sample.payload.len(), 0, || {
        announced(sample, application, &mut |one| {
            assert!(all.len() < MOST, "{one:?}");
            all.push(one);
        });
    });
    let mut again = Vec::new();
    announced(sample, application, &mut |one| again.push(one));
    assert_eq!(all, again);
    for one in &all {
        let right = match one.application {
            Application::FtpData => application == Application::Ftp && one.protocol == ip::TCP,
            Application::Rtp | Application::Rtcp => one.protocol == ip::UDP,
            _ => false,
        };
        assert!(
            right && one.port != 0 && !one.addr.is_unspecified(),
            "{one:?}"
        );
    }
    all
}

/// FTP's lines have nothing to do with each other: where the last one is cut off, the others say what they say.
fn lines_stand_alone(sample: &Sample<'_>, all: &[Expected]) {
    for payload in cuts(sample.payload) {
        let part = told(&Sample { payload, ..*sample }, Application::Ftp);
        assert!(all.starts_with(&part), "{part:?}\n{all:?}");
    }
}
