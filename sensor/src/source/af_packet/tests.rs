//! The ring against a real kernel: plain sockets send over a veth pair, and everything must come out once.

mod filter;
mod offload;
mod trouble;

use super::*;
use crate::link;
use crate::link::netns::{MAC_A, MAC_B, Netns, VethPair, eventually, skipped};
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A frame that has outlived its block.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    data: Vec<u8>,
    len: u32,
    time_ns: i64,
    ifindex: u32,
    arphrd: u16,
    packet_type: u8,
    vlan: Option<Vlan>,
    gso_size: u16,
    gso_kind: u8,
}

impl From<Frame<'_>> for Seen {
    fn from(frame: Frame<'_>) -> Self {
        let Frame {
            data,
            len,
            time_ns,
            ifindex,
            arphrd,
            packet_type,
            vlan,
            gso_size,
            gso_kind,
        } = frame;
        Seen {
            data: data.to_vec(),
            len,
            time_ns,
            ifindex,
            arphrd,
            packet_type,
            vlan,
            gso_size,
            gso_kind,
        }
    }
}

const HOST: u8 = libc::PACKET_HOST;
const OTHER_HOST: u8 = libc::PACKET_OTHERHOST;
const OUTGOING: u8 = libc::PACKET_OUTGOING;

fn index(name: &str) -> u32 {
    link::by_name(name)
        .expect("an answer")
        .expect("an interface")
        .index
}

fn small(ifindex: u32) -> RingConfig {
    RingConfig {
        block_count: 8,
        ..RingConfig::new(ifindex)
    }
}

fn open(netns: &Netns, name: &str) -> Ring {
    netns.run(|| Ring::open(&small(index(name))).expect("a ring"))
}

/// Everything the ring captured; the counts must agree with the kernel's.
fn finish(mut ring: Ring) -> Vec<Seen> {
    let mut seen = Vec::new();
    let frames = ring
        .drain_all(|frame| seen.push(Seen::from(frame)))
        .expect("drained");
    let statistics = ring.statistics();
    assert_eq!(frames, seen.len());
    assert_eq!(
        statistics.packets - statistics.drops,
        frames as u64,
        "{statistics:?}"
    );
    assert_eq!(statistics.unreadable, 0);
    seen
}

/// Sends a whole frame out of an interface, as it is.
fn inject(netns: &Netns, name: &str, frame: &[u8]) {
    netns.run(|| {
        // SAFETY: plain system call; the descriptor is ours from here on.
        let socket =
            unsafe { OwnedFd::from_raw_fd(libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0)) };
        // SAFETY: integers only, for which zero is valid.
        let mut to: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        to.sll_family = libc::AF_PACKET as u16;
        to.sll_ifindex = index(name) as i32;
        let (bytes, len) = (frame.as_ptr().cast(), frame.len());
        let size = size_of_val(&to) as u32;
        // SAFETY: both pointers are given with the lengths of what they point to.
        let sent = unsafe {
            libc::sendto(
                socket.as_raw_fd(),
                bytes,
                len,
                0,
                (&raw const to).cast(),
                size,
            )
        };
        assert_eq!(sent, len as isize, "{}", std::io::Error::last_os_error());
    });
}

fn ethernet(to: [u8; 6], after_addresses: &[u8]) -> Vec<u8> {
    [&to, &MAC_A, after_addresses].concat()
}

#[test]
fn every_packet_is_seen_once_at_each_end_with_its_length() {
    let Some(pair) = VethPair::new() else { return };
    let (at_a, at_b) = (open(&pair.a, "veth0"), open(&pair.b, "veth1"));
    let sizes: Vec<usize> = (0..1000).map(|n| n * 7 % 1473).collect();
    let receiver = pair
        .b
        .run(|| UdpSocket::bind("10.9.0.2:9999").expect("bind"));
    let before = now_ns();
    pair.a.run(|| {
        let sender = UdpSocket::bind("10.9.0.1:0").expect("bind");
        let loopback = UdpSocket::bind("127.0.0.1:0").expect("bind");
        for &size in &sizes {
            sender
                .send_to(&vec![0x5a; size], "10.9.0.2:9999")
                .expect("send");
            loopback.send_to(&[0], "127.0.0.1:9").expect("send"); // another interface, must not be seen
        }
    });
    let after = now_ns();
    let expected: Vec<u32> = sizes.iter().map(|&size| size as u32 + 42).collect();
    for (ring, netns, name, packet_type) in [
        (at_a, &pair.a, "veth0", OUTGOING),
        (at_b, &pair.b, "veth1", HOST),
    ] {
        let seen = finish(ring);
        assert_eq!(
            seen.iter().map(|frame| frame.len).collect::<Vec<_>>(),
            expected,
            "{name}"
        );
        let ifindex = netns.run(|| index(name));
        for frame in &seen {
            assert_eq!(
                (frame.ifindex, frame.arphrd, frame.packet_type),
                (ifindex, 1, packet_type)
            );
            assert_eq!(
                frame.data.len(),
                frame.len.min(256) as usize,
                "cut to the snaplen"
            );
            assert_eq!(frame.data[..12], [MAC_B, MAC_A].concat());
            assert!(frame.data[42..].iter().all(|&b| b == 0x5a));
            assert_eq!((frame.vlan, frame.gso_size), (None, 0));
            assert!(
                (before..=after).contains(&frame.time_ns),
                "{} <= {} <= {}",
                before,
                frame.time_ns,
                after
            );
        }
    }
    drop(receiver);
}

#[test]
fn promiscuous_mode_lasts_as_long_as_the_ring() {
    let Some(pair) = VethPair::new() else { return };
    let promiscuity = || {
        let output = std::process::Command::new("ip")
            .args(["-n", &pair.b.name, "-d", "link", "show", "veth1"])
            .output();
        let text = String::from_utf8_lossy(&output.expect("ip").stdout).into_owned();
        text.split("promiscuity ")
            .nth(1)
            .and_then(|rest| rest.chars().next())
    };
    assert_eq!(promiscuity(), Some('0'));
    let ring = pair.b.run(|| {
        Ring::open(&RingConfig {
            promiscuous: true,
            ..small(index("veth1"))
        })
        .expect("a ring")
    });
    assert_eq!(promiscuity(), Some('1'));
    inject(
        &pair.a,
        "veth0",
        &ethernet([2, 9, 9, 9, 9, 9], &[0x88, 0xb5, 0]),
    );
    let seen = finish(ring);
    assert_eq!(
        seen.iter()
            .map(|frame| (frame.len, frame.packet_type))
            .collect::<Vec<_>>(),
        [(15, OTHER_HOST)]
    );
    assert!(eventually(|| promiscuity() == Some('0')));
}

#[test]
fn all_interfaces_tell_which_one_it_was() {
    let Some(pair) = VethPair::new() else { return };
    let ring = pair.a.run(|| {
        Ring::open(&RingConfig {
            snaplen: 0,
            ..small(0)
        })
        .expect("a ring")
    });
    let _receiver = pair
        .b
        .run(|| UdpSocket::bind("10.9.0.2:9999").expect("bind"));
    let (lo, veth) = pair.a.run(|| {
        let receiver = UdpSocket::bind("127.0.0.1:9999").expect("bind");
        receiver
            .send_to(&[1; 1000], "127.0.0.1:9999")
            .expect("send");
        let sender = UdpSocket::bind("10.9.0.1:0").expect("bind");
        sender.send_to(&[1; 1000], "10.9.0.2:9999").expect("send");
        (index("lo"), index("veth0"))
    });
    let seen = finish(ring);
    let found: Vec<_> = seen
        .iter()
        .map(|frame| (frame.ifindex, frame.arphrd, frame.packet_type))
        .collect();
    assert_eq!(
        found,
        [(lo, 772, OUTGOING), (lo, 772, HOST), (veth, 1, OUTGOING)],
        "lo shows each packet twice"
    );
    assert!(
        seen.iter()
            .all(|frame| frame.data.len() == 1042 && frame.len == 1042),
        "snaplen 0 keeps all"
    );
}

#[test]
fn a_block_that_is_not_full_becomes_readable_by_itself() {
    let Some(pair) = VethPair::new() else { return };
    let mut ring = open(&pair.b, "veth1");
    assert_eq!(ring.drain(usize::MAX, |_| {}), 0);
    for _ in 0..3 {
        inject(&pair.a, "veth0", &ethernet(MAC_B, &[0x88, 0xb5, 0]));
    }
    assert_eq!(ring.drain(0, |_| {}), 0);
    // The packets may have come to lie in several blocks; each must become readable without more packets.
    let mut frames = 0;
    while frames < 3 {
        assert_ne!(poll(&ring) & libc::POLLIN, 0, "{frames} frames");
        let got = ring.drain(1, |_| {});
        assert!(got > 0, "readable, but no block is ready");
        frames += got;
    }
}

#[test]
fn what_is_captured_when_the_end_comes_is_handed_out() {
    let Some(pair) = VethPair::new() else { return };
    let receiver = pair
        .b
        .run(|| UdpSocket::bind("10.9.0.2:9999").expect("bind"));
    let sender = pair.a.run(|| UdpSocket::bind("10.9.0.1:0").expect("bind"));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                sender.send_to(&[0; 10], "10.9.0.2:9999").expect("send");
            }
        });
        for _ in 0..10 {
            let mut ring = open(&pair.b, "veth1");
            poll(&ring);
            let frames = ring.drain(1, |_| {}) + ring.drain_all(|_| {}).expect("drained");
            let statistics = ring.statistics();
            assert_eq!(
                frames as u64,
                statistics.packets - statistics.drops,
                "{statistics:?}"
            );
            assert!(frames > 0);
        }
        stop.store(true, Ordering::Relaxed);
    });
    drop(receiver);
}

#[test]
fn tokio_waits_for_blocks() {
    let Some(pair) = VethPair::new() else { return };
    let ring = open(&pair.b, "veth1");
    inject(&pair.a, "veth0", &ethernet(MAC_B, &[0x88, 0xb5, 0]));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let frames = runtime.block_on(async {
        // SAFETY: the ring's descriptor is the same for as long as the ring lives.
        let ring = unsafe { AsyncFd::register_with_interest(ring, Interest::READABLE) };
        let mut ring = ring.expect("registered");
        let mut total = 0;
        while total < 2 {
            let mut ready = ring.readable_mut().await.expect("readable");
            let frames = ready.get_inner_mut().drain(8, |_| {});
            if frames == 0 {
                ready.clear_ready();
            } else {
                inject(&pair.a, "veth0", &ethernet(MAC_B, &[0x88, 0xb5, 0])); // wakes us a second time
            }
            total += frames;
        }
        total
    });
    assert_eq!(frames, 2);
}

fn poll(ring: &Ring) -> libc::c_short {
    let mut wanted = libc::pollfd {
        fd: ring.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one valid pollfd.
    unsafe { libc::poll(&raw mut wanted, 1, 5000) };
    wanted.revents
}

fn now_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_nanos() as i64
}
