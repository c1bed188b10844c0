//! Automation: short heads, so mostly on their ports only.

use sensor_common::application::Application::{self, Bacnet, Dnp3, EthernetIp, Modbus, OpcUa};

use super::message::Message;

pub(super) fn modbus(message: &Message<'_>) -> Option<Application> {
    let length = message.be16(4)?;
    let sound = message.on(&[502])
        && message.be16(2)? == 0
        && (2..=254).contains(&length)
        && length + 6 <= message.wire;
    sound.then_some(Modbus)
}

pub(super) fn dnp3(message: &Message<'_>) -> Option<Application> {
    let [a, b, length] = message.get(0)?;
    (message.on(&[20000]) && (a, b) == (5, 0x64) && length >= 5).then_some(Dnp3)
}

pub(super) fn ethernet_ip(message: &Message<'_>) -> Option<Application> {
    let command = message.le16(0)?;
    let length = message.le16(2)?;
    let known = matches!(command, 0 | 1 | 4 | 0x63..=0x66 | 0x6f | 0x70 | 0x72 | 0x73);
    // Options are zero.
    let sound = known && length + 24 <= message.wire && message.le32(20)? == 0;
    (sound && message.on(&[44818])).then_some(EthernetIp)
}

/// A message type in letters and the length of the whole.
pub(super) fn opc_ua(message: &Message<'_>) -> Option<Application> {
    let kind = message.get::<4>(0)?;
    let length = message.le32(4)? as usize;
    let known = matches!(
        &kind,
        b"HELF" | b"ACKF" | b"OPNF" | b"MSGF" | b"CLOF" | b"ERRF"
    );
    (known && length == message.wire).then_some(OpcUa)
}

/// BVLC: type, function, length.
pub(super) fn bacnet(message: &Message<'_>) -> Option<Application> {
    let [kind, function] = message.get(0)?;
    let sound = kind == 0x81 && function <= 0x0c && message.be16(2)? == message.wire;
    (sound && message.on(&[47808])).then_some(Bacnet)
}
