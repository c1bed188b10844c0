//! The committed corpora on every test run: examples, mistakes, and what fuzzing has found.

pub(crate) mod corpus;

use crate::{capture, config, explain, filter, history, names, packet, report};
use corpus::inputs;

#[test]
fn filters() {
    let inputs = inputs("filter");
    for input in &inputs {
        filter::check(input);
    }
    assert!(inputs.len() > 200, "{} inputs", inputs.len());
}

/// Every input with a part left out, doubled, or put elsewhere: what a fuzzer would try first.
#[test]
fn filters_that_were_damaged() {
    let inputs = inputs("filter");
    for (number, input) in inputs.iter().enumerate() {
        let other = &inputs[(number * 7 + 1) % inputs.len()];
        for damaged in rearranged(input, other) {
            filter::check(&damaged);
        }
        for damaged in [
            [input, &b" or "[..], other].concat(),
            [&b"not ("[..], input, b") and ", other].concat(),
        ] {
            filter::check(&damaged);
        }
    }
}

#[test]
fn packets() {
    replay("packet", packet::check);
}

#[test]
fn captures() {
    replay("capture", capture::check);
}

#[test]
fn configs() {
    // The whole command line is set up for each: 20 ms in a debug build.
    replay_at("config", 0, config::check);
}

#[test]
fn histories() {
    replay("history", history::check);
}

#[test]
fn dns() {
    replay("names-dns", names::dns::check);
}

#[test]
fn dhcp() {
    replay("names-dhcp", names::dhcp::check);
}

#[test]
fn http() {
    replay("names-http", names::http::check);
}

#[test]
fn expect() {
    replay("names-expect", names::expect::check);
}

#[test]
fn tls() {
    replay("names-tls", names::tls::check);
}

#[test]
fn quic() {
    replay("names-quic", names::quic::check);
}

#[test]
fn signatures() {
    replay("names-signature", names::signature::check);
}

#[test]
fn book() {
    replay("names-book", names::book::check);
}

#[test]
fn explanations() {
    replay("explain", explain::check);
}

#[test]
fn reports() {
    replay("report", report::check);
    let whole = inputs("report")
        .iter()
        .filter(|bytes| sensor::report::read(bytes).is_ok())
        .count();
    assert!(whole >= 8, "{whole} reports");
}

/// Every input as it is, rearranged, and with single bytes changed.
fn replay(target: &str, check: fn(&[u8])) {
    replay_at(target, 12, check);
}

/// Bytes are changed at so many places of each.
fn replay_at(target: &str, places: usize, check: fn(&[u8])) {
    let inputs = inputs(target);
    assert!(inputs.len() >= 8, "{target}: {} inputs", inputs.len());
    for (number, input) in inputs.iter().enumerate() {
        check(input);
        let other = &inputs[(number * 7 + 1) % inputs.len()];
        for damaged in rearranged(input, other) {
            check(&damaged);
        }
        let step = input.len().div_ceil(places.max(1)).max(1);
        for place in (number % 3..input.len()).step_by(step).take(places) {
            for value in [0, 0xff, input[place] ^ 0x80, input[place].wrapping_add(1)] {
                let mut damaged = input.clone();
                damaged[place] = value;
                check(&damaged);
            }
        }
    }
}

fn rearranged(input: &[u8], other: &[u8]) -> [Vec<u8>; 4] {
    let (cut, end) = (input.len() / 3, input.len() * 2 / 3);
    let [a, b, c] = [&input[..cut], &input[cut..end], &input[end..]];
    [
        [a, c].concat(),
        [a, b, b, c].concat(),
        [c, b, a].concat(),
        [a, other].concat(),
    ]
}
