//! The program that hands packets to the sockets: eleven instructions, and two tables.
//!
//! It is not in the eBPF object: that one is loaded on kernels without AF_XDP too, which have no such table.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::link::Link;

/// Commands of the system call, and kinds of tables and programs (linux/bpf.h).
const MAP_CREATE: libc::c_int = 0;
const MAP_LOOKUP: libc::c_int = 1;
const MAP_UPDATE: libc::c_int = 2;
const PROG_LOAD: libc::c_int = 5;
const LINK_CREATE: libc::c_int = 28;
const ARRAY: u32 = 2;
const XSKMAP: u32 = 17;
const PROG_TYPE_XDP: u32 = 6;
const ATTACH_XDP: u32 = 37;
const HAS_FRAGS: u32 = 1 << 5;
const MODE_GENERIC: u32 = 1 << 1;
const MODE_NATIVE: u32 = 1 << 2;

/// Where in `struct xdp_md` the number of the queue is.
const RX_QUEUE_INDEX: i16 = 16;
const REDIRECT_MAP: i32 = 51; // bpf_redirect_map
const XDP_DROP: i32 = 1;
const XDP_REDIRECT: i32 = 4;

/// Attached to an interface while it lives.
pub(super) struct Program {
    sockets: OwnedFd,
    stranded: OwnedFd,
    /// A bpf_link: the kernel detaches when it closes, also after SIGKILL.
    link: Option<OwnedFd>,
}

impl Program {
    /// Not attached yet. `queues`: how many have sockets.
    pub(super) fn prepare(queues: u32) -> io::Result<Self> {
        Ok(Program {
            sockets: table(XSKMAP, 4, queues)?,
            stranded: table(ARRAY, 8, 1)?,
            link: None,
        })
    }

    /// Packets of the queue go to this socket.
    pub(super) fn give(&self, queue: u32, socket: &impl AsRawFd) -> io::Result<()> {
        let socket = socket.as_raw_fd();
        let (key, value) = (&raw const queue as u64, &raw const socket as u64);
        let mut attributes = Attributes([
            self.sockets.as_raw_fd() as u64,
            key,
            value,
            0,
            0,
            0,
            0,
            0,
            0,
        ]);
        // SAFETY: key and value are four bytes each, as the table was made for, and live through the call.
        unsafe { call(MAP_UPDATE, &mut attributes) }.map(drop)
    }

    /// From now on packets go to the sockets. `frags`: also those that span several buffers.
    pub(super) fn attach(&mut self, link: &Link, native: bool, frags: bool) -> io::Result<()> {
        let program = self.load(frags)?;
        let mode = match native {
            true => MODE_NATIVE,
            false => MODE_GENERIC,
        };
        let mut attributes = Attributes::default();
        attributes.0[0] = pair(program.as_raw_fd() as u32, link.index);
        attributes.0[1] = pair(ATTACH_XDP, mode);
        // SAFETY: the attributes of this command hold no addresses.
        self.link = Some(unsafe { made(LINK_CREATE, &mut attributes) }?);
        Ok(())
    }

    pub(super) fn detach(&mut self) {
        self.link = None;
    }

    /// Packets of queues without a socket since the start: dropped.
    pub(super) fn stranded(&self) -> io::Result<u64> {
        let (key, mut value) = (0_u32, 0_u64);
        let (key, to) = (&raw const key as u64, &raw mut value as u64);
        let mut attributes =
            Attributes([self.stranded.as_raw_fd() as u64, key, to, 0, 0, 0, 0, 0, 0]);
        // SAFETY: the key is four bytes and the value eight, as the table was made for, and both live through the call.
        unsafe { call(MAP_LOOKUP, &mut attributes) }?;
        Ok(value)
    }

    fn load(&self, frags: bool) -> io::Result<OwnedFd> {
        let code = self.instructions();
        let license = c"Dual MIT/GPL";
        let mut attributes = Attributes::default();
        attributes.0[0] = pair(PROG_TYPE_XDP, code.len() as u32);
        attributes.0[1] = code.as_ptr() as u64;
        attributes.0[2] = license.as_ptr() as u64;
        attributes.0[5] = pair(0, if frags { HAS_FRAGS } else { 0 });
        attributes.0[6..8].copy_from_slice(&NAME);
        // SAFETY: instructions and license are as long as said, and live through the call.
        unsafe { made(PROG_LOAD, &mut attributes) }
    }

    /// `bpf_redirect_map(sockets, queue, XDP_DROP)`, and where there is no socket one more is counted.
    fn instructions(&self) -> [u64; 11] {
        const MAP_FD: u8 = 1;
        const MAP_VALUE: u8 = 2;
        let (sockets, stranded) = (self.sockets.as_raw_fd(), self.stranded.as_raw_fd());
        [
            instruction(0x61, 2, 1, RX_QUEUE_INDEX, 0), // r2 = *(u32 *)(r1 + ..)
            instruction(0x18, 1, MAP_FD, 0, sockets),   // r1 = sockets
            0,
            instruction(0xb7, 3, 0, 0, XDP_DROP), // r3 = XDP_DROP
            instruction(0x85, 0, 0, 0, REDIRECT_MAP), // r0 = bpf_redirect_map(r1, r2, r3)
            instruction(0x15, 0, 0, 4, XDP_REDIRECT), // if r0 == XDP_REDIRECT goto exit
            instruction(0x18, 1, MAP_VALUE, 0, stranded), // r1 = &stranded[0]
            0,
            instruction(0xb7, 2, 0, 0, 1), // r2 = 1
            instruction(0xdb, 1, 2, 0, 0), // lock *(u64 *)r1 += r2
            instruction(0x95, 0, 0, 0, 0), // exit
        ]
    }
}

fn table(kind: u32, value_size: u32, entries: u32) -> io::Result<OwnedFd> {
    let mut attributes = Attributes::default();
    attributes.0[0] = pair(kind, 4);
    attributes.0[1] = pair(value_size, entries);
    // SAFETY: the attributes of this command hold no addresses.
    unsafe { made(MAP_CREATE, &mut attributes) }
}

/// `sensor_af_xdp`, in the sixteen bytes that a name has.
const NAME: [u64; 2] = [
    u64::from_ne_bytes(*b"sensor_a"),
    u64::from_ne_bytes(*b"f_xdp\0\0\0"),
];

/// The head of `union bpf_attr`, as far as these commands have it.
#[derive(Default)]
#[repr(transparent)]
struct Attributes([u64; 9]);

/// Two words of 32 bits, in the order in which they lie in memory.
fn pair(first: u32, second: u32) -> u64 {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&first.to_ne_bytes());
    bytes[4..].copy_from_slice(&second.to_ne_bytes());
    u64::from_ne_bytes(bytes)
}

/// `struct bpf_insn`.
fn instruction(code: u8, dst: u8, src: u8, offset: i16, immediate: i32) -> u64 {
    let registers = match cfg!(target_endian = "little") {
        true => dst | src << 4,
        false => dst << 4 | src,
    };
    let [a, b] = offset.to_ne_bytes();
    let [c, d, e, f] = immediate.to_ne_bytes();
    u64::from_ne_bytes([code, registers, a, b, c, d, e, f])
}

/// # Safety
/// As [`call`]; of a command that gives a descriptor.
unsafe fn made(command: libc::c_int, attributes: &mut Attributes) -> io::Result<OwnedFd> {
    // SAFETY: the caller's promise.
    let fd = unsafe { call(command, attributes) }?;
    // SAFETY: the kernel just gave us this descriptor, nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// # Safety
/// Addresses among the attributes must lead to what the command expects there.
unsafe fn call(command: libc::c_int, attributes: &mut Attributes) -> io::Result<libc::c_long> {
    // SAFETY: the attributes live through the call, and their length is told; the caller's promise for the rest.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            attributes.0.as_mut_ptr(),
            size_of::<Attributes>(),
        )
    };
    match result {
        0.. => Ok(result),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_lie_where_the_kernel_looks_for_them() {
        let bytes = pair(1, 2).to_ne_bytes();
        assert_eq!(bytes[..4], 1_u32.to_ne_bytes());
        assert_eq!(bytes[4..], 2_u32.to_ne_bytes());
        // From `bpf_insn` of the kernel: jump over four, if register 0 is 4.
        let bytes = instruction(0x15, 0, 0, 4, 4).to_ne_bytes();
        assert_eq!(bytes[0], 0x15);
        assert_eq!(i16::from_ne_bytes([bytes[2], bytes[3]]), 4);
        assert_eq!(
            i32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            4
        );
    }
}
