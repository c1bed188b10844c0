//! Names as DNS writes them: labels, and pointers to labels that came before.

use crate::names::text;

/// Why reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The rest was not captured, or never sent.
    Cut,
    /// There is more than is read.
    Full,
    /// No right message has this.
    Damaged,
}

/// Of a name on the wire, length bytes and root included (RFC 1035 section 2.3.4).
const LONGEST: usize = 255;
const MOST_JUMPS: u32 = 128;
const HEADER: usize = 12;

/// A name with its labels put together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    bytes: [u8; LONGEST],
    len: usize,
    /// Of the first label.
    pub(super) first: usize,
}

impl Name {
    const ROOT: Name = Name {
        bytes: [0; LONGEST],
        len: 0,
        first: 0,
    };

    /// Labels with dots between them, nothing for the root. A dot may also be part of a label.
    pub(super) fn dotted(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// `.` is the root.
    pub(super) fn text(&self) -> String {
        match self.dotted() {
            b"" => ".".to_owned(),
            dotted => text::shown(dotted),
        }
    }

    fn push(&mut self, label: &[u8]) -> Result<(), Stop> {
        let dot = usize::from(self.len > 0);
        let end = self.len + dot + label.len();
        // One byte each for the first length and for the root.
        if end + 2 > LONGEST {
            return Err(Stop::Damaged);
        }
        if dot == 1 {
            self.bytes[self.len] = b'.';
        } else {
            self.first = label.len();
        }
        self.bytes[self.len + dot..end].copy_from_slice(label);
        self.len = end;
        Ok(())
    }
}

/// The name at `start`, and where the next field begins. Pointers lead backwards only, so there are no loops.
pub(super) fn read(message: &[u8], start: usize) -> Result<(Name, usize), Stop> {
    let mut name = Name::ROOT;
    let mut at = start;
    let mut next = None;
    let mut lowest = start;
    let mut jumps = 0;
    loop {
        let head = *message.get(at).ok_or(Stop::Cut)?;
        match head >> 6 {
            0 if head == 0 => return Ok((name, next.unwrap_or(at + 1))),
            0 => {
                let end = at + 1 + usize::from(head);
                name.push(message.get(at + 1..end).ok_or(Stop::Cut)?)?;
                at = end;
            }
            3 => {
                let low = *message.get(at + 1).ok_or(Stop::Cut)?;
                next = next.or(Some(at + 2));
                at = usize::from(u16::from_be_bytes([head & 0x3f, low]));
                jumps += 1;
                if at < HEADER || at >= lowest || jumps > MOST_JUMPS {
                    return Err(Stop::Damaged);
                }
                lowest = at;
            }
            _ => return Err(Stop::Damaged),
        }
    }
}

/// A name alone, without pointers, that may lack its end: DHCP's options have it so (RFC 4702 section 2.3.1, RFC 4704
/// section 4.2). `None` for the empty name.
pub(in crate::names::decode) fn alone(bytes: &[u8]) -> Option<String> {
    let mut name = Name::ROOT;
    let mut rest = bytes;
    while let Some((&len, behind)) = rest.split_first() {
        if len == 0 {
            break;
        }
        let (label, behind) = behind.split_at_checked(usize::from(len))?;
        if len > 63 {
            return None;
        }
        name.push(label).ok()?;
        rest = behind;
    }
    (name.len > 0).then(|| name.text())
}
