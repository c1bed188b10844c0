//! Reads fields one after the other and stops where the bytes end.

/// What is left of a message. Each method takes its field off the front, or leaves all as it is and says `None`.
#[derive(Clone, Copy, Debug)]
pub(in crate::names::decode) struct Reader<'a>(pub(in crate::names::decode) &'a [u8]);

impl<'a> Reader<'a> {
    pub(in crate::names::decode) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(in crate::names::decode) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|field| field[0])
    }

    pub(in crate::names::decode) fn u16(&mut self) -> Option<u16> {
        self.take(2)
            .map(|field| u16::from_be_bytes([field[0], field[1]]))
    }

    pub(in crate::names::decode) fn u24(&mut self) -> Option<usize> {
        self.take(3)
            .map(|field| u32::from_be_bytes([0, field[0], field[1], field[2]]) as usize)
    }

    pub(in crate::names::decode) fn u32(&mut self) -> Option<u32> {
        self.take(4)
            .map(|field| u32::from_be_bytes([field[0], field[1], field[2], field[3]]))
    }

    /// A field whose length stands before it in one byte.
    pub(in crate::names::decode) fn short(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = usize::from(ahead.u8()?);
        let field = ahead.take(len)?;
        *self = ahead;
        Some(field)
    }

    /// A field whose length stands before it in two bytes.
    pub(in crate::names::decode) fn long(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = usize::from(ahead.u16()?);
        let field = ahead.take(len)?;
        *self = ahead;
        Some(field)
    }

    /// QUIC's integers of variable length (RFC 9000 section 16).
    pub(in crate::names::decode) fn varint(&mut self) -> Option<u64> {
        let first = *self.0.first()?;
        let len = 1 << (first >> 6);
        let field = self.take(len)?;
        let mut value = u64::from(first & 0x3f);
        for byte in &field[1..] {
            value = value << 8 | u64::from(*byte);
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_where_a_field_is_cut() {
        let mut reader = Reader(&[0, 3, 7, 7]);
        assert_eq!(reader.long(), None);
        assert_eq!(reader.u16(), Some(3));
        assert_eq!(reader.u24(), None);
        assert_eq!(reader.u16(), Some(0x0707));
        assert_eq!(reader.u8(), None);
    }

    /// RFC 9000 appendix A.1.
    #[test]
    fn variable_length_integers() {
        let read = |bytes: &[u8]| Reader(bytes).varint();
        assert_eq!(
            read(&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c]),
            Some(151_288_809_941_952_652)
        );
        assert_eq!(read(&[0x9d, 0x7f, 0x3e, 0x7d]), Some(494_878_333));
        assert_eq!(read(&[0x7b, 0xbd]), Some(15_293));
        assert_eq!(read(&[0x25]), Some(37));
        assert_eq!(read(&[0x40, 0x25]), Some(37));
        assert_eq!(read(&[0x40]), None);
    }
}
