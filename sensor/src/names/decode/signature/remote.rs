//! Desktops, shells, files and calls over the network.

use sensor_common::application::Application::{
    self, H323, Msrpc, NetbiosSsn, Nfs, Pptp, Rdp, Rpc, Rpcbind, Rtmp, S7comm, Smb, Socks, Telnet,
    X11,
};

use super::clue::{Clue, Kind, Step};
use super::message::Message;

/// SMB 1, 2 and 3 behind the four bytes of the session service.
pub(super) fn smb(message: &Message<'_>) -> Option<Application> {
    let [zero, high, _, _, dialect] = message.get(0)?;
    let sound = zero == 0 && high <= 1 && (0xfc..=0xff).contains(&dialect);
    (sound && message.has(5, b"SMB")).then_some(Smb)
}

/// RFC 1002, 4.3, on its port: asking for a session, and the answers.
pub(super) fn netbios_session(message: &Message<'_>) -> Option<Application> {
    let [kind, flags] = message.get(0)?;
    let length = message.be16(2)?;
    let fits = match kind {
        0x81 => (4..=512).contains(&length),
        0x82 | 0x85 => length == 0,
        0x83 => length == 1,
        0x84 => length == 6,
        _ => false,
    };
    let whole = flags == 0 && length + 4 == message.wire;
    (fits && whole && message.on(&[139])).then_some(NetbiosSsn)
}

/// TPKT (RFC 1006) carries RDP, S7 and H.323: what is inside tells which.
pub(super) fn tpkt(message: &Message<'_>) -> Option<Application> {
    if message.get::<2>(0)? != [3, 0] || message.be16(2)? != message.wire {
        return None;
    }
    let [indicator, kind] = message.get(4)?;
    let fits = usize::from(indicator) + 5 == message.wire;
    // A connection request or confirm: two references, class 0, then what RDP adds.
    let connects = fits && matches!(kind, 0xe0 | 0xd0) && message.u8(10)? == 0;
    if connects {
        let negotiates = matches!(message.get::<4>(11), Some([1..=3, _, 8, 0]));
        let cookie = message.has(11, b"Cookie: mstshash=") || message.has(11, b"Cookie: msts=");
        let bare = message.on(&[3389]) && message.wire == 11;
        return (negotiates || cookie || bare).then_some(Rdp);
    }
    if message.on(&[102]) && (indicator, kind) == (2, 0xf0) && message.u8(7)? == 0x32 {
        return Some(S7comm);
    }
    // Q.931, with a call reference of two bytes.
    (message.on(&[1720]) && (indicator, kind) == (8, 2)).then_some(H323)
}

/// DCE/RPC, version 5: type, data representation and length of the fragment.
pub(super) fn msrpc(message: &Message<'_>) -> Option<Application> {
    let [major, minor, kind, _] = message.get(0)?;
    let length = message.le16(8)?;
    let sound = major == 5
        && minor <= 1
        && kind <= 19
        && message.get::<4>(4)? == [0x10, 0, 0, 0]
        && (16..=message.wire).contains(&length)
        && message.le16(10)? < length;
    sound.then_some(Msrpc)
}

/// Where a message of ONC RPC begins: over TCP behind the mark of its record.
fn body(message: &Message<'_>) -> Option<usize> {
    if message.udp {
        return Some(0);
    }
    let mark = message.be32(0)?;
    let length = (mark & 0x7fff_ffff) as usize;
    (mark & 0x8000_0000 != 0 && (24..1 << 22).contains(&length)).then_some(4)
}

/// The program that is called (RFC 5531): direction, version 2, program ... and credentials fit.
fn call(message: &Message<'_>) -> Option<u32> {
    let start = body(message)?;
    let program = message.be32(start + 12)?;
    let (version, procedure) = (message.be32(start + 16)?, message.be32(start + 20)?);
    let (flavor, length) = (message.be32(start + 24)?, message.be32(start + 28)?);
    let security = flavor <= 6 || (390_000..400_000).contains(&flavor);
    let sound = message.be32(start + 4)? == 0
        && message.be32(start + 8)? == 2
        && (100_000..0x8000_0000).contains(&program)
        && version <= 256
        && procedure <= 1024
        && security
        && length <= 400
        && message.wire >= start + 40;
    sound.then_some(program)
}

fn program(number: u32) -> Application {
    match number {
        100_000 => Rpcbind,
        100_003 => Nfs,
        _ => Rpc,
    }
}

/// A call says which program it is for.
pub(super) fn rpc(message: &Message<'_>) -> Option<Application> {
    call(message).map(program)
}

/// An answer says less: its port tells, or a second one.
pub(super) fn rpc_pair(message: &Message<'_>, own: Clue, _: Clue) -> Step {
    let read = || {
        let start = body(message)?;
        let (denied, flavor) = (message.be32(start + 8)?, message.be32(start + 12)?);
        let length = message.be32(start + 16)?;
        let sound = message.be32(start + 4)? == 1
            && denied <= 1
            && flavor <= 6
            && length <= 400
            && message.wire >= start + 20;
        let xid = message.be32(start)?;
        sound.then_some(xid)
    };
    let Some(xid) = read() else {
        return Step::Nothing;
    };
    match message.src {
        111 => Step::Sure(Rpcbind),
        2049 => Step::Sure(Nfs),
        _ if own.kind == Kind::RpcReply && own.token != xid => Step::Sure(Rpc),
        _ => Step::Keep(Clue::new(Kind::RpcReply, xid)),
    }
}

/// RFC 854: negotiations of options; one on its port, elsewhere nothing but them, and two at least.
pub(super) fn telnet(message: &Message<'_>) -> Option<Application> {
    let known = |three: &[u8]| {
        matches!(three, [0xff, 0xfb..=0xfe, option] if *option <= 49 || *option >= 200)
            || matches!(three, [0xff, 0xfa, option] if *option <= 49)
    };
    let negotiations = message
        .bytes
        .chunks_exact(3)
        .take_while(|three| known(three))
        .count();
    let port = message.on(&[23]) && negotiations >= 1;
    let alone = negotiations >= 2 && negotiations * 3 == message.wire;
    (port || alone).then_some(Telnet)
}

/// On its port: what a client of SOCKS 4 or 5 opens with.
pub(super) fn socks(message: &Message<'_>) -> Option<Application> {
    (message.dst == 1080 && (socks5(message) || socks4(message))).then_some(Socks)
}

/// RFC 1928: as many methods as it says.
fn socks5(message: &Message<'_>) -> bool {
    let Some([version, count]) = message.get(0) else {
        return false;
    };
    version == 5
        && (1..=16).contains(&count)
        && usize::from(count) + 2 == message.wire
        && message
            .from(2)
            .iter()
            .all(|method| *method <= 9 || *method >= 0x80)
}

fn socks4(message: &Message<'_>) -> bool {
    let head = matches!(message.get(0), Some([4, 1 | 2]));
    head && (9..=300).contains(&message.wire)
        && !message.cut()
        && message.bytes.last() == Some(&0)
        && message
            .from(8)
            .iter()
            .all(|byte| *byte == 0 || (0x21..0x7f).contains(byte))
}

/// Elsewhere: the opening and its answer.
pub(super) fn socks_pair(message: &Message<'_>, own: Clue, other: Clue) -> Step {
    if !message.first || own.kind != Kind::None {
        return Step::Nothing;
    }
    let answer = match other.kind {
        Kind::Socks5 => message.wire == 2 && matches!(message.get(0), Some([5, 0..=9 | 0x80..])),
        Kind::Socks4 => message.wire == 8 && matches!(message.get(0), Some([0, 0x5a..=0x5d])),
        _ => false,
    };
    if answer {
        Step::Sure(Socks)
    } else if socks5(message) {
        Step::Keep(Clue::new(Kind::Socks5, 0))
    } else if socks4(message) {
        Step::Keep(Clue::new(Kind::Socks4, 0))
    } else {
        Step::Nothing
    }
}

/// C0 and C1, or S0 and S1: version 3, then 1536 bytes that begin with a time and four zeros.
pub(super) fn rtmp(message: &Message<'_>) -> Option<Application> {
    let zeros = message.be32(5)? == 0;
    let sound = message.u8(0)? == 3 && message.wire >= 1000;
    let port = message.on(&[1935]);
    let whole = matches!(message.wire, 1537 | 3073) && zeros;
    (sound && (port || whole)).then_some(Rtmp)
}

/// RFC 2637: length, type and the cookie.
pub(super) fn pptp(message: &Message<'_>) -> Option<Application> {
    let sound = message.be16(0)? == message.wire
        && message.be16(2)? == 1
        && message.be32(4)? == 0x1a2b_3c4d;
    sound.then_some(Pptp)
}

/// The client's setup on one of the ports of displays: byte order, version 11.
pub(super) fn x11(message: &Message<'_>) -> Option<Application> {
    let display = (6000..6064).contains(&message.dst);
    let head = message.get::<6>(0)?;
    let sound = matches!(head, [b'l', 0, 11, 0, 0, 0] | [b'B', 0, 0, 11, 0, 0]);
    (display && sound).then_some(X11)
}
