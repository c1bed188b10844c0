use proptest::prelude::*;

use super::*;

mod corpus;

const QUERY: [u8; 12] = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];

fn header(flags: u16, questions: u16, records: u16) -> Vec<u8> {
    [0x1234, flags, questions, records, 0, 0]
        .iter()
        .flat_map(|word: &u16| word.to_be_bytes())
        .collect()
}

fn wire(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

fn question(name: &[u8], kind: u16, class: u16) -> Vec<u8> {
    [name, &kind.to_be_bytes(), &class.to_be_bytes()].concat()
}

fn record(name: &[u8], kind: u16, class: u16, data: &[u8]) -> Vec<u8> {
    let len = (data.len() as u16).to_be_bytes();
    [
        &question(name, kind, class),
        &300u32.to_be_bytes()[..],
        &len,
        data,
    ]
    .concat()
}

/// `www.example.com` is an alias of `host.example.com`, which has two addresses.
fn answer() -> Vec<u8> {
    [
        header(0x8180, 1, 4),
        question(&wire("www.example.com"), 1, 1),
        record(&[0xc0, 12], 5, 1, b"\x04host\xc0\x10"),
        record(&[0xc0, 12], 16, 1, b"\x03abc"),
        record(&[0xc0, 45], 1, 1, &[192, 0, 2, 1]),
        record(&[0xc0, 45], 28, 1, &[0x20; 16]),
    ]
    .concat()
}

fn asked(bytes: &[u8]) -> Vec<String> {
    let message = message(bytes).unwrap();
    message.questions.into_iter().map(|one| one.name).collect()
}

#[test]
fn an_answer_names_what_was_asked_and_where_it_is() {
    let message = message(&answer()).unwrap();
    assert_eq!(
        (message.id, message.response, message.code),
        (0x1234, true, 0)
    );
    assert!(!message.cut);
    assert_eq!(message.questions[0].name, "www.example.com");
    assert_eq!(message.questions[0].kind, 1);
    let shown: Vec<_> = message
        .records
        .iter()
        .map(|one| (one.name.as_str(), &one.data))
        .collect();
    let v6 = IpAddr::from([0x20u8; 16]);
    assert_eq!(
        shown,
        [
            ("www.example.com", &Data::Cname("host.example.com".into())),
            ("host.example.com", &Data::Address([192, 0, 2, 1].into())),
            ("host.example.com", &Data::Address(v6)),
        ]
    );
    assert_eq!(message.records[0].ttl, 300);
}

#[test]
fn the_bits_of_mdns_are_no_class() {
    let bytes = [
        header(0x8400, 1, 2),
        question(&wire("printer.local"), 255, 0x8001),
        record(&wire("printer.local"), 1, 0x8001, &[192, 0, 2, 7]),
        record(&wire("_ipp.local"), 12, 1, &wire("printer._ipp.local")),
    ]
    .concat();
    let message = message(&bytes).unwrap();
    assert_eq!(
        message.records[0].data,
        Data::Address([192, 0, 2, 7].into())
    );
    assert_eq!(
        message.records[1].data,
        Data::Pointer("printer._ipp.local".into())
    );
}

#[test]
fn names_are_shown_as_they_are() {
    assert_eq!(asked(&[&QUERY[..], &question(&[0], 2, 1)].concat()), ["."]);
    let odd = question(b"\x03a.b\x02\xff\x1b\x03\xe2\x82\xac\0", 1, 1);
    assert_eq!(
        asked(&[&QUERY[..], &odd].concat()),
        ["a.b.\\xff\x1b.\u{20ac}"]
    );
}

#[test]
fn loops_and_wrong_labels_end_the_message() {
    for name in [
        &[0xc0, 12][..],  // itself
        &[0xc0, 14, 0],   // forwards
        &[0xc0, 4],       // the header
        b"\x01a\xc0\x0c", // its own beginning
        &[0x40, 0],
        &[0x80, 0],
    ] {
        let message = message(&[&QUERY[..], &question(name, 1, 1)].concat()).unwrap();
        assert!(message.cut && message.questions.is_empty(), "{name:x?}");
    }
}

#[test]
fn a_name_has_at_most_255_bytes() {
    let labels = |last: usize| {
        let mut name = Vec::new();
        for len in [63, 63, 63, last] {
            name.push(len as u8);
            name.extend(vec![b'a'; len]);
        }
        name.push(0);
        [&QUERY[..], &question(&name, 1, 1)].concat()
    };
    assert_eq!(asked(&labels(61))[0].len(), 253);
    assert!(asked(&labels(62)).is_empty());
}

#[test]
fn what_can_not_be_a_message_is_none() {
    assert_eq!(message(&QUERY[..11]), None);
    assert_eq!(message(&header(7 << 11, 1, 0)), None);
    assert!(message(&header(6 << 11, 0, 0)).is_some());
}

#[test]
fn counts_are_not_believed() {
    let many = [header(0, u16::MAX, u16::MAX), [0, 0, 1, 0, 1].repeat(9000)].concat();
    let message = message(&many).unwrap();
    assert_eq!(
        (message.questions.len(), message.cut),
        (MOST_QUESTIONS, true)
    );
}

#[test]
fn a_record_with_wrong_data_is_passed_over() {
    let bytes = [
        header(0x8180, 0, 4),
        record(&[0], 1, 1, &[1, 2, 3]),
        record(&[0], 5, 1, &[0xc0, 0xff]),
        record(&[0], 1, 4, &[192, 0, 2, 1]), // another class
        record(&wire("a"), 1, 1, &[192, 0, 2, 1]),
    ]
    .concat();
    let message = message(&bytes).unwrap();
    assert_eq!((message.records.len(), message.cut), (1, false));
    assert_eq!(message.records[0].name, "a");
}

#[test]
fn every_cut_yields_the_beginning() {
    let answer = answer();
    let whole = message(&answer).unwrap();
    for len in 12..answer.len() {
        let part = message(&answer[..len]).unwrap();
        assert!(part.cut, "{len}");
        assert!(whole.questions.starts_with(&part.questions));
        assert!(whole.records.starts_with(&part.records));
    }
}

/// First-level encoding of `name` with `suffix`.
fn half_bytes(name: &[u8], pad: u8, suffix: u8) -> Vec<u8> {
    let mut padded = [pad; 16];
    padded[..name.len()].copy_from_slice(name);
    padded[15] = suffix;
    let letters = padded
        .iter()
        .flat_map(|byte| [b'A' + (byte >> 4), b'A' + (byte & 15)]);
    [32].into_iter().chain(letters).chain([0]).collect()
}

#[test]
fn netbios_names_lose_padding_and_suffix() {
    for (name, pad, suffix) in [
        ("WORKGROUP", b' ', 0x1d),
        ("*", 0, 0),
        ("MY PC", b' ', 0x20),
    ] {
        let question = question(&half_bytes(name.as_bytes(), pad, suffix), 0x20, 1);
        let message = netbios(&[&QUERY[..], &question].concat()).unwrap();
        assert_eq!(
            (message.questions[0].name.as_str(), message.cut),
            (name, false)
        );
    }
    let plain = [&QUERY[..], &question(&wire("www.example.com"), 1, 1)].concat();
    assert!(netbios(&plain).unwrap().questions.is_empty());
}

#[test]
fn netbios_addresses_are_of_hosts() {
    let registered = |suffix, flags| {
        let name = half_bytes(b"PC", b' ', suffix);
        let bytes = [
            header(0x2910, 1, 1),
            question(&name, 0x20, 1),
            record(
                &[0xc0, 12],
                0x20,
                1,
                &[flags, 0, 192, 0, 2, 1, flags, 0, 192, 0, 2, 2],
            ),
        ];
        netbios(&bytes.concat()).unwrap().records
    };
    let both = registered(0x20, 0);
    assert_eq!(both[1].data, Data::Address([192, 0, 2, 2].into()));
    assert_eq!(
        (both.len(), both[0].name.as_str(), both[0].ttl),
        (2, "PC", 300)
    );
    assert!(registered(0, 0x80).is_empty(), "a group");
    assert!(registered(3, 0).is_empty(), "a user");
}

#[test]
fn plausible_is_what_fits() {
    let query = [&QUERY[..], &question(&wire("a.example"), 1, 1)].concat();
    let answer = answer();
    for right in [&query, &answer] {
        assert!(is_plausible(right, right.len()));
        assert!(!is_plausible(right, right.len() + 1000) || right == &answer);
    }
    assert!(is_plausible(&answer[..60], answer.len()));
    assert!(!is_plausible(&answer[..60], 60), "its records are missing");
    assert!(
        !is_plausible(&answer[..20], answer.len()),
        "its question is cut off"
    );
    let longer = [&query[..], &[0]].concat();
    assert!(
        !is_plausible(&longer, longer.len()),
        "something is left over"
    );
    let with = |at: usize, byte: u8| {
        let mut bytes = query.clone();
        bytes[at] = byte;
        is_plausible(&bytes, bytes.len())
    };
    assert!(!with(2, 0x39), "opcode 7");
    assert!(!with(3, 0x40), "the bit that is zero");
    assert!(!with(3, 3), "a question with an error");
    assert!(!with(5, 2), "two questions");
    assert!(!with(7, 1), "a question with an answer");
    assert!(!with(13, 0x01), "a control character");
    assert!(!with(query.len() - 3, 0), "kind 0");
    assert!(!with(query.len() - 1, 2), "class 2");
}

proptest! {
    #[test]
    fn any_bytes_are_bounded(bytes in proptest::collection::vec(any::<u8>(), 0..600), wire_len in 0usize..2000) {
        bounded(&bytes, wire_len);
    }

    #[test]
    fn damaged_messages_are_bounded(at in 0usize..120, byte: u8, more in 0usize..120, other: u8, len in 0usize..130) {
        let mut bytes = answer();
        for (at, byte) in [(at, byte), (more, other)] {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        bounded(&bytes, bytes.len());
        // The beginning of it says the same, or less.
        let part = &bytes[..len.min(bytes.len())];
        if let (Some(whole), Some(part)) = (message(&bytes), message(part)) {
            prop_assert!(whole.questions.starts_with(&part.questions));
            prop_assert!(whole.records.starts_with(&part.records));
        }
    }
}

fn bounded(bytes: &[u8], wire_len: usize) {
    is_plausible(bytes, wire_len);
    for message in [message(bytes), netbios(bytes)].into_iter().flatten() {
        assert!(message.questions.len() <= MOST_QUESTIONS);
        assert!(message.records.len() <= MOST_RECORDS);
        // A byte that is no text takes four.
        assert!(
            message
                .questions
                .iter()
                .all(|one| one.name.len() <= 4 * 255)
        );
    }
}
