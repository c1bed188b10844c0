//! /proc/net/{tcp,tcp6,udp,udp6}: what there is where sock_diag is not allowed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sensor_common::protocol::ip;

use super::sockets::Socket;

const FILES: [(&str, u8); 4] = [
    ("tcp", ip::TCP),
    ("tcp6", ip::TCP),
    ("udp", ip::UDP),
    ("udp6", ip::UDP),
];
/// A line has 150 characters or so.
const LONGEST_FILE: u64 = 256 << 20;
/// TCP states without an owner.
const SYN_RECV: &str = "03";
const TIME_WAIT: &str = "06";

/// At most `most`. Fails where not even one of the files can be read.
pub(super) fn sockets(most: usize) -> io::Result<Vec<Socket>> {
    let mut found = Vec::new();
    let mut failed = None;
    let mut read = false;
    for (name, transport) in FILES {
        // Of this thread's namespace; /proc/net would be the first thread's.
        match File::open(format!("/proc/thread-self/net/{name}")) {
            Ok(file) => {
                read = true;
                let lines = BufReader::new(file.take(LONGEST_FILE)).lines();
                let sockets = lines.map_while(Result::ok);
                let sockets = sockets.filter_map(|line| parse(transport, &line));
                found.extend(sockets.take(most.saturating_sub(found.len())));
            }
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if !read => Err(error),
        _ => Ok(found),
    }
}

/// `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode ...`
fn parse(transport: u8, line: &str) -> Option<Socket> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let local = end(fields.next()?)?;
    let remote = end(fields.next()?)?;
    let state = fields.next()?;
    if transport == ip::TCP && (state == SYN_RECV || state == TIME_WAIT) {
        return None;
    }
    let inode = fields.nth(5)?.parse().ok()?;
    Socket::new(transport, local, remote, inode)
}

/// Words of the address as the machine has them, in hex, and the port: `0100007F:0016`.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (addr, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |place: usize| -> Option<[u8; 4]> {
        let digits = addr.get(place * 8..place * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let addr: IpAddr = match addr.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let mut octets = [0; 16];
            for (place, part) in octets.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(place)?);
            }
            Ipv6Addr::from(octets).into()
        }
        _ => return None,
    };
    Some((addr, port))
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const LISTENER: &str = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 34812 1 0000000000000000 100 0 0 10 0";
    const MAPPED: &str = "   1: 0000000000000000FFFF00000100000A:01BB 0000000000000000FFFF0000090200C0:C738 01 00000000:00000000 00:00000000 00000000     0        0 991 1 0000000000000000 20 4 30 10 -1";
    const IPV6: &str = "  51: B80D0120000000000000000053000000:14E9 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 17 2 0000000000000000 0";

    #[test]
    fn lines_are_read() {
        let one = parse(ip::TCP, LISTENER).unwrap();
        assert_eq!(one.local, ("127.0.0.1".parse().unwrap(), 8080));
        assert_eq!((one.remote, one.inode), (None, 34812));
        let one = parse(ip::TCP, MAPPED).unwrap();
        assert_eq!(one.local, ("10.0.0.1".parse().unwrap(), 443));
        assert_eq!(one.remote, Some(("192.0.2.9".parse().unwrap(), 51000)));
        let one = parse(ip::UDP, IPV6).unwrap();
        assert_eq!(one.local, ("2001:db8::53".parse().unwrap(), 5353));
        assert_eq!((one.remote, one.inode), (None, 17));
    }

    #[test]
    fn what_has_no_owner_or_is_no_socket_is_left_out() {
        assert_eq!(parse(ip::TCP, &LISTENER.replace(" 0A ", " 06 ")), None);
        assert_eq!(parse(ip::TCP, &LISTENER.replace("34812", "0")), None);
        let heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
        for line in [
            heading,
            "",
            "0:",
            "0: zz:1 é:2 01",
            "0: 0100007é:0016 00000000:0000 01",
        ] {
            assert_eq!(parse(ip::TCP, line), None, "{line}");
        }
    }
}
