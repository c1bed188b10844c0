//! Reads classic pcap files, with nothing of the product's reader.

pub(super) struct Captured<'a> {
    pub(super) seconds: u32,
    pub(super) wire_len: u32,
    pub(super) data: &'a [u8],
}

/// LINKTYPE_ number of a file in either byte order.
pub(super) fn link_type(file: &[u8]) -> u16 {
    word(file, 20) as u16
}

/// Of a whole file; an empty one has no packets.
pub(super) fn records(file: &[u8]) -> Vec<Captured<'_>> {
    let mut records = Vec::new();
    let mut at = 24;
    while at + 16 <= file.len() {
        let len = word(file, at + 8) as usize;
        records.push(Captured {
            seconds: word(file, at),
            wire_len: word(file, at + 12),
            data: &file[at + 16..at + 16 + len],
        });
        at += 16 + len;
    }
    records
}

fn word(file: &[u8], at: usize) -> u32 {
    let bytes = file[at..at + 4].try_into().unwrap();
    match file[..4] {
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => u32::from_le_bytes(bytes),
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => u32::from_be_bytes(bytes),
        _ => panic!("no pcap file: {:02x?}", &file[..4]),
    }
}
