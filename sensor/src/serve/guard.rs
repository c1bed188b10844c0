//! Who gets an answer: the right host, a method that reads, and the token where there is one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Token;

/// Asked by machines that watch machines, and says nothing of the traffic.
pub(super) const HEALTH: &str = "/healthz";

/// Of every answer. A page that somebody else frames, caches or sniffs would be theirs.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    // One request a connection: what a client may hold is then bounded by connections alone.
    (header::CONNECTION, "close"),
];

pub(super) struct Guard {
    bound: SocketAddr,
    /// This machine's own name, lower case.
    hostname: String,
    token: Option<Token>,
}

#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// Another site's name leads here (DNS rebinding), or nobody's.
    Host,
    Method,
    Token,
    /// It showed the token in the URL: a cookie takes its place, so that it stays in no history.
    Enter(String),
}

impl Guard {
    pub(super) fn new(bound: SocketAddr, hostname: &str, token: Option<Token>) -> Self {
        Guard {
            bound,
            hostname: hostname.to_ascii_lowercase(),
            token,
        }
    }

    fn judge(&self, request: &Request) -> Result<(), Refusal> {
        if !host(request).is_some_and(|host| self.is_ours(host)) {
            return Err(Refusal::Host);
        }
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return Err(Refusal::Method);
        }
        match &self.token {
            Some(token) if request.uri().path() != HEALTH => self.admit(request, token),
            _ => Ok(()),
        }
    }

    /// Whatever the port: behind `ssh -L` it is another one. A name of somebody else is what must not pass.
    fn is_ours(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        let bound = self.bound.ip();
        let reaches_loopback = bound.is_loopback() || bound.is_unspecified();
        if let Ok(addr) = name.parse::<IpAddr>() {
            return addr == bound
                || bound.is_unspecified()
                || (reaches_loopback && addr.is_loopback());
        }
        let own = name == self.hostname || name.starts_with(&format!("{}.", self.hostname));
        (reaches_loopback && name == "localhost") || (self.token.is_some() && own)
    }

    fn admit(&self, request: &Request, token: &Token) -> Result<(), Refusal> {
        let headers = request.headers();
        if bearer(headers).is_some_and(|shown| token.is(shown))
            || self.cookies(headers).any(|shown| token.is_cookie(shown))
        {
            return Ok(());
        }
        match in_query(request) {
            Some(shown) if token.is(shown) && request.uri().path() == "/" => Err(Refusal::Enter(
                // Other sensors of the same host have other ports, and a browser keeps cookies by host.
                format!(
                    "{}={}; HttpOnly; SameSite=Lax; Path=/",
                    self.cookie_name(),
                    token.cookie()
                ),
            )),
            Some(shown) if token.is(shown) => Ok(()),
            _ => Err(Refusal::Token),
        }
    }

    fn cookie_name(&self) -> String {
        format!("sensor-{}", self.bound.port())
    }

    fn cookies<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        let name = self.cookie_name();
        let all = headers.get_all(header::COOKIE).into_iter();
        let texts = all.filter_map(|value| value.to_str().ok());
        let pairs = texts.flat_map(|text| text.split(';'));
        pairs
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(move |(one, _)| *one == name)
            .map(|(_, value)| value)
    }
}

/// The URL's, where a request names one whole; else the header's.
fn host(request: &Request) -> Option<&str> {
    let header = || request.headers().get(header::HOST)?.to_str().ok();
    let authority = request.uri().authority();
    authority
        .map(|authority| authority.as_str())
        .or_else(header)
}

/// Of `name`, `name:port`, `[v6]` and `[v6]:port`.
fn without_port(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inner, _)) => inner,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn in_query(request: &Request) -> Option<&str> {
    let mut pairs = request.uri().query()?.split('&');
    pairs.find_map(|pair| pair.strip_prefix("token="))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "this sensor answers to its own address and to localhost only\n",
            )
                .into_response(),
            Refusal::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                [(header::ALLOW, "GET, HEAD")],
                "sensor only answers questions: GET or HEAD\n",
            )
                .into_response(),
            Refusal::Token => (
                StatusCode::UNAUTHORIZED,
                [(header::WWW_AUTHENTICATE, "Bearer")],
                "a token is needed: open /?token=TOKEN, or send the header Authorization: Bearer TOKEN\n",
            )
                .into_response(),
            Refusal::Enter(cookie) => (
                StatusCode::SEE_OTHER,
                [(header::SET_COOKIE, cookie), (header::LOCATION, "./".to_owned())],
            )
                .into_response(),
        }
    }
}

/// Before and after everything else.
pub(super) async fn guard(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let mut answer = match guard.judge(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    let policy = headers.entry(header::CONTENT_SECURITY_POLICY);
    policy.or_insert(nothing);
    answer
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn guard_of(bound: &str, token: bool) -> Guard {
        let token = token.then(|| Token::new(TOKEN).unwrap());
        Guard::new(bound.parse().unwrap(), "Web1", token)
    }

    fn asked(path: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn only_its_own_names_are_answered() {
        let cases = [
            (
                "127.0.0.1:80",
                "localhost:9000 127.0.0.1 [::1]:8080 LOCALHOST 127.0.0.2",
                "evil.example localhost.evil.example 10.0.0.1 web1",
            ),
            ("[::1]:80", "[::1] localhost", "[fe80::1] ::2"),
            ("10.0.0.1:80", "10.0.0.1:80", "localhost 127.0.0.1 10.0.0.2"),
            (
                "0.0.0.0:80",
                "10.0.0.1 localhost [2001:db8::1]:80",
                "evil.example",
            ),
        ];
        for (bound, good, bad) in cases {
            let guard = guard_of(bound, false);
            for host in good.split(' ') {
                assert_eq!(
                    guard.judge(&asked("/", &[("host", host)])),
                    Ok(()),
                    "{bound} {host}"
                );
            }
            for host in bad.split(' ') {
                let judged = guard.judge(&asked("/", &[("host", host)]));
                assert_eq!(judged, Err(Refusal::Host), "{bound} {host}");
            }
        }
        let guard = guard_of("127.0.0.1:80", false);
        assert_eq!(guard.judge(&asked("/", &[])), Err(Refusal::Host));
        let whole = asked("http://evil.example/", &[("host", "localhost")]);
        assert_eq!(guard.judge(&whole), Err(Refusal::Host));
        let guard = guard_of("10.0.0.1:80", true);
        for host in ["web1", "web1.lan:80", "WEB1"] {
            let judged = guard.judge(&asked("/healthz", &[("host", host)]));
            assert_eq!(judged, Ok(()), "{host}");
        }
    }

    #[test]
    fn a_token_opens_by_header_cookie_or_url() {
        let guard = guard_of("10.0.0.1:80", true);
        let host = ("host", "10.0.0.1");
        let judge = |path: &str, more: (&str, &str)| guard.judge(&asked(path, &[host, more]));
        let bearer = format!("Bearer {TOKEN}");
        assert_eq!(judge("/metrics", ("authorization", &bearer)), Ok(()));
        assert_eq!(
            judge("/report.json?token=0123456789abcdef", ("a", "b")),
            Ok(())
        );
        let Err(Refusal::Enter(cookie)) = judge("/?token=0123456789abcdef", ("a", "b")) else {
            panic!("no cookie");
        };
        assert!(!cookie.contains(TOKEN), "{cookie}");
        let (pair, _) = cookie.split_once(';').unwrap();
        assert_eq!(
            judge("/events", ("cookie", &format!("a=b; {pair}"))),
            Ok(())
        );
        for bad in [
            "/",
            "/?token=",
            "/events?token=0123456789abcdeF",
            "/report.json?x=1",
        ] {
            assert_eq!(
                judge(bad, ("authorization", "Basic abc")),
                Err(Refusal::Token),
                "{bad}"
            );
        }
        assert_eq!(
            judge("/", ("cookie", "sensor-80=0123456789abcdef")),
            Err(Refusal::Token)
        );
        assert_eq!(judge("/healthz", ("a", "b")), Ok(()));
    }
}
