//! Is an address in a set of thousands of prefixes? One look-up for the kernel and for userspace, over lines of 64 bytes.
//!
//! An address is cut into strides of six bits. A prefix that ends within a stride is up to 64 bits in a bitmap, kept in a
//! hash table under the bits before that stride. Which stride to look at is a binary search over those that the set uses
//! (Waldvogel and others, "Scalable high speed IP routing lookups"): an entry leads to longer prefixes, none to shorter
//! ones. No prefix of a set lies inside another, so an entry also proves that no shorter prefix holds the address, and
//! the search never turns back: a blocklist of /24s and hosts is answered from three cache lines.
//!
//! IPv4 addresses are moved so that they end at the end of a stride (hosts of one /26 share an entry), and use the same
//! code. Numbers are read by shifts and masks, and choices made by arithmetic, not branches: the kernel's verifier
//! follows every branch separately.

/// A cache line, and a value of the kernel's map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Line(pub [u64; 8]);

/// A table of [`Line`]s: a slice, or the kernel's map.
pub trait Lines {
    fn line(&self, index: u32) -> Option<&Line>;
}

impl Lines for [Line] {
    #[inline(always)]
    fn line(&self, index: u32) -> Option<&Line> {
        self.get(index as usize)
    }
}

/// Lines that a set's header takes: one for IPv4, one for IPv6. Set `n` begins at line `HEADER_LINES * n`.
pub const HEADER_LINES: u32 = 2;

/// Words of a header: the strides in the order of the search (two words of twelve numbers), the bitmap of the first four
/// bits, where the lines of the first and of the second address word begin (low half) and how many there are (high
/// half), and the seeds of the hash.
pub const ORDER: usize = 0;
pub const ROOT: usize = 2;
pub const NARROW: usize = 3;
pub const WIDE: usize = 4;
pub const SEEDS: usize = 5;

/// Places in the word [`ROOT`], whose first sixteen bits are the bitmap: how far an address is shifted to give the number
/// of its block, and the line where a bit for each block begins, set where a prefix overlaps the block. Line 0: none.
pub const BLOCKS_SHIFT: u32 = 16;
pub const BLOCKS_BASE: u32 = 32;

/// Bits of an address that one entry tells apart.
pub const STRIDE: u32 = 6;
/// Strides of the first address word are 1 to 10 (the four bits before them are in the header), of the second 11 to 21.
pub const FIRST_WORD_LEVELS: u32 = 10;
pub const LEVELS: u32 = 21;
/// Bits of a number in the search order, and numbers in one of its words.
pub const LEVEL_BITS: u32 = 5;
pub const LEVELS_IN_WORD: u32 = 12;
/// Steps of a binary search over [`LEVELS`].
pub const STEPS: u32 = 5;

/// A line for strides of the first address word holds four entries (key, bitmap), one for the second word two (first
/// word, key, bitmap). Keys have six bits at their end to spare: the stride's number, and in the first key of a line
/// this mark of an entry that found no room in the line and stands in the other line of its hash.
pub const ELSEWHERE: u64 = 1 << LEVEL_BITS;
pub const NARROW_ENTRIES: usize = 4;
pub const WIDE_ENTRIES: usize = 2;

/// Whether set number `set` has a prefix of the address, which stands in two words as in a [`crate::flow::FlowKey`].
#[inline(always)]
pub fn contains<L: Lines + ?Sized>(lines: &L, set: u32, ipv6: bool, words: [u64; 2]) -> bool {
    let index = set.wrapping_mul(HEADER_LINES).wrapping_add(ipv6 as u32);
    let Some(&Line(header)) = lines.line(index) else {
        return false;
    };
    let address = if ipv6 {
        [u64::from_be(words[0]), u64::from_be(words[1])]
    } else {
        [ipv4_word(u64::from_be(words[1]) as u32), 0]
    };
    if header[ROOT] >> (address[0] >> 60) & 1 != 0 {
        return true;
    }
    if is_ruled_out(lines, header[ROOT], address[0]) {
        return false;
    }
    let mut place = 1;
    for _ in 0..STEPS {
        let level = level_at(&header, place);
        if level == 0 {
            return false;
        }
        let entry = if level <= FIRST_WORD_LEVELS {
            narrow_entry(lines, &header, address[0], level)
        } else {
            wide_entry(lines, &header, address, level)
        };
        if entry.bit != 0 {
            return true;
        }
        place = 2 * place + entry.present as u32;
    }
    false
}

/// Most addresses of a packet are in no list: one bit for many of them says so before the search.
#[inline(always)]
fn is_ruled_out<L: Lines + ?Sized>(lines: &L, root: u64, word: u64) -> bool {
    let base = (root >> BLOCKS_BASE) as u32;
    if base == 0 {
        return false;
    }
    let block = word >> (root >> BLOCKS_SHIFT & 63);
    let Some(Line(bits)) = lines.line(base.wrapping_add((block >> 9) as u32)) else {
        return false;
    };
    bits[(block >> 6) as usize & 7] >> (block & 63) & 1 == 0
}

/// Where an IPv4 address stands: its end is the end of a stride.
#[inline(always)]
pub fn ipv4_word(address: u32) -> u64 {
    (address as u64) << IPV4_SHIFT
}

/// Bits behind an IPv4 address in its word.
pub const IPV4_SHIFT: u32 = 30;

/// Bits behind a stride in its word.
#[inline(always)]
pub fn shift_of(level: u32) -> u32 {
    let last = if level <= FIRST_WORD_LEVELS {
        FIRST_WORD_LEVELS
    } else {
        LEVELS
    };
    (STRIDE * last.wrapping_sub(level)) & 63
}

/// The bits before a stride, with the stride's number.
#[inline(always)]
pub fn key_of(word: u64, level: u32) -> u64 {
    let shift = shift_of(level);
    word >> shift >> STRIDE << STRIDE << shift | level as u64
}

/// Which of `count` lines an entry stands in, if it has room: its first home, or its second one. Wide entries have a
/// first word, narrow ones zero.
#[inline(always)]
pub fn first_home([a, b, c]: [u64; 3], first_word: u64, key: u64, count: u32) -> u32 {
    let hash = product(a, b, key).wrapping_add(product(b, c, first_word));
    reduced(hash, count)
}

/// See [`first_home`].
#[inline(always)]
pub fn second_home([a, _, c]: [u64; 3], first_word: u64, key: u64, count: u32) -> u32 {
    let hash = product(c, a, key).wrapping_add(product(a, c, first_word));
    reduced(hash, count)
}

#[inline(always)]
fn product(a: u64, b: u64, word: u64) -> u64 {
    a.wrapping_add(word as u32 as u64)
        .wrapping_mul(b.wrapping_add(word >> 32))
}

#[inline(always)]
fn reduced(hash: u64, count: u32) -> u32 {
    ((hash >> 32).wrapping_mul(count as u64) >> 32) as u32
}

/// What the table says of an address's stride.
struct Entry {
    /// 1 where there is an entry under the bits before the stride.
    present: u64,
    /// 1 where a prefix that ends in this stride holds the address.
    bit: u64,
}

/// The number at a place of the search order: the root is 1, below place `p` are `2p` (shorter) and `2p + 1` (longer).
#[inline(always)]
fn level_at(header: &[u64; 8], place: u32) -> u32 {
    let index = place.wrapping_sub(1);
    let (word, index) = if index < LEVELS_IN_WORD {
        (header[ORDER], index)
    } else {
        (header[ORDER + 1], index.wrapping_sub(LEVELS_IN_WORD))
    };
    // Beyond the second word's twelve numbers there are none; shifting by 60 leaves four zero bits.
    let index = if index < LEVELS_IN_WORD {
        index
    } else {
        LEVELS_IN_WORD
    };
    (word >> (index * LEVEL_BITS) & 31) as u32
}

#[inline(always)]
fn narrow_entry<L: Lines + ?Sized>(lines: &L, header: &[u64; 8], word: u64, level: u32) -> Entry {
    let key = key_of(word, level);
    let search = |Line(line): &Line| {
        let first = same(line[0] & !ELSEWHERE, key);
        let others = [line[2], line[4], line[6]].map(|other| same(other, key));
        let bitmap =
            first & line[1] | others[0] & line[3] | others[1] & line[5] | others[2] & line[7];
        Found {
            present: first | others[0] | others[1] | others[2],
            bitmap,
            elsewhere: line[0] & ELSEWHERE,
        }
    };
    let home = Home::new(header, header[NARROW], 0, key);
    entry(home.search(lines, search), word, level)
}

#[inline(always)]
fn wide_entry<L: Lines + ?Sized>(
    lines: &L,
    header: &[u64; 8],
    address: [u64; 2],
    level: u32,
) -> Entry {
    let key = key_of(address[1], level);
    let search = |Line(line): &Line| {
        let first = same(line[0], address[0]) & same(line[1] & !ELSEWHERE, key);
        let second = same(line[3], address[0]) & same(line[4], key);
        Found {
            present: first | second,
            bitmap: first & line[2] | second & line[5],
            elsewhere: line[1] & ELSEWHERE,
        }
    };
    let home = Home::new(header, header[WIDE], address[0], key);
    entry(home.search(lines, search), address[1], level)
}

/// What a line says of a key.
struct Found {
    /// All ones where the key is there.
    present: u64,
    bitmap: u64,
    /// Not zero where a key that has its first home here stands in its second one.
    elsewhere: u64,
}

/// Where to look for a key.
struct Home {
    seeds: [u64; 3],
    base: u32,
    count: u32,
    first_word: u64,
    key: u64,
}

impl Home {
    #[inline(always)]
    fn new(header: &[u64; 8], region: u64, first_word: u64, key: u64) -> Self {
        Home {
            seeds: [header[SEEDS], header[SEEDS + 1], header[SEEDS + 2]],
            base: region as u32,
            count: (region >> 32) as u32,
            first_word,
            key,
        }
    }

    /// Searches the first line, and the second where the first says so.
    #[inline(always)]
    fn search<L: Lines + ?Sized>(&self, lines: &L, search: impl Fn(&Line) -> Found) -> Found {
        let nothing = Found {
            present: 0,
            bitmap: 0,
            elsewhere: 0,
        };
        let first = first_home(self.seeds, self.first_word, self.key, self.count);
        let Some(line) = lines.line(self.base.wrapping_add(first)) else {
            return nothing;
        };
        let found = search(line);
        if found.elsewhere == 0 || found.present != 0 {
            return found;
        }
        let second = second_home(self.seeds, self.first_word, self.key, self.count);
        lines
            .line(self.base.wrapping_add(second))
            .map_or(nothing, search)
    }
}

#[inline(always)]
fn entry(found: Found, word: u64, level: u32) -> Entry {
    Entry {
        present: found.present & 1,
        bit: found.bitmap >> (word >> shift_of(level) & 63) & 1,
    }
}

/// All ones where the words are the same, else zero.
#[inline(always)]
fn same(a: u64, b: u64) -> u64 {
    let difference = a ^ b;
    (opaque(difference | difference.wrapping_neg()) >> 63).wrapping_sub(1)
}

/// The same value. The compiler knows the arithmetic around it for a comparison, and would make a branch of it.
#[inline(always)]
fn opaque(value: u64) -> u64 {
    #[cfg(target_arch = "bpf")]
    {
        let mut value = value;
        // SAFETY: it moves a register to itself. (Without any instruction, two lines of source would begin at the same
        // one, which the kernel refuses.)
        unsafe {
            core::arch::asm!("{0} = {0}", inout(reg) value, options(pure, nomem, nostack, preserves_flags));
        }
        value
    }
    #[cfg(not(target_arch = "bpf"))]
    value
}

#[cfg(test)]
mod tests;
