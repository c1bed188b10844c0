//! HTTP/1 (RFC 9112) heads, of requests and answers, and what imitates them. HTTP/2's are compressed and stay closed.
//!
//! SSDP and UPnP's events have heads of HTTP/1.1, so they are read here: the methods `M-SEARCH`, `NOTIFY`, `SUBSCRIBE` and
//! `UNSUBSCRIBE` say which it is. RTSP and SIP have a version of their own and are none.

#[cfg(test)]
mod tests;

/// The head of a request, as far as it was captured; borrowed from the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request<'a> {
    pub method: &'a [u8],
    /// Up to the end of what was captured, if that is in its midst.
    pub target: &'a [u8],
    pub host: Option<&'a [u8]>,
    pub user_agent: Option<&'a [u8]>,
    /// Value of `Upgrade`.
    pub upgrade: Option<&'a [u8]>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Response<'a> {
    pub status: u16,
    pub server: Option<&'a [u8]>,
    pub upgrade: Option<&'a [u8]>,
}

/// Of one head, not more are read.
const MOST_HEADERS: usize = 64;

/// RFC 9110 and 5789, WebDAV and its kin (RFC 3253, 3744, 4791, 4918, 5323, 5842), caches, Microsoft's RPC, RDP, SSTP, BITS
/// and Configuration Manager over HTTP, SSDP and UPnP.
const METHODS: [&[u8]; 44] = [
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"CONNECT",
    b"OPTIONS",
    b"TRACE",
    b"PATCH",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"SEARCH",
    b"ACL",
    b"MKCALENDAR",
    b"BIND",
    b"UNBIND",
    b"REBIND",
    b"MERGE",
    b"CHECKOUT",
    b"CHECKIN",
    b"MKACTIVITY",
    b"MKWORKSPACE",
    b"VERSION-CONTROL",
    b"LABEL",
    b"UPDATE",
    b"PURGE",
    b"RPC_CONNECT",
    b"RPC_IN_DATA",
    b"RPC_OUT_DATA",
    b"RDG_IN_DATA",
    b"RDG_OUT_DATA",
    b"SSTP_DUPLEX_POST",
    b"BITS_POST",
    b"CCM_POST",
    b"M-SEARCH",
    b"NOTIFY",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
];
const LONGEST_METHOD: usize = 16;

/// Whether the word is the method of a request.
pub fn is_method(word: &[u8]) -> bool {
    let begins_alike = |method: &&&[u8]| method.first() == word.first();
    METHODS
        .iter()
        .filter(begins_alike)
        .any(|method| *method == word)
}

/// A target with its scheme and host before it, as proxies are asked (RFC 9112, 3.2.2); schemes have no case (RFC 3986, 3.1).
pub fn is_absolute(target: &[u8]) -> bool {
    let begins = |scheme: &[u8]| {
        let start = target.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    begins(b"http://") || begins(b"https://")
}

/// Whether a request at this port is for a proxy. A server takes the absolute form, too (RFC 9112, 3.2.2).
pub fn is_for_proxy(method: &[u8], target: &[u8], port: u16) -> bool {
    method == b"CONNECT" || (is_absolute(target) && port != 80)
}

/// A payload that begins with a request line of HTTP/0.9 to 1.1.
pub fn request(bytes: &[u8]) -> Option<Request<'_>> {
    bytes.first().filter(|byte| byte.is_ascii_uppercase())?;
    let space = bytes
        .iter()
        .take(LONGEST_METHOD + 1)
        .position(|b| *b == b' ')?;
    let method = bytes.get(..space)?;
    if !is_method(method) {
        return None;
    }
    let rest = bytes.get(space + 1..)?;
    let (line, headers) = match line(rest) {
        Some((line, headers)) => (line, Some(headers)),
        // Cut between the two bytes of the line's end.
        None => (rest.strip_suffix(b"\r").unwrap_or(rest), None),
    };
    let target = target(method, line, headers)?;
    let mut request = Request {
        method,
        target,
        ..Request::default()
    };
    for (name, value) in fields(headers.unwrap_or_default()) {
        if name.eq_ignore_ascii_case(b"host") {
            request.host = request.host.or(Some(value));
        } else if name.eq_ignore_ascii_case(b"user-agent") {
            request.user_agent = request.user_agent.or(Some(value));
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            request.upgrade = request.upgrade.or(Some(value));
        }
    }
    Some(request)
}

/// A payload that begins with a status line.
pub fn response(bytes: &[u8]) -> Option<Response<'_>> {
    let rest = bytes.strip_prefix(b"HTTP/1.")?;
    let (&[minor, b' ', a @ b'1'..=b'9', b, c], rest) = rest.split_first_chunk::<5>()? else {
        return None;
    };
    let ended = matches!(rest.first(), None | Some(b' ' | b'\r' | b'\n'));
    let digits = [minor, a, b, c].iter().all(u8::is_ascii_digit);
    if !ended || !digits {
        return None;
    }
    let digit = |byte: u8| u16::from(byte - b'0');
    let mut response = Response {
        status: digit(a) * 100 + digit(b) * 10 + digit(c),
        ..Response::default()
    };
    let headers = line(rest).map_or(&[][..], |(_, headers)| headers);
    for (name, value) in fields(headers) {
        if name.eq_ignore_ascii_case(b"server") {
            response.server = response.server.or(Some(value));
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            response.upgrade = response.upgrade.or(Some(value));
        }
    }
    Some(response)
}

/// Whether the head is there to its end, the empty line.
pub fn ends(head: &[u8]) -> bool {
    let mut rest = head;
    while let Some((one, behind)) = line(rest) {
        if one.is_empty() {
            return true;
        }
        rest = behind;
    }
    false
}

/// The target in what follows the method. `headers`: what follows the line; `None` if the line's end was not captured.
fn target<'a>(method: &[u8], line: &'a [u8], headers: Option<&[u8]>) -> Option<&'a [u8]> {
    if line.iter().any(|byte| byte.is_ascii_control()) {
        return None;
    }
    // The version is behind the last space: some clients leave spaces in the target.
    let space = line.iter().rposition(|byte| *byte == b' ');
    let (target, version) = match space {
        Some(space) => (line.get(..space)?, line.get(space + 1..)),
        None => (line, None),
    };
    let whole = match (version, headers) {
        (Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor]), _) => minor.is_ascii_digit(),
        // HTTP/0.9 has no version, no headers, and one method.
        (None, Some(behind)) => method == b"GET" && behind.is_empty() && target.starts_with(b"/"),
        (Some(version), None) => b"HTTP/1.".starts_with(version),
        (None, None) => true,
        _ => false,
    };
    (whole && is_target(method, target)).then_some(target)
}

fn is_target(method: &[u8], target: &[u8]) -> bool {
    if method == b"CONNECT" {
        let authority = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(byte);
        return !target.is_empty() && target.iter().all(authority);
    }
    target.starts_with(b"/") || target == b"*" || is_absolute(target)
}

/// The first line without its end, and what follows it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = bytes.get(..end)?;
    Some((
        line.strip_suffix(b"\r").unwrap_or(line),
        bytes.get(end + 1..)?,
    ))
}

/// Names and trimmed values, up to the empty line. A line that is cut off is left out, for half a host is another host; so
/// is one that continues the line before.
fn fields(headers: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = headers;
    let lines = std::iter::from_fn(move || {
        let (line, behind) = line(rest)?;
        rest = behind;
        (!line.is_empty()).then_some(line)
    });
    lines.take(MOST_HEADERS).filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        Some((line.get(..colon)?, line.get(colon + 1..)?.trim_ascii()))
    })
}
