//! Protocols that open with a line of text.

use sensor_common::application::Application::{
    self, Git, Http, Http2, HttpProxy, Irc, Mgcp, Nats, Redis, Rsync, Rtsp, Sip, Ssdp, Ssh, Stomp,
    Svn, Vnc, WsDiscovery, Xmpp, Zabbix,
};

use super::message::{Message, begins, contains, is_word, number};
use crate::names::decode::http::{is_absolute, is_for_proxy, is_method};

/// Dialogues in which a line of HTTP can be nothing but content.
const DIALOGUES: &[u16] = &[21, 25, 110, 119, 143, 465, 587, 2525];

/// The first line of a request: `METHOD target VERSION`.
struct Request<'a> {
    method: &'a [u8],
    target: &'a [u8],
    /// Empty: the line was cut off before.
    version: &'a [u8],
}

fn request<'a>(message: &Message<'a>) -> Option<Request<'a>> {
    let line = message.text_line()?;
    let mut parts = line.split(|byte| *byte == b' ');
    let method = parts.next()?;
    let target = parts.next()?;
    let version = parts.next().unwrap_or_default();
    let upper = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-');
    let sound = (2..=24).contains(&method.len())
        && method.iter().all(upper)
        && !target.is_empty()
        && parts.next().is_none();
    let ended = line.len() < message.bytes.len();
    (sound && !(ended && version.is_empty())).then_some(Request {
        method,
        target,
        version,
    })
}

/// A request line that goes on in the next segment.
fn endless<'a>(message: &Message<'a>) -> Option<Request<'a>> {
    let mut parts = message.bytes.splitn(2, |byte| *byte == b' ');
    let (method, target) = (parts.next()?, parts.next()?);
    let sound = message.bytes.len() >= 512
        && (target.starts_with(b"/") || is_absolute(target))
        && target.iter().copied().all(is_word);
    sound.then_some(Request {
        method,
        target,
        version: &[],
    })
}

/// HTTP/1 (RFC 9112): a whole request line or status line.
pub(super) fn http(message: &Message<'_>) -> Option<Application> {
    if message.on(DIALOGUES) {
        return None;
    }
    if message.starts(b"HTTP/1.") {
        let [digit, blank] = message.get(7)?;
        let (status, _) = number(message.from(9))?;
        let sound = matches!(digit, b'0' | b'1') && blank == b' ' && (100..600).contains(&status);
        return sound.then_some(Http);
    }
    let request = request(message).or_else(|| endless(message))?;
    // A target of megabytes is cut off before the version.
    let version = matches!(request.version, b"HTTP/1.1" | b"HTTP/1.0")
        || (request.version.is_empty() && message.bytes.len() >= 128);
    if !version || !is_method(request.method) {
        return None;
    }
    let absolute = is_absolute(request.target);
    let proxy = is_for_proxy(request.method, request.target, message.dst);
    let target = proxy
        || absolute
        || matches!(request.target.first(), Some(b'/' | b'*'))
        || request.target.contains(&b'/');
    target.then_some(if proxy { HttpProxy } else { Http })
}

/// HTTP/2 (RFC 9113): the client's preface, or the server's SETTINGS.
pub(super) fn http2(message: &Message<'_>) -> Option<Application> {
    if message.starts(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") {
        return Some(Http2);
    }
    let length = message.be24(0)?;
    let sound = message.get::<6>(3)? == [4, 0, 0, 0, 0, 0]
        && (6..=60).contains(&length)
        && length.is_multiple_of(6)
        && length + 9 <= message.wire;
    let mut settings = message.bytes.get(9..9 + length)?.chunks_exact(6);
    let known = settings.all(|one| one[0] == 0 && (1..=16).contains(&one[1]));
    (sound && known).then_some(Http2)
}

/// What looks like HTTP and is not: SIP, RTSP, MGCP; alike on TCP and UDP.
pub(super) fn requests(message: &Message<'_>) -> Option<Application> {
    let line = message.text_line()?;
    if begins(line, b"SIP/2.0 ") {
        return number(&line[8..]).map(|_| Sip);
    }
    if begins(line, b"RTSP/1.0 ") {
        return number(&line[9..]).map(|_| Rtsp);
    }
    if line.ends_with(b" MGCP 1.0") || contains(line, b" MGCP 1.0 ") {
        return Some(Mgcp);
    }
    let request = request(message)?;
    let cut = message.cut() && request.version.is_empty();
    let sip = [&b"sip:"[..], b"sips:", b"tel:"]
        .iter()
        .any(|scheme| begins(request.target, scheme));
    if sip && (cut || request.version == b"SIP/2.0") {
        return Some(Sip);
    }
    let rtsp = begins(request.target, b"rtsp") || request.target == b"*";
    (rtsp && matches!(request.version, b"RTSP/1.0" | b"RTSP/2.0")).then_some(Rtsp)
}

/// SSDP, and other uses of HTTP in datagrams.
pub(super) fn ssdp(message: &Message<'_>) -> Option<Application> {
    if message.starts(b"M-SEARCH * HTTP/1.1\r\n") || message.starts(b"NOTIFY * HTTP/1.1\r\n") {
        return Some(Ssdp);
    }
    let answer = message.starts(b"HTTP/1.1 200 OK\r\n");
    let service = |header: &[u8]| {
        message
            .bytes
            .windows(header.len())
            .any(|window| window.eq_ignore_ascii_case(header))
    };
    if answer && (message.on(&[1900]) || (service(b"\r\nST:") && service(b"\r\nUSN:"))) {
        return Some(Ssdp);
    }
    let soap = message.on(&[3702]) && message.starts(b"<") && contains(message.bytes, b"Envelope");
    soap.then_some(WsDiscovery)
}

/// RFC 4253, 4.2.
pub(super) fn ssh(message: &Message<'_>) -> Option<Application> {
    let version = message.starts(b"SSH-2.0-") || message.starts(b"SSH-1.");
    version.then_some(Ssh)
}

/// Fixed openings of protocols of one kind each.
pub(super) fn openings(message: &Message<'_>) -> Option<Application> {
    if message.starts(b"RFB 00") {
        let end = message.get::<6>(6)?;
        let sound = end[1] == b'.' && end[5] == b'\n' && message.wire == 12;
        return sound.then_some(Vnc);
    }
    if message.starts(b"@RSYNCD: ") {
        return Some(Rsync);
    }
    if message.starts(b"ZBXD\x01") {
        return Some(Zabbix);
    }
    if git(message) {
        return Some(Git);
    }
    if message.starts(b"( success ( ") || (message.starts(b"( 2 ( ") && message.contains(b"svn")) {
        return Some(Svn);
    }
    nats(message).or_else(|| stomp(message))
}

/// The request of git's own protocol: a line with its length before it in hexadecimal.
fn git(message: &Message<'_>) -> bool {
    let length = message
        .get::<4>(0)
        .and_then(|digits| usize::from_str_radix(core::str::from_utf8(&digits).ok()?, 16).ok());
    let services = [
        &b"git-upload-pack "[..],
        b"git-receive-pack ",
        b"git-upload-archive ",
    ];
    length.is_some_and(|length| (20..=message.wire).contains(&length))
        && services.iter().any(|name| message.has(4, name))
}

fn nats(message: &Message<'_>) -> Option<Application> {
    let info = message.starts(b"INFO {") && message.contains(b"\"server_id\"");
    let connect = message.starts(b"CONNECT {\"")
        && (message.contains(b"\"verbose\"") || message.contains(b"\"pedantic\""));
    (info || connect).then_some(Nats)
}

fn stomp(message: &Message<'_>) -> Option<Application> {
    let line = message.line()?;
    let command = matches!(line, b"CONNECT" | b"STOMP" | b"CONNECTED");
    let header = message.contains(b"\naccept-version:")
        || message.contains(b"\nversion:1.")
        || (message.on(&[61613]) && message.contains(b":"));
    (command && header).then_some(Stomp)
}

/// RFC 6120.
pub(super) fn xmpp(message: &Message<'_>) -> Option<Application> {
    let stream = message.starts(b"<stream:stream")
        || (message.starts(b"<?xml") && message.contains(b"<stream:stream"))
        || (message.starts(b"<open") && message.contains(b"xmpp-framing"));
    let known = || {
        message.on(&[5222, 5269])
            || message.contains(b"jabber:")
            || message.contains(b"etherx.jabber.org")
    };
    (stream && known()).then_some(Xmpp)
}

/// RFC 1459, 2812: the client registers, or the server greets it.
pub(super) fn irc(message: &Message<'_>) -> Option<Application> {
    let line = message.text_line()?;
    let port = message.on(&[
        194, 6660, 6661, 6662, 6663, 6664, 6665, 6666, 6667, 6668, 6669, 7000,
    ]);
    let nick = begins(line, b"NICK ") && line[5..].iter().copied().all(is_word);
    let registers =
        begins(line, b"CAP LS") || nick || begins(line, b"PASS ") || begins(line, b"USER ");
    if registers && port {
        return Some(Irc);
    }
    let both = || message.contains(b"NICK ") && message.contains(b"\nUSER ");
    if (nick || begins(line, b"CAP LS")) && both() {
        return Some(Irc);
    }
    let notice =
        begins(line, b"NOTICE AUTH :") || (line.starts_with(b":") && contains(line, b" NOTICE "));
    let welcome = line.starts_with(b":") && (contains(line, b" 001 ") || contains(line, b" 020 "));
    let sure = begins(line, b"NOTICE AUTH :***")
        || contains(line, b" NOTICE * :***")
        || contains(line, b" NOTICE AUTH :***");
    (sure || (port && (notice || welcome))).then_some(Irc)
}

/// What a request of Redis (RESP) begins with; its answers are told by the port.
pub(super) fn resp(message: &Message<'_>) -> Option<Application> {
    let rest = message.bytes.strip_prefix(b"*")?;
    let (count, rest) = number(rest)?;
    let (length, rest) = number(rest.strip_prefix(b"\r\n$")?)?;
    let word = rest.strip_prefix(b"\r\n")?;
    let length = length as usize;
    let sound = (1..=1_000_000).contains(&count)
        && (1..=64).contains(&length)
        && word.get(..length)?.iter().copied().all(is_word)
        && word.get(..1)?[0].is_ascii_alphabetic()
        && word.get(length..length + 2)? == b"\r\n";
    sound.then_some(Redis)
}
