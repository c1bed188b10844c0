//! Packets in numbers: many flows, all of one length, from a thread that says how many it has sent.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use sensor::link;

use crate::harness::{Namespace, eventually, packet_socket};
use crate::packets;

/// Bytes of each packet on the wire.
pub(crate) const LEN: u64 = 142;

/// One packet for each of `flows` flows, `LEN` bytes long.
pub(crate) fn frames(flows: u16) -> Vec<Vec<u8>> {
    (0..flows)
        .map(|flow| packets::udp4(1, 10_000 + flow, 53, 100))
        .collect()
}

/// Sends the frames `times` over, every one of them.
pub(crate) fn send(namespace: &Namespace, interface: &str, frames: &[Vec<u8>], times: usize) {
    let socket = namespace.inside(|| packet_socket(interface));
    for _ in 0..times {
        frames.iter().for_each(|frame| send_one(&socket, frame));
    }
}

/// Waits until the interface has handed `packets` on: sending is done before receiving is.
pub(crate) fn received(namespace: &Namespace, interface: &str, packets: u64) {
    let index = namespace.inside(|| link::by_name(interface).unwrap().unwrap().index);
    eventually("all packets received", || {
        let counters = namespace.inside(|| link::counters(index).unwrap().unwrap());
        counters.rx.packets >= packets
    });
}

/// Sends until it is stopped.
pub(crate) struct Traffic {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Traffic {
    pub(crate) fn start(namespace: &Namespace, interface: &str) -> Self {
        let socket = namespace.inside(|| packet_socket(interface));
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (stopped, count) = (Arc::clone(&stop), Arc::<AtomicU64>::clone(&sent));
        let thread = std::thread::spawn(move || {
            let frames = frames(64);
            while !stopped.load(Ordering::Relaxed) {
                for frame in &frames {
                    send_one(&socket, frame);
                    count.fetch_add(1, Ordering::SeqCst);
                }
                // Leaves the CPU to the sensor; nothing depends on it.
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Traffic { stop, sent, thread }
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    pub(crate) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.sent.load(Ordering::SeqCst)
    }
}

fn send_one(socket: &OwnedFd, frame: &[u8]) {
    loop {
        // SAFETY: the buffer is as long as said.
        let sent = unsafe { libc::send(socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        if usize::try_from(sent) == Ok(frame.len()) {
            return;
        }
        // The receiving side's queue is full: the packet was not taken.
        let error = io::Error::last_os_error();
        assert_eq!(error.raw_os_error(), Some(libc::ENOBUFS), "{error}");
    }
}
