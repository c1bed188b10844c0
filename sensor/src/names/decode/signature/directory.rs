//! LDAP and Kerberos: messages of ASN.1, of which the length, the first elements and the numbers that the formats fix agree.

use sensor_common::application::Application::{self, Cldap, Kerberos, Ldap};

use super::message::Message;

/// RFC 4511.
pub(super) fn ldap(message: &Message<'_>) -> Option<Application> {
    (!message.udp && is_ldap(message)?).then_some(Ldap)
}

/// The same in datagrams, on its port.
pub(super) fn cldap(message: &Message<'_>) -> Option<Application> {
    (message.on(&[389]) && is_ldap(message)?).then_some(Cldap)
}

fn is_ldap(message: &Message<'_>) -> Option<bool> {
    if message.u8(0)? != 0x30 {
        return None;
    }
    let (id, end) = message.ber(0)?;
    if message.u8(id)? != 2 {
        return None;
    }
    let (number, operation) = message.ber(id)?;
    let tag = message.u8(operation)?;
    let (content, last) = message.ber(operation)?;
    // Controls may follow the operation.
    let fits = operation - number <= 4 && operation > number && last <= end;
    // A BindRequest begins with the version, a BindResponse with a result code.
    let bind = tag == 0x60
        && message.get::<2>(content)? == [2, 1]
        && matches!(message.u8(content + 2)?, 2 | 3)
        && message.u8(content + 3)? == 4;
    let answer = tag == 0x61 && message.get::<2>(content)? == [10, 1];
    let known = matches!(tag, 0x42 | 0x4a | 0x50 | 0x60..=0x79);
    let port = message.on(&[389, 3268]);
    let whole = end <= message.wire || port;
    Some(fits && whole && (bind || (answer && end == message.wire) || (port && known)))
}

/// RFC 4120: `[APPLICATION n] SEQUENCE { [0 or 1] INTEGER 5 ...`; over TCP a length stands before it.
pub(super) fn kerberos(message: &Message<'_>) -> Option<Application> {
    let start = if message.udp { 0 } else { 4 };
    let tag = message.u8(start)?;
    let (sequence, end) = message.ber(start)?;
    if !message.udp && message.be32(0)? as usize != end - start {
        return None;
    }
    if message.u8(sequence)? != 0x30 {
        return None;
    }
    let (first, inner) = message.ber(sequence)?;
    let version = message.get::<5>(first)?;
    let sound = matches!(tag, 0x6a..=0x6f | 0x74..=0x76 | 0x7e)
        && inner == end
        && matches!(version, [0xa0 | 0xa1, 3, 2, 1, 5])
        && (end == message.wire || (!message.udp && end >= message.wire));
    sound.then_some(Kerberos)
}
