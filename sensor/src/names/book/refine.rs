//! What TLS, DTLS and QUIC carry, by what their handshake says and by the port that they are on.

use sensor_common::application::Application::{self, *};

use crate::names::{How, Label};

/// TLS over TCP. `ports`: the server's if it is known, else both.
pub(super) fn tls(ports: &[u16], alpn: &[String]) -> Label {
    let by_alpn = only_one(alpn, |name| {
        Some(match name {
            "h2" | "http/1.1" | "http/1.0" => Https,
            "dot" => Dot,
            "imap" => Imaps,
            "pop3" => Pop3s,
            "mqtt" => Mqtts,
            "ftp" => Ftps,
            "sip/2" => Sips,
            _ => return None,
        })
    });
    let by_port = ports.iter().find_map(|port| {
        Some(match port {
            443 | 8443 => Https,
            465 => Smtps,
            636 | 3269 => Ldaps,
            853 => Dot,
            989 => FtpsData,
            990 => Ftps,
            993 => Imaps,
            995 => Pop3s,
            5061 => Sips,
            8883 => Mqtts,
            _ => return None,
        })
    });
    // What the client offers and the port's protocol never was: the port is used for something else.
    let foreign = !alpn.is_empty() && !alpn.iter().any(|name| is_usual(name));
    label(by_alpn, by_port.filter(|_| !foreign), Tls)
}

/// Protocols that are offered on the ports of TLS by habit, and what is not understood (GREASE).
fn is_usual(name: &str) -> bool {
    let usual = [
        "h2", "http/", "spdy/", "grpc", "dot", "imap", "pop3", "mqtt", "ftp", "sip", "smtp",
    ];
    usual.iter().any(|start| name.starts_with(start))
        || !name.bytes().all(|byte| byte.is_ascii_graphic())
}

pub(super) fn dtls(ports: &[u16]) -> Label {
    label(None, ports.contains(&5684).then_some(Coaps), Dtls)
}

pub(super) fn quic(ports: &[u16], alpn: &[String]) -> Label {
    let by_alpn = only_one(alpn, |name| match name {
        "doq" => Some(Doq),
        _ if name == "h3" || name.starts_with("h3-") => Some(Http3),
        _ => None,
    });
    label(by_alpn, ports.contains(&853).then_some(Doq), Quic)
}

/// Whether the application is one that [`tls`] gives.
pub(super) fn is_tls(application: Application) -> bool {
    matches!(
        application,
        Tls | Https | Dot | Doh | Smtps | Ldaps | FtpsData | Ftps | Imaps | Pop3s | Sips | Mqtts
    )
}

/// The port together with the bytes is as good as it gets; ALPN tells where it knows more.
fn label(by_alpn: Option<Application>, by_port: Option<Application>, else_: Application) -> Label {
    let (application, how) = match (by_alpn, by_port) {
        (Some(alpn), port) if port != Some(alpn) => (alpn, How::Handshake),
        (_, port) => (port.unwrap_or(else_), How::Payload),
    };
    Label { application, how }
}

/// What the protocols stand for that mean something, if all of these mean the same.
fn only_one(alpn: &[String], meaning: impl Fn(&str) -> Option<Application>) -> Option<Application> {
    let mut found = alpn.iter().filter_map(|name| meaning(name));
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alpn(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| String::from(*name)).collect()
    }

    #[test]
    fn tls_is_called_by_what_it_carries() {
        let what = |ports: &[u16], names: &[&str]| {
            let label = tls(ports, &alpn(names));
            (label.application, label.how)
        };
        assert_eq!(what(&[443], &[]), (Https, How::Payload));
        assert_eq!(what(&[443], &["h2", "http/1.1"]), (Https, How::Payload));
        assert_eq!(what(&[9999], &["h2", "http/1.1"]), (Https, How::Handshake));
        assert_eq!(what(&[443], &["dot"]), (Dot, How::Handshake));
        assert_eq!(what(&[50000, 993], &[]), (Imaps, How::Payload));
        assert_eq!(what(&[9999], &["unheard-of"]), (Tls, How::Payload));
        assert_eq!(what(&[9999], &["h2", "dot"]), (Tls, How::Payload));
        assert_eq!(what(&[443], &["xmpp-client"]), (Tls, How::Payload));
        assert_eq!(what(&[443], &["spdy/3.1"]), (Https, How::Payload));
        assert_eq!(what(&[443], &["\u{a}\u{a}", "h2"]), (Https, How::Payload));
        for (ports, names) in [(&[853][..], &[][..]), (&[1], &["imap"]), (&[8883], &[])] {
            assert!(is_tls(what(ports, names).0));
        }
    }

    #[test]
    fn quic_and_dtls_too() {
        let what = |names: &[&str]| quic(&[443], &alpn(names)).application;
        assert_eq!(what(&["h3"]), Http3);
        assert_eq!(what(&["h3-29", "hq-29"]), Http3);
        assert_eq!(what(&["doq"]), Doq);
        assert_eq!(what(&["h3x"]), Quic);
        assert_eq!(what(&[]), Quic);
        assert_eq!(dtls(&[5684]).application, Coaps);
        assert_eq!(dtls(&[4433]).application, Dtls);
    }
}
