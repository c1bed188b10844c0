//! Requests and answers of HTTP/1.

use super::wire::client_hello;
use super::*;

#[test]
fn requests_tell_their_host() {
    let mut book = Book::new(64);
    let mut talk = Talk::new(CLIENT, "192.0.2.1:8080", TCP);
    let get = |host| format!("GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: test\r\n\r\n");
    let label = talk.client(&mut book, get("a.example.org:8080").as_bytes());
    assert_eq!(label, payload(Application::Http));
    talk.server(&mut book, b"HTTP/1.1 404 Not Found\r\n\r\n");
    talk.client(&mut book, get("b.example.org").as_bytes());
    let of_flow = flow_names(&book, &talk);
    let of_flow: Vec<&str> = of_flow.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(of_flow, ["a.example.org", "b.example.org"]);
    let http = book.flow(&talk.key()).unwrap().http.clone().unwrap();
    assert_eq!(http.method.as_deref(), Some("GET"));
    assert_eq!(http.host.as_deref(), Some("a.example.org:8080"));
    assert_eq!(
        (http.user_agent.as_deref(), http.status),
        (Some("test"), Some(404))
    );
    assert_eq!(book.of_address([192, 0, 2, 1].into()).len(), 2);
}

#[test]
fn websocket_waits_for_the_answer_and_a_tunnel_is_a_proxy() {
    let mut book = Book::new(64);
    let ask = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let mut talk = Talk::new(CLIENT, "192.0.2.1:80", TCP);
    assert_eq!(talk.client(&mut book, ask), None);
    let agreed = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(
        talk.server(&mut book, agreed),
        payload(Application::Websocket)
    );
    let mut talk = Talk::new("10.0.0.1:40001", "192.0.2.1:80", TCP);
    assert_eq!(talk.client(&mut book, ask), None);
    let refused = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    assert_eq!(talk.server(&mut book, refused), payload(Application::Http));

    let mut talk = Talk::new(CLIENT, "192.0.2.9:3128", TCP);
    let label = talk.client(&mut book, b"CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n");
    assert_eq!(label, payload(Application::HttpProxy));
    talk.server(&mut book, b"HTTP/1.1 200 OK\r\n\r\n");
    talk.client(&mut book, &client_hello("b", "", 0));
    let sni = ("b".to_string(), NameSource::Sni);
    assert_eq!(flow_names(&book, &talk)[0], sni);
    assert_eq!(book.of_address([192, 0, 2, 9].into()), &[]);
}

#[test]
fn who_is_asked_for_what_others_have_is_not_named_by_it() {
    let mut book = Book::new(64);
    for (client, scheme) in [
        ("10.0.0.1:40000", "http://"),
        ("10.0.0.1:40001", "HTTP://"),
        ("10.0.0.1:40002", "hTTps://"),
    ] {
        let ask = format!("GET {scheme}bank.example/ HTTP/1.1\r\nHost: bank.example\r\n\r\n");
        let mut talk = Talk::new(client, "192.0.2.8:8080", TCP);
        let label = talk.client(&mut book, ask.as_bytes());
        assert_eq!(label, payload(Application::HttpProxy), "{scheme}");
        assert_eq!(flow_names(&book, &talk)[0].0, "bank.example");
        assert_eq!(book.of_address([192, 0, 2, 8].into()), &[], "{scheme}");
    }
    // A path that speaks of another address is a path.
    let mut talk = Talk::new("10.0.0.1:40003", "192.0.2.8:8080", TCP);
    let ask = b"GET /http://other/ HTTP/1.1\r\nHost: own.example\r\n\r\n";
    assert_eq!(talk.client(&mut book, ask), payload(Application::Http));
    assert_eq!(book.of_address([192, 0, 2, 8].into()).len(), 1);
}

#[test]
fn a_head_may_come_in_several_segments() {
    let mut book = Book::new(64);
    let mut talk = Talk::new(CLIENT, "192.0.2.1:80", TCP);
    let start = b"GET /long HTTP/1.1\r\nCookie: a=b\r\nHost: a.exam";
    assert_eq!(
        talk.client(&mut book, start),
        payload(Application::Http),
        "the label needs no host"
    );
    assert!(flow_names(&book, &talk).is_empty());
    talk.client(&mut book, b"ple.org\r\nUser-");
    let name = ("a.example.org".to_string(), NameSource::Http);
    assert_eq!(flow_names(&book, &talk), [name]);
    let http = book.flow(&talk.key()).unwrap().http.clone().unwrap();
    assert_eq!(http.method.as_deref(), Some("GET"));
    assert_eq!(http.host.as_deref(), Some("a.example.org"));
}

#[test]
fn even_the_first_line_may() {
    let mut book = Book::new(64);
    let mut talk = Talk::new(CLIENT, "192.0.2.1:80", TCP);
    let start = format!("GET /{}", "a".repeat(1435));
    assert_eq!(
        talk.client(&mut book, start.as_bytes()),
        payload(Application::Http)
    );
    talk.client(&mut book, b"bc");
    talk.client(&mut book, b" HTTP/1.1\r\nHost: a.example.org\r\n\r\n");
    let name = ("a.example.org".to_string(), NameSource::Http);
    assert_eq!(flow_names(&book, &talk), [name]);
}

#[test]
fn what_follows_a_head_or_its_answer_is_no_host() {
    let mut book = Book::new(64);
    let mut whole = Talk::new(CLIENT, "192.0.2.1:80", TCP);
    whole.client(&mut book, b"POST / HTTP/1.0\r\nX: y\r\n\r\n");
    whole.client(&mut book, b"Host: body\r\n\r\n");
    assert!(flow_names(&book, &whole).is_empty());

    let mut answered = Talk::new("10.0.0.1:40001", "192.0.2.1:80", TCP);
    answered.client(&mut book, b"GET / HTTP/1.1\r\nX: y\r\n");
    answered.server(&mut book, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    answered.client(&mut book, b"Host: late\r\n\r\n");
    assert!(flow_names(&book, &answered).is_empty());
}
