//! DNS and its kin.

use sensor::names::decode::dns::{self, Data, Message};

use super::cuts;
use crate::cost::bounded;

const QUESTIONS: usize = 64;
const RECORDS: usize = 256;
/// 253 bytes, each shown as `\xff`.
const NAME: usize = 253 * 4;

/// Panics if the decoders do not do with these bytes what they promise.
pub fn check(bytes: &[u8]) {
    for decode in [dns::message, dns::netbios] {
        let Some(whole) = read(decode, bytes) else {
            assert!(cuts(bytes).all(|cut| decode(cut).is_none()));
            continue;
        };
        for cut in cuts(bytes) {
            match read(decode, cut) {
                Some(part) => is_part(&part, &whole),
                None => assert!(cut.len() < 12, "a header is enough: {cut:02x?}"),
            }
        }
    }
    plausible(bytes);
}

fn read(decode: fn(&[u8]) -> Option<Message>, bytes: &[u8]) -> Option<Message> {
    // Pointers make of two bytes a name of any length, and some of the text is made twice while it grows.
    let most = (16 << 10) + bytes.len() * 2048;
    let message = bounded(bytes.len(), most, || decode(bytes));
    assert_eq!(message, decode(bytes));
    if let Some(message) = &message {
        is_bounded(message, bytes.len());
    }
    message
}

fn is_bounded(message: &Message, len: usize) {
    let Message {
        questions, records, ..
    } = message;
    assert!(questions.len() <= QUESTIONS && questions.len() * 5 <= len);
    // A record of NetBIOS is a list of addresses, with six bytes each.
    assert!(records.len() <= RECORDS && records.len() * 6 <= len);
    let asked = questions.iter().map(|question| &question.name);
    let told = records.iter().flat_map(|record| {
        let more = match &record.data {
            Data::Cname(name) | Data::Pointer(name) => Some(name),
            Data::Address(_) => None,
        };
        [Some(&record.name), more]
    });
    for name in asked.chain(told.flatten()) {
        assert!(name.len() <= NAME, "{} bytes: {name:?}", name.len());
    }
}

/// What stands before the cut is had as it is in the whole.
fn is_part(part: &Message, whole: &Message) {
    assert_eq!(
        (part.id, part.response, part.code),
        (whole.id, whole.response, whole.code)
    );
    assert!(
        whole.questions.starts_with(&part.questions),
        "{part:?}\n{whole:?}"
    );
    assert!(
        whole.records.starts_with(&part.records),
        "{part:?}\n{whole:?}"
    );
    assert!(part.cut || part == whole, "{part:?}\n{whole:?}");
}

/// What passes the strict rule can be read, and passes it also where its end was not captured.
fn plausible(bytes: &[u8]) {
    let len = bytes.len();
    let whole = bounded(len, 0, || dns::is_plausible(bytes, len));
    for wrong in [0, len / 2, len + 1, len + 1000, usize::MAX] {
        bounded(len, 0, || dns::is_plausible(bytes, wrong));
    }
    let mut before = false;
    for cut in cuts(bytes) {
        let passes = dns::is_plausible(cut, len);
        if whole {
            assert!(passes || !before, "{} of {len} bytes", cut.len());
        }
        before = passes;
        if passes {
            let message = dns::message(cut).expect("it can be read");
            assert_eq!(message.questions.len(), 1, "{message:?}");
        }
    }
    if whole {
        let message = dns::message(bytes).expect("it can be read");
        assert_eq!(message.questions.len(), 1, "{message:?}");
        let full = message.records.len() == RECORDS || len > 12 * RECORDS;
        assert!(!message.cut || full, "{message:?}");
    }
}
