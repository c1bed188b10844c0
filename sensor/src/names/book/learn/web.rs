//! Requests and answers of HTTP/1.

use std::net::IpAddr;

use sensor_common::application::Application;

use super::super::ends::Ends;
use super::super::{Book, addresses};
use super::segments::Segments;
use super::{Open, payload};
use crate::names::decode::http::{self, Request, Response};
use crate::names::text::shown_within;
use crate::names::{Http, Label, NameSource, Sample};

/// Bytes of a method that are kept.
const METHOD: usize = 32;

impl Book {
    /// `None` while a request for another protocol waits for its answer.
    pub(super) fn http(
        &mut self,
        ends: Ends,
        sample: &Sample<'_>,
        open: &mut Open,
    ) -> Option<Label> {
        let plain = Some(payload(Application::Http));
        if let Some(request) = http::request(sample.payload) {
            if request.host.is_none() && self.is_first(&ends) && !http::ends(sample.payload) {
                open.head = Segments::start(sample);
            }
            self.request(ends, sample.key.dst_addr(), &request);
            if http::is_for_proxy(request.method, request.target, sample.key.dst_port()) {
                return Some(payload(Application::HttpProxy));
            }
            if request.upgrade.is_some_and(is_websocket) && !sample.last {
                open.pending = plain;
                return None;
            }
            return plain;
        }
        if self.continues(ends, sample, open) {
            return plain.filter(|_| open.pending.is_none());
        }
        if let Some(response) = http::response(sample.payload) {
            self.response(ends, &response);
            let agreed = response.status == 101 && response.upgrade.is_some_and(is_websocket);
            return match agreed {
                true => Some(payload(Application::Websocket)),
                false => plain,
            };
        }
        // Of what follows a request nothing is sure before its answer.
        if open.pending.is_some() { None } else { plain }
    }

    /// The payload belongs to the head of the first request, of which the host was not there yet.
    fn continues(&mut self, ends: Ends, sample: &Sample<'_>, open: &mut Open) -> bool {
        // Once the server has answered, nothing more of it will come.
        let Some(mut head) = open.head.take().filter(|head| head.is_of(sample)) else {
            return false;
        };
        let more = head.add(sample) && head.may_grow();
        let request = http::request(&head.bytes).unwrap_or_default();
        if request.host.is_some() {
            *self.conversations.http(ends) = Http::default();
            self.request(ends, sample.key.dst_addr(), &request);
        } else if more && !http::ends(&head.bytes) {
            open.head = Some(head);
        }
        true
    }

    fn is_first(&self, ends: &Ends) -> bool {
        let known = self.conversations.info(ends);
        known.is_none_or(|info| info.http.is_none())
    }

    /// A request in a flow that nothing else is known of.
    pub(super) fn late_request(&mut self, ends: Ends, sample: &Sample<'_>) {
        let request = http::request(sample.payload);
        if let Some(request) = request.filter(|request| request.host.is_some()) {
            self.request(ends, sample.key.dst_addr(), &request);
        }
    }

    fn request(&mut self, ends: Ends, server: IpAddr, request: &Request<'_>) {
        let host = request
            .host
            .map(|host| shown_within(host, addresses::LENGTH));
        let http = self.conversations.http(ends);
        if http.method.is_none() {
            http.method = Some(shown_within(request.method, METHOD));
            http.host.clone_from(&host);
            http.user_agent = request
                .user_agent
                .map(|agent| shown_within(agent, addresses::LENGTH));
        }
        let Some(host) = &host else {
            return;
        };
        let name = without_port(host.trim());
        self.conversations.name(ends, name, NameSource::Http);
        // A proxy is asked for what other hosts have.
        let proxy = request.method == b"CONNECT" || http::is_absolute(request.target);
        if !proxy {
            self.addresses.name(server, name, NameSource::Http);
        }
    }

    fn response(&mut self, ends: Ends, response: &Response<'_>) {
        let http = self.conversations.http(ends);
        http.status.get_or_insert(response.status);
    }
}

fn is_websocket(upgrade: &[u8]) -> bool {
    upgrade
        .split(|byte| *byte == b',')
        .any(|one| one.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// `example.org:8080` is the host `example.org`, `[2001:db8::1]:80` is `2001:db8::1`.
fn without_port(host: &str) -> &str {
    if let Some((addr, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return addr;
    }
    match host.split_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lose_their_port() {
        for (host, name) in [
            ("example.org", "example.org"),
            ("example.org:8080", "example.org"),
            ("example.org:", "example.org"),
            ("example.org:x", "example.org:x"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[", "["),
            ("", ""),
        ] {
            assert_eq!(without_port(host), name, "{host}");
        }
    }

    #[test]
    fn websocket_may_be_one_of_several() {
        assert!(is_websocket(b"WebSocket"));
        assert!(is_websocket(b"h2c, websocket"));
        assert!(!is_websocket(b"h2c"));
    }
}
