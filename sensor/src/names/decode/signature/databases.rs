//! Databases and caches.

use sensor_common::application::Application::{
    self, Cassandra, Memcached, Mongodb, Mssql, Mysql, Oracle, Postgresql, Redis, Zookeeper,
};

use super::clue::{Clue, Kind, Step};
use super::message::{Message, begins, contains, is_word, number};
use super::text;

/// The server's greeting (protocol 10): the packet's length, number 0, a printable version, and the zeros that the format
/// fixes. On its port also a refusal and the client's login.
pub(super) fn mysql(message: &Message<'_>) -> Option<Application> {
    let length = u32::from_le_bytes(message.get(0)?);
    let (length, sequence) = ((length & 0xff_ffff) as usize, length >> 24);
    if length + 4 != message.wire {
        return None;
    }
    let kind = message.u8(4)?;
    if sequence == 0 && kind == 10 {
        return greeting(message).then_some(Mysql);
    }
    let refusal = sequence == 0 && kind == 0xff && length >= 9 && message.src == 3306;
    // Capabilities must hold PROTOCOL_41 and the 23 (MariaDB: 19) bytes behind the character set are zero.
    let login = sequence == 1 && length >= 32 && message.get::<19>(13)? == [0; 19];
    ((refusal || login) && message.on(&[3306])).then_some(Mysql)
}

fn greeting(message: &Message<'_>) -> bool {
    let text = message.from(5);
    let Some(end) = text.iter().take(64).position(|byte| *byte == 0) else {
        return false;
    };
    let version = &text[..end];
    let sound = version.first().is_some_and(u8::is_ascii_digit)
        && version.contains(&b'.')
        && version
            .iter()
            .copied()
            .all(|byte| is_word(byte) || byte == b' ');
    // Thread id (4), scramble (8), then a zero.
    sound && message.u8(5 + end + 1 + 12) == Some(0)
}

/// The client's first packet: length and a code that nothing else has; the length and the first parameter agree.
pub(super) fn postgresql(message: &Message<'_>) -> Option<Application> {
    let length = message.be32(0)? as usize;
    let code = message.be32(4)?;
    let request = matches!(code, 0x04d2_162f | 0x04d2_1630) && length == 8 && message.wire == 8;
    let cancel = code == 0x04d2_162e && length == 16 && message.wire == 16;
    let parameters = message.from(8);
    let startup = matches!(code, 0x0003_0000 | 0x0003_0002)
        && length == message.wire
        && parameters.first().is_some_and(u8::is_ascii_lowercase)
        && contains(parameters, b"user\0");
    if request || cancel || startup {
        return Some(Postgresql);
    }
    // Mid-stream, on its port: one letter and a length that leads to the next, or to the end.
    let kind = message.u8(0)?;
    let length = message.be32(1)? as usize;
    let server = message.src == 5432 && b"RSTDCEZKNA1235n".contains(&kind);
    let client = message.dst == 5432 && b"QPBEDSHCFdcfpX".contains(&kind);
    let chained = match message.wire.checked_sub(length + 1) {
        Some(0) => true,
        Some(_) => message
            .u8(length + 1)
            .is_some_and(|next| next.is_ascii_alphanumeric()),
        None => false,
    };
    ((server || client) && length >= 4 && chained).then_some(Postgresql)
}

/// A message with its length, and an opcode that is known; on other ports only whole ones.
pub(super) fn mongodb(message: &Message<'_>) -> Option<Application> {
    let length = message.le32(0)? as usize;
    let answers = message.le32(8)?;
    let opcode = message.le32(12)?;
    let body = match opcode {
        // OP_MSG: flags, then a section of kind 0 with a document.
        2013 => message.le32(16)? & !0x1_0003 == 0 && message.u8(20)? <= 1,
        // OP_QUERY: flags, then the name of a collection.
        2004 => message.le32(16)? < 0x100 && message.u8(20)?.is_ascii_alphanumeric(),
        // OP_REPLY, OP_COMPRESSED
        1 => message.le32(16)? < 0x10 && answers != 0,
        2012 => matches!(message.le32(16)?, 2004 | 2013),
        _ => false,
    };
    let goes_on = || {
        let more = length > message.wire && length <= 48_000_000;
        more && message.on(&[27017, 27018, 27019])
    };
    let whole = length == message.wire || goes_on();
    (body && length >= 21 && whole).then_some(Mongodb)
}

/// TDS: a PRELOGIN that holds its first option, anywhere; other packets on the port.
pub(super) fn mssql(message: &Message<'_>) -> Option<Application> {
    let [kind, status] = message.get(0)?;
    let length = message.be16(2)?;
    let window = message.u8(7)?;
    if length != message.wire || status > 1 || window != 0 {
        return None;
    }
    // Option VERSION: its place, and 6 bytes.
    let offset = message.be16(9)?;
    let option = message.u8(8)? == 0 && message.be16(11)? == 6 && offset + 14 <= length;
    let prelogin = matches!(kind, 0x12 | 0x04) && status == 1 && option && offset >= 6;
    let port = message.on(&[1433]) && matches!(kind, 1 | 3 | 4 | 0x10 | 0x12);
    (prelogin || port).then_some(Mssql)
}

/// RESP: a whole request anywhere, anything that fits on the port.
pub(super) fn redis(message: &Message<'_>) -> Option<Application> {
    if let Some(found) = text::resp(message) {
        return Some(found);
    }
    let line = if message.on(&[6379]) {
        message.text_line()?
    } else {
        return None;
    };
    let server = message.src == 6379 && matches!(line.first()?, b'+' | b'-' | b':' | b'$' | b'*');
    let inline = message.dst == 6379 && (begins(line, b"PING") || begins(line, b"INFO"));
    (server || inline).then_some(Redis)
}

pub(super) const MEMCACHED: &[u16] = &[11211];

/// The text protocol and the binary one, on the port.
pub(super) fn memcached(message: &Message<'_>) -> Option<Application> {
    let on = message.on(MEMCACHED);
    let fits = on && (asks(message.bytes) || answers(message.bytes) || binary(message).is_some());
    fits.then_some(Memcached)
}

/// Over UDP a frame of 8 bytes stands before it.
pub(super) fn memcached_datagram(message: &Message<'_>) -> Option<Application> {
    let sequence = message.be16(2)?;
    let total = message.be16(4)?;
    let reserved = message.be16(6)?;
    let text = message.from(8);
    let fits = message.on(MEMCACHED)
        && reserved == 0
        && sequence < total
        && (asks(text) || answers(text) || matches!(text.first(), Some(0x80 | 0x81)));
    fits.then_some(Memcached)
}

/// Elsewhere: a question and its answer.
pub(super) fn memcached_pair(message: &Message<'_>, own: Clue, other: Clue) -> Step {
    if !message.first || own.kind != Kind::None {
        return Step::Nothing;
    }
    let (token, answer) = match binary(message) {
        Some((opcode, answer)) => (u32::from(opcode) + 1, answer),
        None if asks(message.bytes) => (0, false),
        None if answers(message.bytes) => (0, true),
        None => return Step::Nothing,
    };
    if other.kind == Kind::Memcached && other.token == token && answer {
        return Step::Sure(Memcached);
    }
    if answer {
        Step::Nothing
    } else {
        Step::Keep(Clue::new(Kind::Memcached, token))
    }
}

fn asks(bytes: &[u8]) -> bool {
    let command = bytes.iter().take_while(|byte| byte.is_ascii_lowercase());
    // Before the whole payload is searched.
    if !(2..=7).contains(&command.take(8).count()) {
        return false;
    }
    let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") else {
        return false;
    };
    let line = &bytes[..end];
    if matches!(
        line,
        b"stats" | b"version" | b"stats items" | b"stats slabs" | b"quit"
    ) {
        return true;
    }
    let mut words = line.split(|byte| *byte == b' ');
    let command = words.next().unwrap_or_default();
    let key = words.next().unwrap_or_default();
    let sound = (1..=250).contains(&key.len()) && key.iter().copied().all(is_word);
    let rest = words.filter(|word| number(word).is_some()).count();
    match command {
        b"get" | b"gets" | b"delete" | b"mg" | b"md" => sound,
        b"set" | b"add" | b"replace" | b"append" | b"prepend" => sound && rest >= 3,
        b"incr" | b"decr" | b"touch" => sound && rest >= 1,
        _ => false,
    }
}

fn answers(bytes: &[u8]) -> bool {
    let known: [&[u8]; 9] = [
        b"STAT ",
        b"VALUE ",
        b"END\r\n",
        b"STORED\r\n",
        b"NOT_STORED\r\n",
        b"DELETED\r\n",
        b"NOT_FOUND\r\n",
        b"VERSION ",
        b"ERROR\r\n",
    ];
    known.iter().any(|one| bytes.starts_with(one))
}

/// The head of the binary protocol: opcode, and whether it answers.
fn binary(message: &Message<'_>) -> Option<(u8, bool)> {
    let [magic, opcode] = message.get(0)?;
    let key = message.be16(2)?;
    let [extras, kind] = message.get(4)?;
    let body = message.be32(8)? as usize;
    let sound = matches!(magic, 0x80 | 0x81)
        && opcode <= 0x26
        && key <= 250
        && kind == 0
        && key + usize::from(extras) <= body
        && body + 24 == message.wire;
    sound.then_some((opcode, magic == 0x81))
}

/// CQL's frames on their port; the start of a session anywhere.
pub(super) fn cassandra(message: &Message<'_>) -> Option<Application> {
    let [version, flags] = message.get(0)?;
    let opcode = message.u8(4)?;
    let length = message.be32(5)? as usize;
    let frame = (3..=6).contains(&(version & 0x7f))
        && flags < 0x20
        && opcode <= 0x10
        && length.checked_add(9)? == message.wire;
    let startup = opcode == 1 && contains(message.from(9), b"CQL_VERSION");
    (frame && (startup || message.on(&[9042]))).then_some(Cassandra)
}

/// A connect request, or one of the words of four letters; on the port only.
pub(super) fn zookeeper(message: &Message<'_>) -> Option<Application> {
    if !message.on(&[2181]) {
        return None;
    }
    let word = message.get::<4>(0)?;
    let words = [
        b"ruok", b"imok", b"stat", b"srvr", b"mntr", b"conf", b"envi", b"isro",
    ];
    let asked = words.contains(&&word) && message.wire <= 6;
    let connect = u32::from_be_bytes(word) as usize + 4 == message.wire;
    (asked || connect).then_some(Zookeeper)
}

/// TNS: a CONNECT with its descriptor, or on the port any packet that fits.
pub(super) fn oracle(message: &Message<'_>) -> Option<Application> {
    let length = message.be16(0)?;
    let kind = message.u8(4)?;
    let sound = length == message.wire && message.be16(2)? == 0 && message.be16(6)? == 0;
    let connect = kind == 1 && message.contains(b"(DESCRIPTION=");
    let port = message.on(&[1521]) && matches!(kind, 1..=6 | 11 | 12);
    (sound && (connect || port)).then_some(Oracle)
}
