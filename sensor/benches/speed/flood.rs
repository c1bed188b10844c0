//! As many short UDP packets as one thread can send.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use crate::namespaces::Pair;

const SOCKETS: usize = 64;
const AT_ONCE: usize = 64;
/// With its headers 60 bytes on the wire: the shortest that an Ethernet carries.
const PAYLOAD: [u8; 18] = [0; 18];

/// Packets that arrived at `b0`, and in how many seconds.
pub(crate) fn flood(pair: &Pair, duration: Duration) -> (u64, f64) {
    let sink = pair.b.inside(|| UdpSocket::bind("10.9.0.2:9999").unwrap());
    let before = pair.b.packets("b0", true);
    let seconds = pair.a.inside(|| send(duration));
    let after = pair.b.packets("b0", true);
    drop(sink);
    (after - before, seconds)
}

fn send(duration: Duration) -> f64 {
    let sockets: Vec<UdpSocket> = (0..SOCKETS).map(|_| socket()).collect();
    let mut part = libc::iovec {
        iov_base: PAYLOAD.as_ptr().cast_mut().cast(),
        iov_len: PAYLOAD.len(),
    };
    // SAFETY: plain integers and pointers, for which zero is a value.
    let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
    message.msg_hdr.msg_iov = &raw mut part;
    message.msg_hdr.msg_iovlen = 1;
    let mut messages = [message; AT_ONCE];
    let start = Instant::now();
    while start.elapsed() < duration {
        for socket in &sockets {
            // SAFETY: the messages and what they point to live through the call, which only reads the payload.
            unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), AT_ONCE as u32, 0) };
        }
    }
    start.elapsed().as_secs_f64()
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("10.9.0.1:0").unwrap();
    socket.connect("10.9.0.2:9999").unwrap();
    socket
}
