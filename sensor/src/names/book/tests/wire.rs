//! Messages made by hand.

fn wire_name(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes
}

pub(super) enum Rr {
    A([u8; 4]),
    Cname(&'static str),
    Ptr(&'static str),
}

pub(super) fn dns(response: bool, question: Option<&str>, records: &[(&str, u32, Rr)]) -> Vec<u8> {
    let flags = if response { 0x81 } else { 1 };
    let mut bytes = vec![0, 7, flags, 0, 0, u8::from(question.is_some()), 0];
    bytes.extend([records.len() as u8, 0, 0, 0, 0]);
    if let Some(question) = question {
        bytes.extend(wire_name(question));
        bytes.extend([0, 1, 0, 1]);
    }
    for (name, ttl, data) in records {
        let (kind, data) = match data {
            Rr::A(addr) => (1, addr.to_vec()),
            Rr::Cname(other) => (5, wire_name(other)),
            Rr::Ptr(other) => (12, wire_name(other)),
        };
        bytes.extend(wire_name(name));
        bytes.extend([0, kind, 0, 1]);
        bytes.extend(ttl.to_be_bytes());
        bytes.extend([0, data.len() as u8]);
        bytes.extend(data);
    }
    bytes
}

/// `alpn`: one protocol, or none.
pub(super) fn client_hello(sni: &str, alpn: &str, padding: usize) -> Vec<u8> {
    let with_len = |body: &[u8]| [&(body.len() as u16).to_be_bytes()[..], body].concat();
    let extension = |kind: u16, body: &[u8]| [&kind.to_be_bytes()[..], &with_len(body)].concat();
    let mut extensions = extension(21, &vec![0; padding]);
    let name = [&[0][..], &with_len(sni.as_bytes())].concat();
    extensions.extend(extension(0, &with_len(&name)));
    if !alpn.is_empty() {
        let one = [&[alpn.len() as u8][..], alpn.as_bytes()].concat();
        extensions.extend(extension(16, &with_len(&one)));
    }
    extensions.extend(extension(43, &[2, 3, 4]));
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend(with_len(&extensions));
    let mut message = vec![1, 0];
    message.extend(with_len(&body));
    [&[0x16, 3, 1][..], &with_len(&message)].concat()
}

pub(super) fn server_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([8; 32]);
    body.extend([0, 0x13, 1, 0, 0, 0]);
    let mut message = vec![2, 0, 0, body.len() as u8];
    message.extend(body);
    let mut record = vec![0x16, 3, 3, 0, message.len() as u8];
    record.extend(message);
    record
}
