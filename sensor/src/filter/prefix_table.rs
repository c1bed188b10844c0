//! Lists of prefixes as the table that [`sensor_common::prefix_set`] looks into, here and in the kernel.

use std::net::IpAddr;
use std::sync::Arc;

use sensor_common::prefix_set::{
    self as layout, BLOCKS_BASE, BLOCKS_SHIFT, ELSEWHERE, FIRST_WORD_LEVELS, HEADER_LINES,
    LEVEL_BITS, LEVELS, LEVELS_IN_WORD, Line, NARROW, NARROW_ENTRIES, ORDER, ROOT, SEEDS, WIDE,
    WIDE_ENTRIES,
};

use super::tree::{Prefix, PrefixList};

#[cfg(test)]
mod tests;

/// Set `n` is the list at index `n`.
#[derive(Clone, Debug, Default)]
pub struct PrefixTable {
    pub lines: Vec<Line>,
}

impl PrefixTable {
    /// `seed`: any number; tables of one seed and the same lists are the same.
    pub fn build(lists: &[Arc<PrefixList>], seed: u64) -> PrefixTable {
        let headers = lists.len() * HEADER_LINES as usize;
        let mut lines = vec![Line::default(); headers];
        let mut random = Random(seed);
        for (set, list) in lists.iter().enumerate() {
            for ipv6 in [false, true] {
                let blocks = disjoint(&list.prefixes, ipv6);
                let header = add_family(&mut lines, ipv6, &blocks, &mut random);
                lines[set * HEADER_LINES as usize + usize::from(ipv6)] = header;
            }
        }
        PrefixTable { lines }
    }

    /// `words`: the address as in a flow key.
    #[inline(always)]
    pub fn contains(&self, set: u32, ipv6: bool, words: [u64; 2]) -> bool {
        layout::contains(&self.lines[..], set, ipv6, words)
    }
}

/// Leading bits of an address as the look-up sees it: IPv4 addresses have two zero bits in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    bits: u128,
    len: u32,
}

impl Block {
    fn new(prefix: &Prefix) -> Block {
        let (bits, len) = match prefix.addr {
            IpAddr::V4(addr) => {
                let len = u32::from(prefix.len.min(32));
                let before = 64 - 32 - layout::IPV4_SHIFT;
                (
                    u128::from(layout::ipv4_word(addr.to_bits())) << 64,
                    len + before,
                )
            }
            IpAddr::V6(addr) => (addr.to_bits(), u32::from(prefix.len.min(128))),
        };
        Block { bits, len }.masked(len)
    }

    fn masked(self, len: u32) -> Block {
        let mask = u128::MAX.checked_shl(128 - len).unwrap_or(0);
        Block {
            bits: self.bits & mask,
            len,
        }
    }

    fn covers(self, other: Block) -> bool {
        self.len <= other.len && other.masked(self.len).bits == self.bits
    }

    /// The block that consists of these two.
    fn joined(self, other: Block) -> Option<Block> {
        let parent = self.masked(self.len.checked_sub(1)?);
        (self.len == other.len && self != other && parent.covers(other)).then_some(parent)
    }

    fn words(self) -> [u64; 2] {
        [(self.bits >> 64) as u64, self.bits as u64]
    }

    /// The stride that it ends in, 0 for the first four bits.
    fn level(self) -> u32 {
        match self.len {
            0..=64 => self.len.saturating_sub(4).div_ceil(layout::STRIDE),
            _ => FIRST_WORD_LEVELS + 1 + self.len.saturating_sub(68).div_ceil(layout::STRIDE),
        }
    }
}

/// Sorted; none covers another, and none is half of a block whose other half is there too.
fn disjoint(prefixes: &[Prefix], ipv6: bool) -> Vec<Block> {
    let family = prefixes
        .iter()
        .filter(|prefix| prefix.addr.is_ipv6() == ipv6);
    let mut sorted: Vec<Block> = family.map(Block::new).collect();
    sorted.sort_unstable();
    let mut blocks: Vec<Block> = Vec::with_capacity(sorted.len());
    for block in sorted {
        if blocks.last().is_some_and(|last| last.covers(block)) {
            continue;
        }
        let mut block = block;
        while let Some(parent) = blocks.last().and_then(|last| last.joined(block)) {
            blocks.pop();
            block = parent;
        }
        blocks.push(block);
    }
    blocks
}

/// Adds the entries of one family and gives its header.
fn add_family(lines: &mut Vec<Line>, ipv6: bool, blocks: &[Block], random: &mut Random) -> Line {
    let order = SearchOrder::new(blocks);
    let mut header = [0; 8];
    for (index, level) in order.places.iter().enumerate() {
        let index = index as u32;
        header[ORDER + (index / LEVELS_IN_WORD) as usize] |=
            u64::from(*level) << (index % LEVELS_IN_WORD * LEVEL_BITS);
    }
    header[ROOT] = root_bitmap(blocks);
    if !ipv6 {
        header[ROOT] |= add_overview(lines, blocks);
    }
    let (narrow, wide): (Vec<Entry>, Vec<Entry>) = entries(blocks, &order)
        .into_iter()
        .partition(|entry| !entry.wide);
    loop {
        let seeds = [random.next(), random.next(), random.next()];
        header[SEEDS..].copy_from_slice(&seeds);
        let narrow = Placement::new(&narrow, NARROW_ENTRIES, seeds, random);
        let wide = Placement::new(&wide, WIDE_ENTRIES, seeds, random);
        let (Some(narrow), Some(wide)) = (narrow, wide) else {
            continue;
        };
        header[NARROW] = narrow.append_to(lines);
        header[WIDE] = wide.append_to(lines);
        return Line(header);
    }
}

/// The blocks of up to four bits, as a bitmap over those bits.
fn root_bitmap(blocks: &[Block]) -> u64 {
    let blocks = blocks.iter().filter(|block| block.level() == 0);
    blocks.fold(0, |bitmap, block| {
        let first = block.words()[0] >> 60;
        bitmap | ((1u64 << (1 << (4 - block.len))) - 1) << first
    })
}

/// Bits of the overview for each block of a list: nearly every address outside the list falls on a bit that is not set.
const BITS_A_BLOCK: usize = 16;
/// An overview of at most two megabytes.
const MOST_BITS: u32 = 24;

/// A bit for each of equal parts of the IPv4 addresses, where it is worth the look. IPv6 addresses have in common what is
/// in front: parts of them would tell little.
fn add_overview(lines: &mut Vec<Line>, blocks: &[Block]) -> u64 {
    if blocks.len() <= NARROW_ENTRIES {
        return 0;
    }
    let parts = (blocks.len() * BITS_A_BLOCK).next_power_of_two().max(512);
    let len = parts.ilog2().min(MOST_BITS);
    let base = lines.len();
    lines.resize(base + (1 << len >> 9), Line::default());
    let shift = 32 + layout::IPV4_SHIFT - len;
    for block in blocks {
        let first = block.words()[0] >> shift;
        // Blocks have two bits in front that addresses have not.
        let parts = 1u64 << (len + 2).saturating_sub(block.len);
        for part in first..first + parts {
            lines[base + (part >> 9) as usize].0[(part >> 6) as usize & 7] |= 1 << (part & 63);
        }
    }
    u64::from(shift) << BLOCKS_SHIFT | (base as u64) << BLOCKS_BASE
}

/// A binary tree over the strides in use, the root first, the children of place `p` at `2p` and `2p + 1`.
struct SearchOrder {
    places: Vec<u32>,
}

impl SearchOrder {
    fn new(blocks: &[Block]) -> SearchOrder {
        let mut used = [false; LEVELS as usize + 1];
        for block in blocks {
            used[block.level() as usize] = true;
        }
        let mut levels = (1..=LEVELS).filter(|level| used[*level as usize]);
        let mut places = vec![0; levels.clone().count()];
        fill_in_order(&mut places, 1, &mut levels);
        SearchOrder { places }
    }

    /// The shorter strides at which the search for this one must be told to go on to longer ones.
    fn signposts(&self, target: u32) -> impl Iterator<Item = u32> {
        let mut place = 1;
        std::iter::from_fn(move || {
            loop {
                let level = *self.places.get(place - 1)?;
                match level.cmp(&target) {
                    std::cmp::Ordering::Equal => return None,
                    std::cmp::Ordering::Greater => place *= 2,
                    std::cmp::Ordering::Less => {
                        place = 2 * place + 1;
                        return Some(level);
                    }
                }
            }
        })
    }
}

/// Depth is the logarithm of the number of places.
fn fill_in_order(places: &mut [u32], place: usize, levels: &mut impl Iterator<Item = u32>) {
    if place > places.len() {
        return;
    }
    fill_in_order(places, 2 * place, levels);
    places[place - 1] = levels.next().unwrap_or(0);
    fill_in_order(places, 2 * place + 1, levels);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    wide: bool,
    first_word: u64,
    key: u64,
    bitmap: u64,
}

impl Entry {
    fn new(words: [u64; 2], level: u32, bitmap: u64) -> Entry {
        let wide = level > FIRST_WORD_LEVELS;
        Entry {
            wide,
            first_word: if wide { words[0] } else { 0 },
            key: layout::key_of(words[usize::from(wide)], level),
            bitmap,
        }
    }
}

/// One entry for each stride of each block, and for each signpost on the way there.
fn entries(blocks: &[Block], order: &SearchOrder) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::with_capacity(blocks.len());
    let mut add = |entry: Entry| match entries.last_mut() {
        Some(last)
            if (last.wide, last.first_word, last.key)
                == (entry.wide, entry.first_word, entry.key) =>
        {
            last.bitmap |= entry.bitmap;
        }
        _ => entries.push(entry),
    };
    for block in blocks.iter().filter(|block| block.level() > 0) {
        let (level, words) = (block.level(), block.words());
        for signpost in order.signposts(level) {
            add(Entry::new(words, signpost, 0));
        }
        let word = usize::from(level > FIRST_WORD_LEVELS);
        let shift = layout::shift_of(level);
        let free = 64 * (word as u32 + 1) - shift - block.len;
        let bitmap = ((1u64 << (1 << free)) - 1) << (words[word] >> shift & 63);
        add(Entry::new(words, level, bitmap));
    }
    entries.sort_unstable();
    entries.dedup_by(|next, kept| {
        let same = (next.wide, next.first_word, next.key) == (kept.wide, kept.first_word, kept.key);
        if same {
            kept.bitmap |= next.bitmap;
        }
        same
    });
    entries
}

/// Which entries stand in which line: each in one of its two homes, in the first wherever there is room.
struct Placement<'a> {
    entries: &'a [Entry],
    seeds: [u64; 3],
    /// Indices of entries.
    lines: Vec<Vec<u32>>,
    per_line: usize,
}

/// Entries that are moved on at most to make room for one.
const MOVES: usize = 500;

impl Placement<'_> {
    /// `None` where an entry finds no room: with other seeds it will.
    fn new<'a>(
        entries: &'a [Entry],
        per_line: usize,
        seeds: [u64; 3],
        random: &mut Random,
    ) -> Option<Placement<'a>> {
        // Two thirds full: nearly all entries find room in their first home. A few entries fit one line.
        let count = if entries.len() <= per_line {
            entries.len().min(1)
        } else {
            (entries.len() * 3).div_ceil(per_line * 2) + 1
        };
        let mut placement = Placement {
            entries,
            seeds,
            lines: vec![Vec::new(); count],
            per_line,
        };
        (0..entries.len() as u32)
            .all(|entry| placement.place(entry, random))
            .then_some(placement)
    }

    fn place(&mut self, entry: u32, random: &mut Random) -> bool {
        let mut entry = entry;
        for _ in 0..MOVES {
            let homes = self.homes(entry);
            for home in homes {
                if self.lines[home].len() < self.per_line {
                    self.lines[home].push(entry);
                    return true;
                }
            }
            let (home, victim) = (homes[random.below(2)], random.below(self.per_line));
            std::mem::swap(&mut entry, &mut self.lines[home][victim]);
        }
        false
    }

    fn homes(&self, entry: u32) -> [usize; 2] {
        let Entry {
            first_word, key, ..
        } = self.entries[entry as usize];
        let count = self.lines.len() as u32;
        [layout::first_home, layout::second_home]
            .map(|home| home(self.seeds, first_word, key, count) as usize)
    }

    /// The word of the header that says where the lines are.
    fn append_to(&self, lines: &mut Vec<Line>) -> u64 {
        let base = lines.len();
        lines.resize(base + self.lines.len(), Line::default());
        for (home, members) in self.lines.iter().enumerate() {
            for (slot, member) in members.iter().enumerate() {
                let entry = &self.entries[*member as usize];
                let line = &mut lines[base + home].0;
                if entry.wide {
                    line[3 * slot] = entry.first_word;
                    line[3 * slot + 1] |= entry.key;
                    line[3 * slot + 2] = entry.bitmap;
                } else {
                    line[2 * slot] |= entry.key;
                    line[2 * slot + 1] = entry.bitmap;
                }
                let [first, _] = self.homes(*member);
                if first != home {
                    lines[base + first].0[usize::from(entry.wide)] |= ELSEWHERE;
                }
            }
        }
        base as u64 | (self.lines.len() as u64) << 32
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit
    }
}
