//! What leaves A is what arrives at B, to the packet and the byte, though the kernel hands over super-packets.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;

use serde_json::Value;

use crate::harness::{Namespace, Pair, Sensor, ip, need_kernel};

pub(crate) const TCP_BYTES: usize = 8 << 20;
/// Few enough for the receiver's socket buffer.
const UDP_DATAGRAMS: usize = 50;
const UDP_SEGMENT: usize = 1172;

#[test]
fn tcp_by_tc_on_both_sides() {
    both_sides(&[], &[], tcp);
}

/// Native XDP switches veth's segmentation offload off, so A sends real packets here.
#[test]
fn tcp_by_tc_egress_and_native_xdp() {
    both_sides(&[], &["--backend", "xdp"], tcp);
}

#[test]
fn tcp_by_af_packet_on_both_sides() {
    both_sides(
        &["--backend", "af-packet"],
        &["--backend", "af-packet"],
        tcp,
    );
}

#[test]
fn tcp_by_tc_and_af_packet() {
    both_sides(&["--backend", "tc"], &["--backend", "af-packet"], tcp);
}

#[test]
fn udp_segments_by_tc_and_af_packet() {
    both_sides(
        &["--backend", "tc"],
        &["--backend", "af-packet"],
        udp_segments,
    );
}

#[test]
fn udp_segments_by_tc_and_native_xdp() {
    both_sides(&["--backend", "tc"], &["--backend", "xdp"], udp_segments);
}

/// Each segment of a tunnelled super-packet carries outer and inner headers.
#[test]
fn tcp_through_vxlan() {
    need_kernel!();
    let pair = Pair::new(1500);
    if !vxlan(&pair.a, "a0", "10.9.0.2", "10.8.0.1/24") {
        println!("skipped: this kernel has no vxlan device");
        return;
    }
    assert!(vxlan(&pair.b, "b0", "10.9.0.1", "10.8.0.2/24"));
    let (sent, received) = run(&pair, &["--backend", "tc"], &["--backend", "tc"], |pair| {
        tcp_to(pair, "10.8.0.2")
    });
    equal(&sent, &received);
    assert!(
        seen(&sent["totals"]["egress"]).0 > (TCP_BYTES / 1500) as u64,
        "segments, not super-packets"
    );
}

fn both_sides(a: &[&str], b: &[&str], traffic: fn(&Pair)) {
    need_kernel!();
    let pair = Pair::new(1500);
    let (sent, received) = run(&pair, a, b, traffic);
    equal(&sent, &received);
}

fn run(pair: &Pair, a: &[&str], b: &[&str], traffic: impl FnOnce(&Pair)) -> (Value, Value) {
    let receiver = Sensor::start(&pair.b, &[&["-i", "b0"], b].concat());
    let sender = Sensor::start(&pair.a, &[&["-i", "a0"], a].concat());
    traffic(pair);
    // ARP in the other direction may still be on its way; counts below are compared per direction and flow.
    (sender.stop().checked(), receiver.stop().checked())
}

/// The reports of both sides of a TCP transfer under a filter.
pub(crate) fn filtered(expression: &str, sender: &str, receiver: &str) -> [Value; 2] {
    let pair = Pair::new(1500);
    let with = |backend| ["--backend", backend, "-f", expression];
    let (sent, received) = run(&pair, &with(sender), &with(receiver), tcp);
    [sent, received]
}

fn equal(sent: &Value, received: &Value) {
    assert_eq!(flows(sent, "egress"), flows(received, "ingress"), "A to B");
    assert_eq!(flows(sent, "ingress"), flows(received, "egress"), "B to A");
    assert!(!flows(sent, "egress").is_empty() && !flows(received, "ingress").is_empty());
}

/// TCP and UDP flows of one direction, as rows that can be compared.
pub(crate) fn flows(report: &Value, direction: &str) -> Vec<String> {
    let mut rows: Vec<String> = report["flows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|flow| flow["direction"] == direction)
        .map(|flow| {
            let fields = [
                "src_addr",
                "src_port",
                "dst_addr",
                "dst_port",
                "transport",
                "packets",
                "bytes",
                "tcp_flags",
            ];
            fields.map(|name| flow[name].to_string()).join(" ")
        })
        .collect();
    rows.sort();
    rows
}

fn seen(counts: &Value) -> (u64, u64) {
    (
        counts["packets"].as_u64().unwrap(),
        counts["bytes"].as_u64().unwrap(),
    )
}

fn tcp(pair: &Pair) {
    tcp_to(pair, "10.9.0.2");
}

/// A transfer that has ended on both sides, so that no packet is under way afterwards.
fn tcp_to(pair: &Pair, address: &str) {
    transfer(pair, address);
    quiet(pair);
}

/// The last acknowledgements may still be under way.
pub(crate) fn transfer(pair: &Pair, address: &str) {
    let listener = pair
        .b
        .inside(|| TcpListener::bind(("0.0.0.0", 5001)).unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut received = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match stream.read(&mut buffer).unwrap() {
                0 => break,
                count => received += count,
            }
        }
        stream.write_all(b"done").unwrap();
        received
    });
    pair.a.inside(|| {
        let mut stream = TcpStream::connect((address, 5001)).unwrap();
        stream.write_all(&vec![7; TCP_BYTES]).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, b"done");
    });
    assert_eq!(server.join().unwrap(), TCP_BYTES);
}

/// `UDP_SEGMENT`: one system call, many datagrams.
fn udp_segments(pair: &Pair) {
    let receiver = pair
        .b
        .inside(|| UdpSocket::bind(("10.9.0.2", 5002)).unwrap());
    receiver
        .set_read_timeout(Some(std::time::Duration::from_secs(5)))
        .unwrap();
    pair.a.inside(|| {
        let socket = UdpSocket::bind(("10.9.0.1", 5003)).unwrap();
        let segment = UDP_SEGMENT as libc::c_int;
        // SAFETY: the option value is an int that lives through the call.
        let result = unsafe {
            let value = (&raw const segment).cast();
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_UDP,
                libc::UDP_SEGMENT,
                value,
                size_of_val(&segment) as u32,
            )
        };
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
        for _ in 0..UDP_DATAGRAMS / 10 {
            let sent = socket
                .send_to(&[1; 10 * UDP_SEGMENT - 100], ("10.9.0.2", 5002))
                .unwrap();
            assert_eq!(sent, 10 * UDP_SEGMENT - 100);
        }
    });
    let mut buffer = [0; 2000];
    for _ in 0..UDP_DATAGRAMS {
        receiver.recv(&mut buffer).unwrap();
    }
    quiet(pair);
}

/// Waits until the last acknowledgements are through: both interfaces' counters agree and stand still.
fn quiet(pair: &Pair) {
    let counters = |namespace: &Namespace, name: &str| {
        namespace.inside(|| {
            let link = sensor::link::by_name(name).unwrap().unwrap();
            (link.rx.packets, link.tx.packets)
        })
    };
    let mut before = None;
    crate::harness::eventually("the pair falls quiet", || {
        let now = (counters(&pair.a, "a0"), counters(&pair.b, "b0"));
        before.replace(now) == Some(now) && now.0.1 == now.1.0 && now.0.0 == now.1.1
    });
}

fn vxlan(namespace: &Namespace, under: &str, remote: &str, address: &str) -> bool {
    let name = &namespace.name;
    let add = [
        "-n", name, "link", "add", "vx0", "type", "vxlan", "id", "42", "dev", under, "remote",
        remote, "dstport", "4789",
    ];
    let made = std::process::Command::new("ip").args(add).output().unwrap();
    if !made.status.success() {
        return false;
    }
    ip(&["-n", name, "addr", "add", address, "dev", "vx0"]);
    ip(&["-n", name, "link", "set", "vx0", "up"]);
    true
}
