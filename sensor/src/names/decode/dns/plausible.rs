//! Whether bytes of any port are DNS: everything must fit, for a wrong label is worse than none.

use super::name::Stop;
use super::read::{Header, RawQuestion, Reader};

const OPT: u16 = 41;

/// `wire_len`: length of the whole message, of which `bytes` may be only the beginning. True only if counts, question and
/// lengths agree with each other and nothing is left over.
pub fn is_plausible(bytes: &[u8], wire_len: usize) -> bool {
    let Some(header) = Header::of(bytes) else {
        return false;
    };
    if !consistent(header, wire_len) {
        return false;
    }
    let mut reader = Reader::new(bytes);
    match reader.question() {
        Ok(question) if known(&question) => {}
        _ => return false,
    }
    // So many at least fit in, see above; the bytes bound them.
    for _ in 0..header.records() {
        match reader.record() {
            Ok(record) if record.kind == OPT || is_class(record.class) => {}
            Err(Stop::Cut) if bytes.len() < wire_len => return true,
            _ => return false,
        }
    }
    reader.at == wire_len
}

/// What resolvers and servers send: one question; answers only in an answer.
fn consistent(header: Header, wire_len: usize) -> bool {
    const AUTHORITATIVE: u16 = 0x0400;
    const AVAILABLE: u16 = 0x0080;
    const ZERO: u16 = 0x0040;
    let as_query = header.answers == 0
        && header.authorities == 0
        && header.additionals <= 2
        && header.code() == 0
        && header.flags & (AUTHORITATIVE | AVAILABLE) == 0;
    // Root, kind, class; root, kind, class, time, length.
    let least = 12 + 5 + 11 * header.records() as usize;
    header.opcode() == 0
        && header.flags & ZERO == 0
        && header.questions == 1
        && header.code() <= 10
        && (header.response() || as_query)
        && least <= wire_len
}

fn known(question: &RawQuestion) -> bool {
    let kind = matches!(
        question.kind,
        1..=65 | 99..=109 | 128 | 249..=257 | 32768 | 32769
    );
    kind && question.kind != OPT
        && is_class(question.class)
        && question.name.dotted().iter().all(u8::is_ascii_graphic)
}

/// Internet, Chaos, none, any.
fn is_class(class: u16) -> bool {
    matches!(class, 1 | 3 | 254 | 255)
}
