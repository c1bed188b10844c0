//! What DNS answers name.

use super::*;

#[test]
fn an_answer_names_the_flow_that_follows() {
    let mut book = Book::new(64);
    let mut dns_talk = Talk::new(CLIENT, "10.0.0.53:53", UDP);
    let chain = [
        ("www.example.org", 60, Rr::Cname("cdn.example.net")),
        ("cdn.example.net", 20, Rr::A([192, 0, 2, 1])),
        ("ns.example.net", 20, Rr::A([192, 0, 2, 53])),
    ];
    dns_talk.client(&mut book, &dns(false, Some("www.example.org"), &[]));
    dns_talk.server(&mut book, &dns(true, Some("www.example.org"), &chain));
    let asked = ("www.example.org".to_string(), NameSource::Dns);
    assert_eq!(flow_names(&book, &dns_talk), std::slice::from_ref(&asked));
    let server = book.of_address([192, 0, 2, 1].into());
    assert_eq!(names(server), [("www.example.org", NameSource::Dns)]);
    let glue = book.of_address([192, 0, 2, 53].into());
    assert_eq!(names(glue), [("ns.example.net", NameSource::Dns)]);

    let talk = Talk::new("10.0.0.1:50000", SERVER, TCP);
    let late = book.flow_started(&talk.key(), Some(121 * SECOND));
    assert_eq!(
        (late, flow_names(&book, &talk)),
        (Verdict::Undecided, vec![])
    );
    book.flow_started(&talk.key(), Some(101 * SECOND));
    book.flow_started(&talk.key(), Some(900 * SECOND));
    assert_eq!(flow_names(&book, &talk), std::slice::from_ref(&asked));
    let ping = FlowKey::ipv4(
        u32::from_ne_bytes([10, 0, 0, 1]),
        u32::from_ne_bytes([192, 0, 2, 1]),
        1,
    );
    assert_eq!(
        book.flow_started(&ping, Some(101 * SECOND)),
        Verdict::Decided(None)
    );
    assert_eq!(book.flow(&ping).map(|info| info.names.len()), Some(1));
    assert_eq!(book.samples(), 2);
}

#[test]
fn who_was_asked_for_is_not_named_where_it_comes_by_itself() {
    let mut book = Book::new(64);
    let mut dns_talk = Talk::new(CLIENT, "10.0.0.53:53", UDP);
    let answer = [("peer.example.org", 60, Rr::A([192, 0, 2, 1]))];
    dns_talk.client(&mut book, &dns(false, Some("peer.example.org"), &[]));
    dns_talk.server(&mut book, &dns(true, Some("peer.example.org"), &answer));
    let mut named = |client, server| {
        let talk = Talk::new(client, server, TCP);
        // Whichever way is counted first.
        let key = talk.key();
        book.flow_started(&key, Some(101 * SECOND));
        !flow_names(&book, &talk).is_empty()
    };
    assert!(!named("192.0.2.1:50001", "10.0.0.1:22"));
    assert!(!named("10.0.0.1:22", "192.0.2.1:50002"));
    assert!(named("10.0.0.1:50003", "192.0.2.1:22"));
    assert!(named("192.0.2.1:22", "10.0.0.1:50004"));
    assert!(named("10.0.0.1:50005", "192.0.2.1:50006"));
}

#[test]
fn nobody_answers_what_was_not_asked() {
    let mut book = Book::new(64);
    let mut asked = Talk::new(CLIENT, "10.0.0.53:53", UDP);
    asked.client(&mut book, &dns(false, Some("a.example.org"), &[]));
    let forged = |name, addr| dns(true, Some(name), &[(name, 60, Rr::A(addr))]);
    asked.server(&mut book, &forged("b.example.org", [192, 0, 2, 2]));
    let mut never = Talk::new("10.0.0.1:40001", "198.51.100.6:53", UDP);
    never.server(&mut book, &forged("bank.example.org", [192, 0, 2, 3]));
    asked.server(&mut book, &forged("a.example.org", [192, 0, 2, 1]));
    for (last, names) in [(1, 1), (2, 0), (3, 0)] {
        assert_eq!(book.of_address([192, 0, 2, last].into()).len(), names);
    }
    // Where only answers come by, they may say what they were asked for.
    let mut one_way = Talk::new("10.0.0.9:40001", "10.0.0.53:53", UDP);
    let records = [
        ("c.example.org", 60, Rr::A([192, 0, 2, 4])),
        ("bank.example.org", 60, Rr::A([192, 0, 2, 5])),
    ];
    one_way.server(&mut book, &dns(true, Some("c.example.org"), &records));
    assert_eq!(book.of_address([192, 0, 2, 4].into()).len(), 1);
    assert_eq!(book.of_address([192, 0, 2, 5].into()).len(), 0);
}

#[test]
fn what_others_asked_for_names_no_flow() {
    let mut book = Book::new(64);
    let answer = [("a.example.org", 60, Rr::A([192, 0, 2, 1]))];
    let mut talk = Talk::new(CLIENT, "10.0.0.53:53", UDP);
    talk.server(&mut book, &dns(true, Some("a.example.org"), &answer));
    for (client, names) in [("10.0.0.1:50000", 1), ("10.0.0.2:50000", 0)] {
        let key = flow(client, SERVER, TCP);
        book.flow_started(&key, Some(101 * SECOND));
        assert_eq!(
            book.flow(&key).map_or(0, |info| info.names.len()),
            names,
            "{client}"
        );
    }
}

#[test]
fn an_answer_may_come_just_after_the_first_packet() {
    let mut book = Book::new(64);
    let mut talk = Talk::new(CLIENT, SERVER, TCP);
    talk.at += SECOND / 100;
    book.flow_started(&talk.key(), Some(100 * SECOND - SECOND / 100));
    let answer = [("a.example.org", 60, Rr::A([192, 0, 2, 1]))];
    let mut asked = Talk::new(CLIENT, "10.0.0.53:53", UDP);
    asked.server(&mut book, &dns(true, Some("a.example.org"), &answer));
    talk.client(&mut book, b"anything");
    assert_eq!(flow_names(&book, &talk).len(), 1);
}

#[test]
fn noise_on_a_port_of_names_is_no_name() {
    let mut book = Book::new(1 << 16);
    let mut random = 1_u32;
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 24) as u8
    };
    for number in 0..20_000 {
        let payload: Vec<u8> = (0..200).map(|_| next()).collect();
        let port = 1024 + number;
        let client: &'static str = format!("10.0.0.5:{port}").leak();
        let mut talk = Talk::new(client, "10.0.0.7:53", UDP);
        talk.client(&mut book, &payload);
        assert_eq!(flow_names(&book, &talk), [], "{payload:x?}");
    }
    // A question, and then nothing of it makes sense.
    let mut damaged = dns(false, Some("a.example.org"), &[]);
    damaged.extend([0x80; 9]);
    for port in ["10.0.0.7:5353", "10.0.0.7:5355", "10.0.0.7:53"] {
        let mut talk = Talk::new(CLIENT, port, UDP);
        damaged[9] = 1;
        talk.client(&mut book, &damaged);
        assert_eq!(flow_names(&book, &talk), [], "{port}");
    }
}

#[test]
fn multicast_dns_and_pointers_name_addresses() {
    let mut book = Book::new(64);
    let mut talk = Talk::new("10.0.0.9:5353", "224.0.0.251:5353", UDP);
    let answer = [("printer.local", 120, Rr::A([10, 0, 0, 9]))];
    talk.client(&mut book, &dns(true, None, &answer));
    let printer = names(book.of_address([10, 0, 0, 9].into()));
    assert_eq!(printer, [("printer.local", NameSource::Mdns)]);
    let scan = flow("10.0.0.3:1", "10.0.0.9:631", TCP);
    book.flow_started(&scan, Some(101 * SECOND));
    assert_eq!(book.flow(&scan).map(|info| info.names.len()), Some(1));

    let mut talk = Talk::new(CLIENT, "10.0.0.53:53", UDP);
    let reverse = "7.2.0.192.in-addr.arpa";
    let pointer = [(reverse, 9, Rr::Ptr("host.example.org"))];
    talk.server(&mut book, &dns(true, Some(reverse), &pointer));
    let host = names(book.of_address([192, 0, 2, 7].into()));
    assert_eq!(host, [("host.example.org", NameSource::Dns)]);
}
