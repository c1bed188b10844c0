//! Mixed packets, and now and then a flood of new flows, from a thread that knows exactly what it has sent.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::harness::{Namespace, eventually, packet_socket};
use crate::packets;

/// With the Ethernet header, of the interfaces' MTU.
const LONGEST: usize = 1514;
/// Flows of a flood.
const FLOOD: u32 = 5000;

#[derive(Clone, Copy, Default)]
pub(super) struct Sent {
    pub packets: u64,
    pub bytes: u64,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    pause: AtomicBool,
    /// It pauses.
    paused: AtomicBool,
    flood: AtomicBool,
    packets: AtomicU64,
    bytes: AtomicU64,
}

pub(super) struct Load {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl Load {
    pub(super) fn start(namespace: &Namespace, interface: &str) -> Self {
        let socket = namespace.inside(|| packet_socket(interface));
        let shared = Arc::<Shared>::default();
        let thread = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || run(&socket, &shared))
        };
        Load { shared, thread }
    }

    /// Between two packets; nothing is on its way when this returns.
    pub(super) fn pause(&self) {
        self.shared.pause.store(true, Ordering::SeqCst);
        eventually("a pause", || self.shared.paused.load(Ordering::SeqCst));
    }

    pub(super) fn resume(&self) {
        self.shared.pause.store(false, Ordering::SeqCst);
    }

    pub(super) fn flood(&self) {
        self.shared.flood.store(true, Ordering::SeqCst);
    }

    /// Goes on from here on another interface.
    pub(super) fn on(self, namespace: &Namespace, interface: &str) -> Self {
        let before = self.stop();
        let load = Load::start(namespace, interface);
        load.shared
            .packets
            .fetch_add(before.packets, Ordering::SeqCst);
        load.shared.bytes.fetch_add(before.bytes, Ordering::SeqCst);
        load
    }

    pub(super) fn stop(self) -> Sent {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap();
        Sent {
            packets: self.shared.packets.load(Ordering::SeqCst),
            bytes: self.shared.bytes.load(Ordering::SeqCst),
        }
    }
}

fn run(socket: &OwnedFd, shared: &Shared) {
    let frames = packets::mixed(LONGEST);
    let mut seed = 0u32;
    for burst in frames.chunks(32).cycle() {
        while shared.pause.load(Ordering::SeqCst) && !shared.stop.load(Ordering::SeqCst) {
            shared.paused.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(1));
        }
        shared.paused.store(false, Ordering::SeqCst);
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        burst.iter().for_each(|frame| send(socket, frame, shared));
        if shared.flood.swap(false, Ordering::SeqCst) {
            flood(socket, &mut seed, shared);
        }
        // Leaves the CPU to the sensor; nothing depends on it.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Flows that nobody has seen before.
fn flood(socket: &OwnedFd, seed: &mut u32, shared: &Shared) {
    let mut frame = packets::tcp4(1, 40_000, 80, 0);
    for _ in 0..FLOOD {
        *seed = seed.wrapping_add(1);
        let address = seed.wrapping_mul(2_654_435_761).to_be_bytes();
        frame[26..30].copy_from_slice(&address);
        send(socket, &frame, shared);
    }
}

fn send(socket: &OwnedFd, frame: &[u8], shared: &Shared) {
    // SAFETY: the buffer is as long as said.
    let sent = unsafe { libc::send(socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
    if usize::try_from(sent) != Ok(frame.len()) {
        // The far end has no room: that is after the packet has left the interface.
        let error = io::Error::last_os_error();
        assert_eq!(error.raw_os_error(), Some(libc::ENOBUFS), "{error}");
    }
    shared.packets.fetch_add(1, Ordering::SeqCst);
    shared.bytes.fetch_add(frame.len() as u64, Ordering::SeqCst);
}
