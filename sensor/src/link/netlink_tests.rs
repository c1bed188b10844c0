use super::*;
use proptest::prelude::*;

fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
    Request::new(kind, 0, payload).bytes
}

#[test]
fn messages_are_walked_to_the_end_of_the_datagram() {
    let mut bytes = message(16, &[1, 2, 3]);
    bytes.extend(message(17, &[9; 8]));
    let walked: Vec<_> = messages(&bytes)
        .map(|m| m.map(|m| (m.kind, m.payload.len())))
        .collect();
    assert!(
        matches!(walked[..], [Ok((16, 4)), Ok((17, 8))]),
        "{walked:?}"
    );
}

#[test]
fn a_message_longer_than_its_datagram_ends_the_walk_with_an_error() {
    let mut bytes = message(16, &[0; 8]);
    bytes.extend(message(17, &[0; 8]));
    bytes[24] = 200;
    let walked: Vec<_> = messages(&bytes).collect();
    assert_eq!(walked.len(), 2);
    assert!(walked[1].is_err());
}

#[test]
fn lengths_below_the_header_are_not_walked_for_ever() {
    for len in 0..16u32 {
        let mut bytes = message(16, &[0; 8]);
        bytes[..4].copy_from_slice(&len.to_ne_bytes());
        assert!(
            matches!(messages(&bytes).collect::<Vec<_>>()[..], [Err(_)]),
            "length {len}"
        );
    }
    assert_eq!(attributes(&[0, 0, 1, 0, 4, 0, 1, 0]).count(), 0);
    assert_eq!(attributes(&[3, 0, 1, 0]).count(), 0);
}

#[test]
fn attributes_lose_their_marks_and_padding() {
    let request = Request::new(16, 0, &[])
        .attribute(3 | libc::NLA_F_NESTED as u16, b"lo\0")
        .attribute(4, &[7]);
    let walked: Vec<_> = attributes(&request.bytes[HEADER_LEN..]).collect();
    assert_eq!(
        walked,
        [
            Attribute {
                kind: 3,
                payload: b"lo\0"
            },
            Attribute {
                kind: 4,
                payload: &[7]
            }
        ]
    );
    assert_eq!(u32_at(&request.bytes, 0), Some(request.bytes.len() as u32));
}

#[test]
fn ends_acknowledgements_and_refusals_are_told_apart() {
    let step = |kind: libc::c_int, payload: &[u8]| match classify(Message {
        kind: kind as u16,
        flags: 0,
        seq: 1,
        payload,
    }) {
        Step::Object(_) => "object".to_owned(),
        Step::End => "end".to_owned(),
        Step::Refused(error) => format!("refused {:?}", error.raw_os_error()),
    };
    assert_eq!(step(libc::NLMSG_DONE, &[]), "end");
    assert_eq!(step(libc::NLMSG_ERROR, &0i32.to_ne_bytes()), "end");
    assert_eq!(
        step(libc::NLMSG_ERROR, &(-libc::ENODEV).to_ne_bytes()),
        "refused Some(19)"
    );
    assert_eq!(
        step(libc::NLMSG_ERROR, &i32::MIN.to_ne_bytes()),
        "refused Some(2147483647)"
    );
    assert_eq!(step(16, &[]), "object");
}

#[test]
fn names_may_hold_any_bytes() {
    assert_eq!(text(b"eth0\0junk"), "eth0");
    assert_eq!(text(b"\xffx"), "\u{fffd}x");
    assert_eq!(text(b""), "");
}

proptest! {
    #[test]
    fn any_bytes_are_walked_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for message in messages(&bytes).flatten() {
            let _ = classify(message);
            attributes(message.payload).for_each(drop);
        }
        attributes(&bytes).for_each(drop);
    }
}
