//! What a run serves while it goes on: the page in a real browser, metrics in a real Prometheus. All of it is within the
//! test's own namespaces.

mod page;
mod prometheus;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::harness::{Namespace, Sensor};
use crate::support::report::number;

/// The address that the sensor says it serves this at.
pub(crate) fn address(sensor: &Sensor, what: &str) -> SocketAddr {
    let line = sensor.greeting.lines().find(|line| line.starts_with(what));
    let (_, rest) = line.unwrap().split_once("http://").unwrap();
    let (address, _) = rest.split_once('/').unwrap();
    address.parse().unwrap()
}

/// The body of an answer with status 200.
pub(crate) fn get(namespace: &Namespace, address: SocketAddr, path: &str) -> String {
    let answer = namespace.inside(|| {
        let mut stream = TcpStream::connect(address).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    });
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
    match head.contains("transfer-encoding: chunked") {
        true => panic!("{path}: in chunks"),
        false => body.to_owned(),
    }
}
