//! DNS (RFC 1035), mDNS (RFC 6762), LLMNR (RFC 4795) and the NetBIOS name service (RFC 1002): names asked and answered.
//!
//! A decoder of our own rather than a crate's: messages are cut where the sample ends, and what stands before the cut must
//! still be had; those of the crates give all of a message or nothing.

mod name;
mod netbios;
mod plausible;
mod read;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) use name::alone;
pub use plausible::is_plausible;

use name::Stop;
use read::{Header, RawRecord, Reader};

/// Read of one message, not more.
const MOST_QUESTIONS: usize = 64;
const MOST_RECORDS: usize = 256;

/// What one message says, as far as it was captured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub id: u16,
    pub response: bool,
    /// RCODE.
    pub code: u8,
    pub questions: Vec<Question>,
    /// Of all sections, in the order of the message; only the kinds that name something.
    pub records: Vec<Record>,
    /// How many of these are of the section that answers.
    pub answers: usize,
    /// There is something behind what is here.
    pub cut: bool,
    pub end: End,
}

/// Why there is no more in a [`Message`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    #[default]
    Whole,
    /// The bytes end first.
    Cut,
    /// It has more than is read.
    Full,
    /// No right message goes on like this.
    Damaged,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// `.` is the root.
    pub name: String,
    /// QTYPE.
    pub kind: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub name: String,
    /// Seconds.
    pub ttl: u32,
    pub data: Data,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// A or AAAA; NB of the NetBIOS name service, where the name is the host's own (no group, domain or user).
    Address(IpAddr),
    Cname(String),
    /// PTR.
    Pointer(String),
}

/// DNS, mDNS, LLMNR: the message without the two bytes of length that TCP puts before it. `None` if it can't be one; for
/// use where the port says what it is, others ask [`is_plausible`] first.
pub fn message(bytes: &[u8]) -> Option<Message> {
    let header = Header::of(bytes)?;
    if header.opcode() > 6 {
        return None;
    }
    let mut message = Message::begun(header);
    let filled = fill(&mut message, header, bytes);
    Some(message.ended(filled))
}

/// The NetBIOS name service, with names decoded (`WORKGROUP<1d>` becomes `WORKGROUP`).
pub fn netbios(bytes: &[u8]) -> Option<Message> {
    netbios::message(bytes)
}

impl Message {
    fn begun(header: Header) -> Self {
        Message {
            id: header.id,
            response: header.response(),
            code: header.code(),
            ..Message::default()
        }
    }

    fn ended(mut self, filled: Result<(), Stop>) -> Self {
        self.end = match filled {
            Ok(()) => End::Whole,
            Err(Stop::Cut) => End::Cut,
            Err(Stop::Full) => End::Full,
            Err(Stop::Damaged) => End::Damaged,
        };
        self.cut = self.end != End::Whole;
        self
    }
}

fn fill(message: &mut Message, header: Header, bytes: &[u8]) -> Result<(), Stop> {
    let mut reader = Reader::new(bytes);
    for _ in 0..header.questions {
        if message.questions.len() == MOST_QUESTIONS {
            return Err(Stop::Full);
        }
        let question = reader.question()?;
        message.questions.push(Question {
            name: question.name.text(),
            kind: question.kind,
        });
    }
    for number in 0..header.records() {
        if number as usize == MOST_RECORDS {
            return Err(Stop::Full);
        }
        let record = reader.record()?;
        if let Some(data) = data(bytes, &record) {
            message.records.push(Record {
                name: record.name.text(),
                ttl: record.ttl,
                data,
            });
            if number < u32::from(header.answers) {
                message.answers = message.records.len();
            }
        }
    }
    Ok(())
}

/// What the record says, if that is a name or an address.
fn data(bytes: &[u8], record: &RawRecord) -> Option<Data> {
    // In mDNS the top bit says that older records are to be forgotten (RFC 6762 section 10.2).
    if record.class & 0x7fff != 1 {
        return None;
    }
    let data = bytes.get(record.data.clone())?;
    // Nothing behind the record is looked at: a name that ends elsewhere is none.
    let name = || name::read(&bytes[..record.data.end], record.data.start).ok();
    Some(match record.kind {
        1 => Data::Address(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).into()),
        28 => Data::Address(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).into()),
        5 => Data::Cname(name()?.0.text()),
        12 => Data::Pointer(name()?.0.text()),
        _ => return None,
    })
}
