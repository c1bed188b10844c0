//! Heads of HTTP, of which nothing is copied.

use sensor::names::decode::http::{self, Request, Response};

use super::{cuts, lies_in, none_or};
use crate::cost::bounded;

/// Panics if the decoders do not do with these bytes what they promise.
pub fn check(bytes: &[u8]) {
    let whole = request(bytes);
    for cut in cuts(bytes) {
        if let (Some(part), Some(whole)) = (request(cut), &whole) {
            assert_eq!(part.method, whole.method);
            assert!(whole.target.starts_with(part.target), "{part:?}\n{whole:?}");
            let same = none_or(&part.host, &whole.host)
                && none_or(&part.user_agent, &whole.user_agent)
                && none_or(&part.upgrade, &whole.upgrade);
            assert!(same, "{part:?}\n{whole:?}");
        }
    }
    let answer = response(bytes);
    assert!(whole.is_none() || answer.is_none());
    for cut in cuts(bytes) {
        if let (Some(part), Some(whole)) = (response(cut), &answer) {
            let same = part.status == whole.status
                && none_or(&part.server, &whole.server)
                && none_or(&part.upgrade, &whole.upgrade);
            assert!(same, "{part:?}\n{whole:?}");
        }
    }
}

fn request(bytes: &[u8]) -> Option<Request<'_>> {
    let request = bounded(bytes.len(), 0, || http::request(bytes));
    assert_eq!(request, http::request(bytes));
    let Request {
        method,
        target,
        host,
        user_agent,
        upgrade,
    } = request?;
    assert!((3..=15).contains(&method.len()) && lies_in(method, bytes));
    assert!(!target.iter().any(u8::is_ascii_control) && lies_in(target, bytes));
    [host, user_agent, upgrade]
        .into_iter()
        .flatten()
        .for_each(|value| is_value(value, bytes));
    request
}

fn response(bytes: &[u8]) -> Option<Response<'_>> {
    let response = bounded(bytes.len(), 0, || http::response(bytes));
    assert_eq!(response, http::response(bytes));
    let Response {
        status,
        server,
        upgrade,
    } = response?;
    assert!((100..1000).contains(&status), "{status}");
    [server, upgrade]
        .into_iter()
        .flatten()
        .for_each(|value| is_value(value, bytes));
    response
}

/// Part of one line of the input.
fn is_value(value: &[u8], bytes: &[u8]) {
    assert!(lies_in(value, bytes) && value.trim_ascii() == value);
    assert!(!value.contains(&b'\n'), "{value:02x?}");
}
