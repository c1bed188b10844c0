//! Packets made by the kernel: BPF_PROG_TEST_RUN with live frames, whose program gives each a source port and redirects it into
//! the interface. Several times what any socket sends.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

const PROG_LOAD: libc::c_int = 5;
const PROG_TEST_RUN: libc::c_int = 10;
const PROG_TYPE_XDP: u64 = 6;
const LIVE_FRAMES: u64 = 1 << 1;
const PRANDOM: i32 = 7; // bpf_get_prandom_u32
const REDIRECT: i32 = 23; // bpf_redirect

/// Flows at a time.
const FLOWS: i32 = 1024;
/// Packets of one call, after which other flows come.
const AT_ONCE: u32 = FLOWS as u32 * 64;

/// The shortest that an Ethernet carries, to nobody who is here.
const LEN: usize = 60;

/// Sends from `interface` of this namespace.
pub(super) fn send(interface: &str, duration: Duration) {
    let program = load(interface);
    let mut source = 0;
    let start = Instant::now();
    while start.elapsed() < duration {
        source += 1;
        run(&program, &frame(source));
    }
}

/// UDP without a checksum from 10.x.x.x.
fn frame(source: u32) -> [u8; LEN] {
    let mut frame = [0; LEN];
    frame[..6].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
    frame[12..14].copy_from_slice(&[8, 0]);
    frame[14..34].copy_from_slice(&[
        0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 0, 192, 0, 2, 9,
    ]);
    frame[27..30].copy_from_slice(&source.to_be_bytes()[1..]);
    let words = frame[14..34].chunks(2);
    let sum: u32 = words
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    frame[24..26].copy_from_slice(&(!folded as u16).to_be_bytes());
    frame[36..38].copy_from_slice(&9999_u16.to_be_bytes());
    frame[38..40].copy_from_slice(&26_u16.to_be_bytes());
    frame
}

fn run(program: &OwnedFd, frame: &[u8; LEN]) {
    let mut attributes = [0_u64; 10];
    attributes[0] = program.as_raw_fd() as u64;
    attributes[1] = LEN as u64;
    attributes[2] = frame.as_ptr() as u64;
    attributes[4] = u64::from(AT_ONCE);
    attributes[8] = LIVE_FRAMES;
    let ran = bpf(PROG_TEST_RUN, &mut attributes);
    ran.expect("BPF_PROG_TEST_RUN with live frames (Linux 5.18)");
}

fn load(interface: &str) -> OwnedFd {
    let name = CString::new(interface).unwrap();
    // SAFETY: the name ends with a zero.
    let ifindex = unsafe { libc::if_nametoindex(name.as_ptr()) };
    assert!(ifindex > 0, "{interface}: {}", io::Error::last_os_error());
    let code = instructions(ifindex as i32);
    let license = c"Dual MIT/GPL";
    let mut attributes = [0_u64; 10];
    attributes[0] = PROG_TYPE_XDP | (code.len() as u64) << 32;
    attributes[1] = code.as_ptr() as u64;
    attributes[2] = license.as_ptr() as u64;
    let fd = bpf(PROG_LOAD, &mut attributes).expect("the sender's program");
    // SAFETY: the call has just made it, for us alone.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// The source port is one of as many as there are flows.
fn instructions(ifindex: i32) -> [u64; 15] {
    const PORT: i16 = 34;
    [
        instruction(0x61, 7, 1, 0, 0),          // r7 = ctx->data
        instruction(0x61, 8, 1, 4, 0),          // r8 = ctx->data_end
        instruction(0xbf, 2, 7, 0, 0),          // r2 = r7
        instruction(0x07, 2, 0, 0, LEN as i32), // r2 += LEN
        instruction(0x2d, 2, 8, 8, 0),          // if r2 > r8 goto drop
        instruction(0x85, 0, 0, 0, PRANDOM),    // r0 = bpf_get_prandom_u32()
        instruction(0x57, 0, 0, 0, FLOWS - 1),  // r0 &= FLOWS - 1
        instruction(0x47, 0, 0, 0, 0x8000),     // r0 |= 0x8000
        instruction(0x6b, 7, 0, PORT, 0),       // *(u16 *)(r7 + PORT) = r0
        instruction(0xb7, 1, 0, 0, ifindex),    // r1 = ifindex
        instruction(0xb7, 2, 0, 0, 0),          // r2 = 0
        instruction(0x85, 0, 0, 0, REDIRECT),   // r0 = bpf_redirect(r1, r2)
        instruction(0x95, 0, 0, 0, 0),          // exit
        instruction(0xb7, 0, 0, 0, 1),          // drop: r0 = XDP_DROP
        instruction(0x95, 0, 0, 0, 0),          // exit
    ]
}

fn instruction(code: u8, to: u8, from: u8, offset: i16, value: i32) -> u64 {
    let [low, high] = offset.to_ne_bytes();
    let [a, b, c, d] = value.to_ne_bytes();
    u64::from_ne_bytes([code, from << 4 | to, low, high, a, b, c, d])
}

fn bpf(command: libc::c_int, attributes: &mut [u64; 10]) -> io::Result<i32> {
    let size = size_of_val(attributes);
    // SAFETY: the attributes are as long as said; addresses in them are of values that live through the call.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_mut_ptr(), size as u32) };
    match result {
        0.. => Ok(result as i32),
        _ => Err(io::Error::last_os_error()),
    }
}
