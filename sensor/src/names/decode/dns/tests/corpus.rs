//! Names asked for in real captures, against tshark's `dns.qry.name`.

use sensor_common::flow::FlowKey;
use sensor_common::protocol::ip;

use crate::names::decode::corpus::{Excuse, payloads, same_names};
use crate::names::decode::dns::{Message, is_plausible, message, netbios};

const INNER: &str = "inside a tunnel; the outer packet is the one that is counted";
const EXCUSES: &[Excuse] = &[
    ("arkime__6-4-gre-ppp-udp-4-dns.pcap", "*", INNER),
    ("arkime__gtp-iphone.pcap", "*", INNER),
    ("ndpi__6in4tunnel.pcap", "*", INNER),
    ("ndpi__vxlan.pcap", "*", INNER),
    ("zeek__erspan.pcap", "*", INNER),
    ("zeek__tunnels-gre-sample.pcap", "*", INNER),
    (
        "zeek__communityid-icmp6.pcap",
        "sh1.iijlab.net",
        "quoted by an error of ICMPv6",
    ),
    (
        "ndpi__fuzz-2006-06-26-2594.pcap",
        "<Unknown extended label>",
        "tshark's word for a damaged name, which we leave out",
    ),
    (
        "ndpi__fuzz-2006-06-26-2594.pcap",
        "_sip.]udp.sip.cybercity.dk",
        "in the first of several fragments: tshark waits for the others",
    ),
    (
        "pcpp__clusterfuzz-5188876846235648.pcap",
        "*",
        "no DNS port, and damaged names",
    ),
];

#[test]
fn questions_are_those_that_tshark_finds() {
    same_names("dns_qry", EXCUSES, |key, payload, names| {
        for message in messages(key, payload) {
            names.extend(message.questions.iter().map(|one| as_tshark(&one.name)));
        }
    });
}

/// tshark takes every message on these ports for DNS, the fuzzed ones too: most of the real ones must pass the strict rule.
#[test]
fn real_messages_are_plausible() {
    let (mut plausible, mut all) = (0, 0);
    payloads(|_, key, payload| {
        if key.protocol() == ip::UDP && has(key, &[53]) && !has(key, &[5353]) {
            all += 1;
            plausible += u32::from(is_plausible(payload, payload.len()));
        }
    });
    println!("{plausible} of {all}");
    assert!(
        f64::from(plausible) >= 0.8 * f64::from(all),
        "{plausible} of {all}"
    );
}

#[test]
fn nothing_else_is_plausible() {
    let mut wrong = Vec::new();
    payloads(|file, key, payload| {
        // In this one the ports of real messages were damaged.
        let fuzzed = file == "ndpi__fuzz-2006-06-26-2594.pcap";
        if !fuzzed && !has(key, &[53, 5353, 5355, 137]) && is_plausible(payload, payload.len()) {
            wrong.push((
                key.src_addr(),
                key.src_port(),
                key.dst_port(),
                payload.len(),
            ));
        }
    });
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn netbios_names_are_decoded() {
    let mut names = std::collections::BTreeSet::new();
    payloads(|file, key, payload| {
        if key.protocol() == ip::UDP && has(key, &[137]) {
            let message = netbios(payload).unwrap_or_default();
            // Nothing is cut there but what was damaged on purpose.
            assert!(!message.cut || file.contains("fuzz"), "{file}: {message:?}");
            names.extend(message.questions.into_iter().map(|one| one.name));
        }
    });
    println!("{names:?}");
    assert!(names.is_empty() || names.contains("WORKGROUP"), "{names:?}");
}

fn has(key: &FlowKey, ports: &[u16]) -> bool {
    ports.contains(&key.src_port()) || ports.contains(&key.dst_port())
}

fn messages(key: &FlowKey, payload: &[u8]) -> Vec<Message> {
    match key.protocol() {
        ip::UDP if has(key, &[53, 5353, 5355]) => message(payload).into_iter().collect(),
        ip::TCP if has(key, &[53]) => over_tcp(payload),
        _ => Vec::new(),
    }
}

fn over_tcp(payload: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut rest = payload;
    while let Some((len, behind)) = rest.split_first_chunk::<2>() {
        let len = usize::from(u16::from_be_bytes(*len)).min(behind.len());
        messages.extend(message(&behind[..len]));
        rest = &behind[len..];
    }
    messages
}

/// tshark writes control characters as octal numbers, and one question mark for each byte that is no UTF-8.
fn as_tshark(name: &str) -> String {
    let mut text = String::new();
    let mut rest = name.chars();
    while let Some(char) = rest.next() {
        match char {
            '\\' if rest.as_str().starts_with('x') => {
                rest.nth(2);
                text.push('\u{fffd}');
            }
            '\r' => text.push_str("\\r"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\0'..' ' | '\x7f' => text.push_str(&format!("\\{:03o}", u32::from(char))),
            _ => text.push(char),
        }
    }
    match text.as_str() {
        "." => "<Root>".to_owned(),
        _ => text,
    }
}
