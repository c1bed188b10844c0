//! Calls between peers.

use super::*;

/// STUN between peers opens what the conversation is; if nothing comes, STUN it was.
#[test]
fn what_opens_a_path_waits_for_what_comes_on_it() {
    let mut book = Book::new(64);
    let check = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[1; 12]].concat();
    let media = |sequence: u8| {
        let head = [0x80, 96, 0, sequence, 0, 0, 0, 9, 0xde, 0xad, 0xbe, 0xef];
        [&head[..], &[0x55; 100]].concat()
    };
    let mut call = Talk::new("10.0.0.1:50000", "10.0.0.2:50002", UDP);
    assert_eq!(call.client(&mut book, &check), None);
    assert_eq!(book.verdict(&call.key()), Verdict::Undecided);
    assert_eq!(book.label(&call.key()), payload(Application::Stun));
    assert_eq!(call.client(&mut book, &media(1)), None);
    let rtp = payload(Application::Rtp);
    assert_eq!(call.client(&mut book, &media(2)), rtp);
    assert_eq!(book.label(&call.key()), rtp);

    let stun = payload(Application::Stun);
    let mut checks = Talk::new("10.0.0.1:50004", "10.0.0.2:50006", UDP);
    for _ in 0..3 {
        assert_eq!(checks.client(&mut book, &check), None);
    }
    assert_eq!(checks.client(&mut book, &check), stun);
    let mut server = Talk::new("10.0.0.1:50008", "10.0.0.2:3478", UDP);
    assert_eq!(server.client(&mut book, &check), stun);
}
