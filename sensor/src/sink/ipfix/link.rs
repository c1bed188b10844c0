//! The edge: sockets to a collector.

use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use super::collector::{Collector, Transport};
use super::pace::Pace;
use crate::clock::Now;

/// For a connection to be there.
const CONNECT: Duration = Duration::from_secs(1);
/// A collector that reads nothing for so long has gone.
const WRITE: Duration = Duration::from_secs(5);

/// A way to a collector, that may break and be made anew.
pub(super) trait Link: Send {
    /// Makes it, also where there was one before.
    fn open(&mut self) -> io::Result<()>;

    /// Sends one message with this many records whole, or breaks.
    fn send(&mut self, message: &[u8], records: u32) -> io::Result<()>;

    /// Each opening is a session of its own, with sequence numbers from 0, and nothing that was sent once need be sent again.
    fn has_sessions(&self) -> bool;

    /// Messages that the collector's host has refused since this was asked last.
    fn refused(&mut self) -> u64 {
        0
    }
}

/// `rate`: the most records a second by UDP, 0 = any. The name is looked up here, once.
pub(super) fn prepare(collector: &Collector, rate: u32) -> io::Result<Box<dyn Link>> {
    let mut found = (collector.host.as_str(), collector.port).to_socket_addrs()?;
    let address = found
        .next()
        .ok_or_else(|| io::Error::new(ErrorKind::NotFound, "the name has no address"))?;
    Ok(match collector.transport {
        Transport::Udp => Box::new(Udp {
            address,
            pace: Pace::new(rate),
            socket: None,
            refused: 0,
        }),
        Transport::Tcp => Box::new(Tcp {
            address,
            stream: None,
        }),
    })
}

struct Udp {
    address: SocketAddr,
    pace: Pace,
    socket: Option<UdpSocket>,
    refused: u64,
}

impl Udp {
    /// A refusal is of an earlier datagram, and told instead of sending this one.
    fn note_refusal(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                self.refused += 1;
                Ok(())
            }
            other => other,
        }
    }
}

impl Link for Udp {
    fn open(&mut self) -> io::Result<()> {
        let any: SocketAddr = match self.address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any)?;
        socket.connect(self.address)?;
        socket.set_write_timeout(Some(WRITE))?;
        self.socket = Some(socket);
        Ok(())
    }

    fn send(&mut self, message: &[u8], records: u32) -> io::Result<()> {
        let wait = self.pace.wait(records, Now::read().monotonic);
        std::thread::sleep(Duration::from_nanos(wait.unsigned_abs()));
        let socket = self.socket.as_ref().ok_or(ErrorKind::NotConnected)?;
        match socket.send(message) {
            Ok(_) => Ok(()),
            Err(error) => {
                self.note_refusal(Err(error))?;
                let socket = self.socket.as_ref().ok_or(ErrorKind::NotConnected)?;
                let again = socket.send(message).map(drop);
                self.note_refusal(again)
            }
        }
    }

    fn has_sessions(&self) -> bool {
        false
    }

    fn refused(&mut self) -> u64 {
        if let Some(Ok(Some(error))) = self.socket.as_ref().map(UdpSocket::take_error) {
            // Whatever else it is, the next sending will say it.
            let _told_again = self.note_refusal(Err(error));
        }
        std::mem::take(&mut self.refused)
    }
}

struct Tcp {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

impl Link for Tcp {
    fn open(&mut self) -> io::Result<()> {
        self.stream = None;
        let stream = TcpStream::connect_timeout(&self.address, CONNECT)?;
        stream.set_write_timeout(Some(WRITE))?;
        self.stream = Some(stream);
        Ok(())
    }

    /// A part of a message that was sent before it broke is nothing to the collector, which sees the connection end.
    fn send(&mut self, message: &[u8], _records: u32) -> io::Result<()> {
        let mut stream = self.stream.as_ref().ok_or(ErrorKind::NotConnected)?;
        let result = still_open(stream).and_then(|()| stream.write_all(message));
        if result.is_err() {
            self.stream = None;
        }
        result
    }

    fn has_sessions(&self) -> bool {
        true
    }
}

/// Collectors say nothing, they only hang up; what is written after that would be lost without an error.
fn still_open(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    match peeked {
        Ok(0) => Err(io::Error::new(
            ErrorKind::ConnectionAborted,
            "the collector has closed the connection",
        )),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error),
    }
}
