//! The same page fed by a server: the seam that `sensor run --listen` builds on.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use super::{calm, hundred_seconds, page};
use crate::support::browser::Browser;

/// Hands out the live page, and then the reports that come through the channel, to one browser.
fn serve(listener: TcpListener, reports: Receiver<String>) {
    let live = sensor::dashboard::live_page("/events");
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let asked = request_line(&stream);
        if asked.starts_with("GET /events ") {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            for report in reports {
                let event = format!("event: report\ndata: {report}\n\n");
                stream.write_all(event.as_bytes()).unwrap();
            }
            return;
        }
        let (policy, html) = (&live.content_security_policy, &live.html);
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Security-Policy: {policy}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{html}",
            html.len()
        );
        stream.write_all(answer.as_bytes()).unwrap();
    }
}

fn request_line(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let first = lines.next().unwrap_or_default();
    lines.find(String::is_empty);
    first
}

/// What the file of these packets embeds.
fn data(seconds: usize) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (html, _) = page(
        folder.path(),
        "part.pcap",
        &hundred_seconds()[..2 * seconds],
        &[],
    );
    let html = std::fs::read_to_string(html).unwrap();
    let (_, rest) = html.split_once("id=\"data\">").unwrap();
    rest.split_once("</script>").unwrap().0.to_owned()
}

#[test]
fn the_same_page_shows_each_report_that_a_server_sends() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (send, reports) = channel();
    let server = std::thread::spawn(move || serve(listener, reports));
    browser.go_online();
    send.send(data(20)).unwrap();
    browser.visit(&format!("http://{address}/"));
    assert!(browser.text("#cards").contains("40"));
    assert_eq!(browser.text("#feed"), "live");
    browser.value("document.getElementById('span-in').click()");
    let before = browser.text("#span-told");
    browser.value("(() => { const search = document.getElementById('flows-search'); search.focus(); search.value = '10.0.0.9'; search.dispatchEvent(new Event('input')); })()");
    send.send(data(60)).unwrap();
    browser.until("document.getElementById('flows-told').textContent.includes('1 match') && document.getElementById('span-on').disabled === false");
    browser.until("document.getElementById('span').querySelectorAll('input')[1].max === '60'");
    assert_eq!(
        browser.text("#span-told"),
        before,
        "the span that was looked at stays"
    );
    assert_eq!(
        browser.value("document.getElementById('flows-search').value"),
        "10.0.0.9"
    );
    assert_eq!(browser.value("document.activeElement.id"), "flows-search");
    browser.value("document.getElementById('span-whole').click()");
    assert!(
        browser.text("#cards").contains("120"),
        "{}",
        browser.text("#cards")
    );
    let ours = format!("http://{address}/");
    browser.requests.retain(|url| !url.starts_with(&ours));
    calm(&browser);
    drop(send);
    server.join().unwrap();
}
