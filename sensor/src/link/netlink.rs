//! The netlink message format, and one socket that asks the kernel a question.
//!
//! Reading is done by pure functions over bytes, so that no message, however odd, can make them panic or read outside
//! it; the socket at the bottom only carries bytes. A dozen values are all we want, which no netlink crate is worth.

use super::LinkError;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const HEADER_LEN: usize = 16; // struct nlmsghdr
const ATTRIBUTE_HEADER_LEN: usize = 4; // struct nlattr
/// How often a dump that the kernel calls inconsistent is asked for again.
const DUMP_ATTEMPTS: usize = 10;

/// One message of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) seq: u32,
    pub(crate) payload: &'a [u8],
}

/// Walks the messages of one datagram; a length that can't be right ends the walk with an `Err`.
pub(crate) fn messages(datagram: &[u8]) -> impl Iterator<Item = Result<Message<'_>, LinkError>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let message = split_message(&mut rest).ok_or(LinkError::Malformed("message length"));
        if message.is_err() {
            rest = &[];
        }
        Some(message)
    })
}

/// One attribute; `kind` comes without the nested and byte-order marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attribute<'a> {
    pub(crate) kind: u16,
    pub(crate) payload: &'a [u8],
}

/// Walks attributes until they end or their lengths stop making sense, as the kernel's own `nla_for_each_attr` does.
pub(crate) fn attributes(bytes: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let len = usize::from(u16_at(rest, 0)?);
        let kind = u16_at(rest, 2)? & libc::NLA_TYPE_MASK as u16;
        let payload = rest.get(ATTRIBUTE_HEADER_LEN..len)?;
        rest = rest.get(aligned(len)..).unwrap_or_default();
        Some(Attribute { kind, payload })
    })
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_ne_bytes)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_ne_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_ne_bytes)
}

/// A C string in an attribute: up to the first NUL, whatever bytes it holds.
pub(crate) fn text(payload: &[u8]) -> String {
    let end = payload
        .iter()
        .position(|&b| b == 0)
        .unwrap_or(payload.len());
    String::from_utf8_lossy(payload.get(..end).unwrap_or_default()).into_owned()
}

/// A question to the kernel: a fixed part (ifinfomsg, rtmsg ...) and attributes.
pub(crate) struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// `flags` are added to NLM_F_REQUEST.
    pub(crate) fn new(kind: u16, flags: libc::c_int, fixed: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_LEN + fixed.len());
        bytes.extend_from_slice(&0u32.to_ne_bytes()); // length, set when it is known
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&((libc::NLM_F_REQUEST | flags) as u16).to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]); // sequence number and port id
        bytes.extend_from_slice(fixed);
        let mut request = Request { bytes };
        request.finish();
        request
    }

    pub(crate) fn attribute(mut self, kind: u16, payload: &[u8]) -> Self {
        let len = (ATTRIBUTE_HEADER_LEN + payload.len()) as u16;
        self.bytes.extend_from_slice(&len.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(payload);
        self.finish();
        self
    }

    /// Pads to the alignment that every netlink part begins at, and writes the total length.
    fn finish(&mut self) {
        self.bytes.resize(aligned(self.bytes.len()), 0);
        let len = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&len.to_ne_bytes());
    }

    fn with_sequence(&mut self, seq: u32) -> &[u8] {
        self.bytes[8..12].copy_from_slice(&seq.to_ne_bytes());
        &self.bytes
    }
}

/// Asks for a dump and returns what `parse` made of each message. A dump during which the kernel's list changed may
/// name an interface twice or not at all, so it is thrown away and asked for again.
pub(crate) fn dump<T>(
    request: Request,
    parse: impl Fn(Message<'_>) -> Option<T>,
) -> Result<Vec<T>, LinkError> {
    dump_from(libc::NETLINK_ROUTE, request, usize::MAX, parse)
}

/// The same of another of the kernel's families than NETLINK_ROUTE, up to `most`: of each attempt anew.
pub(crate) fn dump_from<T>(
    family: libc::c_int,
    mut request: Request,
    most: usize,
    parse: impl Fn(Message<'_>) -> Option<T>,
) -> Result<Vec<T>, LinkError> {
    let mut socket = Socket::open(family)?;
    for _ in 0..DUMP_ATTEMPTS {
        let mut found = Vec::new();
        let consistent = socket.ask(&mut request, |message| {
            if found.len() < most {
                found.extend(parse(message));
            }
            ControlFlow::Continue(())
        })?;
        if consistent {
            return Ok(found);
        }
    }
    Err(LinkError::Interrupted {
        attempts: DUMP_ATTEMPTS,
    })
}

/// Asks for one object. An object that isn't there is `None`.
pub(crate) fn one<T>(
    request: Request,
    parse: impl Fn(Message<'_>) -> Option<T>,
) -> Result<Option<T>, LinkError> {
    one_from(libc::NETLINK_ROUTE, request, parse)
}

/// The same of another of the kernel's families.
pub(crate) fn one_from<T>(
    family: libc::c_int,
    mut request: Request,
    parse: impl Fn(Message<'_>) -> Option<T>,
) -> Result<Option<T>, LinkError> {
    let mut found = None;
    let asked = Socket::open(family)?.ask(&mut request, |message| {
        found = parse(message);
        ControlFlow::Break(())
    });
    match asked {
        Ok(_) => found.map(Some).ok_or(LinkError::Malformed("link message")),
        Err(LinkError::Refused(error)) if error.raw_os_error() == Some(libc::ENODEV) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What one message says about the reply that it belongs to.
#[derive(Debug)]
enum Step<'a> {
    Object(Message<'a>),
    /// The end of a dump, or an acknowledgement.
    End,
    Refused(io::Error),
}

fn classify(message: Message<'_>) -> Step<'_> {
    let kind = i32::from(message.kind);
    if kind != libc::NLMSG_DONE && kind != libc::NLMSG_ERROR {
        return Step::Object(message);
    }
    // Both carry a negative errno; a dump's end may come without one.
    match u32_at(message.payload, 0).map_or(0, |code| code as i32) {
        0 => Step::End,
        code => Step::Refused(io::Error::from_raw_os_error(code.saturating_neg())),
    }
}

fn split_message<'a>(rest: &mut &'a [u8]) -> Option<Message<'a>> {
    let len = usize::try_from(u32_at(rest, 0)?).ok()?;
    let message = Message {
        kind: u16_at(rest, 4)?,
        flags: u16_at(rest, 6)?,
        seq: u32_at(rest, 8)?,
        payload: rest.get(HEADER_LEN..len)?,
    };
    *rest = rest.get(aligned(len)..).unwrap_or_default();
    Some(message)
}

/// Netlink parts begin at multiples of four.
fn aligned(len: usize) -> usize {
    len.saturating_add(3) & !3
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// A netlink socket. It speaks for the network namespace that its thread was in when it was opened.
struct Socket {
    fd: OwnedFd,
    seq: u32,
    buffer: Vec<u8>,
}

impl Socket {
    fn open(family: libc::c_int) -> Result<Self, LinkError> {
        // SAFETY: plain system call without pointers.
        let fd = unsafe {
            libc::socket(
                libc::AF_NETLINK,
                libc::SOCK_RAW | libc::SOCK_CLOEXEC,
                family,
            )
        };
        if fd < 0 {
            return Err(LinkError::Socket(io::Error::last_os_error()));
        }
        // SAFETY: the kernel just gave us this descriptor, nobody else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Socket {
            fd,
            seq: 0,
            buffer: vec![0; 32 * 1024],
        })
    }

    /// Sends the request and hands each object of the answer to `take`, until it breaks or the answer ends.
    /// `false` when the kernel marked the answer as inconsistent.
    fn ask(
        &mut self,
        request: &mut Request,
        mut take: impl FnMut(Message<'_>) -> ControlFlow<()>,
    ) -> Result<bool, LinkError> {
        self.seq = self.seq.wrapping_add(1);
        let seq = self.seq;
        self.send(request.with_sequence(seq))?;
        let mut consistent = true;
        loop {
            for message in messages(self.receive()?) {
                let message = message?;
                if message.seq != seq {
                    continue;
                }
                consistent &= i32::from(message.flags) & libc::NLM_F_DUMP_INTR == 0;
                match classify(message) {
                    Step::Object(object) if take(object).is_continue() => {}
                    Step::Object(_) | Step::End => return Ok(consistent),
                    Step::Refused(error) => return Err(LinkError::Refused(error)),
                }
            }
        }
    }

    fn send(&self, bytes: &[u8]) -> Result<(), LinkError> {
        // SAFETY: pointer and length describe the live slice `bytes`.
        let sent =
            unsafe { libc::send(self.fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) };
        if sent < 0 {
            Err(LinkError::Send(io::Error::last_os_error()))
        } else {
            Ok(())
        }
    }

    /// One whole datagram from the kernel; its size is asked first, because a link with many virtual functions can be
    /// larger than any fixed buffer.
    fn receive(&mut self) -> Result<&[u8], LinkError> {
        loop {
            let size = self.recv(libc::MSG_PEEK | libc::MSG_TRUNC)?;
            if size > self.buffer.len() {
                self.buffer.resize(size, 0);
            }
            let len = self.recv(0)?;
            if len > 0 {
                return Ok(self.buffer.get(..len).unwrap_or_default());
            }
        }
    }

    fn recv(&mut self, flags: libc::c_int) -> Result<usize, LinkError> {
        loop {
            let (pointer, len) = (self.buffer.as_mut_ptr().cast(), self.buffer.len());
            // SAFETY: pointer and length describe the buffer that we hold exclusively.
            let size = unsafe { libc::recv(self.fd.as_raw_fd(), pointer, len, flags) };
            match usize::try_from(size) {
                Ok(size) => return Ok(size),
                Err(_) => {
                    let error = io::Error::last_os_error();
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(LinkError::Receive(error));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "netlink_tests.rs"]
mod tests;
