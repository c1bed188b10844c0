//! The flow key: one-way 5-tuple, with where it was seen, in five machine words.
//!
//! Words, not byte arrays: in eBPF a key built by copying bytes costs more than the table look-up behind it. Addresses
//! stand in memory order, so a word comes straight from the packet.

/// Way of a packet relative to the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Direction {
    /// The source does not say (most capture files, a mirror port).
    #[default]
    Unknown = 0,
    Ingress = 1,
    Egress = 2,
}

impl Direction {
    /// Of a packet on a tap: it goes out where it comes from home only, and in where it goes there only.
    #[inline(always)]
    pub fn of_home(from_home: bool, to_home: bool) -> Self {
        match (from_home, to_home) {
            (true, false) => Direction::Egress,
            (false, true) => Direction::Ingress,
            _ => Direction::Unknown,
        }
    }
}

/// `[src 0..8, src 8..16, dst 0..8, dst 8..16, meta]`; IPv4 addresses are v4-mapped (::ffff:a.b.c.d).
///
/// `meta`: bits 0-31 source and destination port as in the packet's memory, 32-39 IP protocol, 40-47 flags, 48-55 slot
/// of the interface. For packets that are not IP the first word is the network id (see [`crate::protocol`]) and the
/// next three are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct FlowKey(pub [u64; 5]);

/// Place of the IP protocol in `meta`, and its eight bits.
pub const PROTOCOL_SHIFT: u32 = 32;
pub const PROTOCOL_MASK: u64 = 0xff << PROTOCOL_SHIFT;
/// Right above the protocol: both together choose a counter ([`crate::abi::ip_index`]).
pub const IPV6: u64 = 1 << 40;
/// Set in every key; a record whose key lacks it is empty.
pub const VALID: u64 = 1 << 41;
/// The packet has ports.
pub const PORTS: u64 = 1 << 42;
pub const NOT_IP: u64 = 1 << 43;
/// Place of the [`Direction`] in `meta`, and its two bits.
pub const DIRECTION_SHIFT: u32 = 44;
pub const DIRECTION_MASK: u64 = 3 << DIRECTION_SHIFT;
/// Place of the interface's slot in `meta`, and its eight bits.
pub const SLOT_SHIFT: u32 = 48;
pub const SLOT_MASK: u64 = 0xff << SLOT_SHIFT;
/// The second address word of a v4-mapped address with the IPv4 address itself left zero.
const V4_MAPPED: u64 = u64::from_ne_bytes([0, 0, 0xff, 0xff, 0, 0, 0, 0]);

/// Secret random numbers, new in every run.
pub type HashSeeds = [u64; 10];

/// The most interfaces that one run tells apart.
pub const MAX_SLOTS: usize = 256;

impl FlowKey {
    /// Addresses are the four bytes as they lie in the packet.
    #[inline(always)]
    pub fn ipv4(src: u32, dst: u32, protocol: u8) -> Self {
        FlowKey([
            0,
            v4_mapped(src),
            0,
            v4_mapped(dst),
            VALID | (protocol as u64) << PROTOCOL_SHIFT,
        ])
    }

    /// Addresses are two words each, as they lie in the packet.
    #[inline(always)]
    pub fn ipv6(src: [u64; 2], dst: [u64; 2], protocol: u8) -> Self {
        FlowKey([
            src[0],
            src[1],
            dst[0],
            dst[1],
            VALID | IPV6 | (protocol as u64) << PROTOCOL_SHIFT,
        ])
    }

    /// A packet without an IP header, named by its network id.
    #[inline(always)]
    pub fn not_ip(network: u16) -> Self {
        FlowKey([network as u64, 0, 0, 0, VALID | NOT_IP])
    }

    /// `ports`: source and destination port as the four bytes lie in the packet.
    #[inline(always)]
    pub fn set_ports(&mut self, ports: u32) {
        self.0[4] |= PORTS | ports as u64;
    }

    /// Where the packet was seen.
    #[inline(always)]
    pub fn set_origin(&mut self, slot: u8, direction: Direction) {
        self.0[4] |= (slot as u64) << SLOT_SHIFT | (direction as u64) << DIRECTION_SHIFT;
    }

    #[inline(always)]
    pub fn is_ip(&self) -> bool {
        self.0[4] & NOT_IP == 0
    }

    #[inline(always)]
    pub fn is_ipv6(&self) -> bool {
        self.0[4] & IPV6 != 0
    }

    /// False for non-first fragments, cut-off transport headers and protocols without ports.
    #[inline(always)]
    pub fn has_ports(&self) -> bool {
        self.0[4] & PORTS != 0
    }

    /// IP protocol number; 0 also where [`Self::is_ip`] is false.
    #[inline(always)]
    pub fn protocol(&self) -> u8 {
        (self.0[4] >> PROTOCOL_SHIFT) as u8
    }

    /// [`crate::abi::ip_index`] of the protocol and family, which stand side by side in the key.
    #[inline(always)]
    pub fn ip_index(&self) -> usize {
        (self.0[4] >> PROTOCOL_SHIFT) as usize & 511
    }

    /// EtherType or another network id, of a packet that is not IP.
    #[inline(always)]
    pub fn network(&self) -> u16 {
        self.0[0] as u16
    }

    #[inline(always)]
    pub fn slot(&self) -> u8 {
        (self.0[4] >> SLOT_SHIFT) as u8
    }

    #[inline(always)]
    pub fn direction(&self) -> Direction {
        match (self.0[4] >> DIRECTION_SHIFT) & 3 {
            1 => Direction::Ingress,
            2 => Direction::Egress,
            _ => Direction::Unknown,
        }
    }

    pub fn src_port(&self) -> u16 {
        let [a, b, _, _] = self.ports();
        u16::from_be_bytes([a, b])
    }

    pub fn dst_port(&self) -> u16 {
        let [_, _, a, b] = self.ports();
        u16::from_be_bytes([a, b])
    }

    pub fn src_addr(&self) -> core::net::IpAddr {
        self.addr(0)
    }

    pub fn dst_addr(&self) -> core::net::IpAddr {
        self.addr(2)
    }

    fn ports(&self) -> [u8; 4] {
        (self.0[4] as u32).to_ne_bytes()
    }

    fn addr(&self, word: usize) -> core::net::IpAddr {
        let mut octets = [0; 16];
        octets[..8].copy_from_slice(&self.0[word].to_ne_bytes());
        octets[8..].copy_from_slice(&self.0[word + 1].to_ne_bytes());
        if self.is_ipv6() {
            return core::net::Ipv6Addr::from(octets).into();
        }
        let [.., a, b, c, d] = octets;
        core::net::Ipv4Addr::new(a, b, c, d).into()
    }

    /// Equality, asking of an IPv4 key for what can differ only; `==` on the array becomes a call of memcmp.
    #[inline(always)]
    pub fn same(&self, other: &[u64; 5]) -> bool {
        let [a, b, c, d, meta] = self.0;
        if meta != other[4] || b != other[1] || d != other[3] {
            return false;
        }
        meta & (IPV6 | NOT_IP) == 0 || (a == other[0] && c == other[2])
    }

    /// Multilinear hash over the key's ten half-words, two to a multiplication (Lemire and Kaser, "Strongly universal
    /// string hashing is fast"): with random seeds no two keys collide in the upper 32 bits more often than chance has
    /// it, so nobody can craft flows that do. The top bits choose the place in a table.
    ///
    /// The sum is linear in each half-word, so ports in a row would fall on a lattice, which some seeds fold together: 60,000
    /// flows overflowed a table with room for twice as many with 4 of 100 seeds. One more mixing (of 64 bits into as many
    /// others, so it makes no collision) ends that.
    ///
    /// Of an IPv4 key four half-words can differ from those of another one, and only these are asked.
    #[inline(always)]
    pub fn hash(&self, seeds: &HashSeeds) -> u64 {
        self.hash_by(|number| seeds[number])
    }

    /// [`Self::hash`], asking for those seeds only that this key needs.
    #[inline(always)]
    pub fn hash_by(&self, seed: impl Fn(usize) -> u64) -> u64 {
        let product = |pair: usize, a: u64, b: u64| {
            let (a, b) = (
                seed(2 * pair).wrapping_add(a),
                seed(2 * pair + 1).wrapping_add(b),
            );
            a.wrapping_mul(b)
        };
        // The upper half is in the first factor too: a function of it alone is added thereby, which changes no chance.
        let of_word = |word: usize| product(word, self.0[word], self.0[word] >> 32);
        let addresses = if self.0[4] & (IPV6 | NOT_IP) == 0 {
            product(0, v4_address(self.0[1]), v4_address(self.0[3]))
        } else {
            of_word(0)
                .wrapping_add(of_word(1))
                .wrapping_add(of_word(2))
                .wrapping_add(of_word(3))
        };
        let sum = addresses.wrapping_add(of_word(4));
        (sum ^ sum >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[inline(always)]
fn v4_mapped(addr: u32) -> u64 {
    if cfg!(target_endian = "little") {
        V4_MAPPED | (addr as u64) << 32
    } else {
        V4_MAPPED | addr as u64
    }
}

/// The address in the second word of a v4-mapped one.
#[inline(always)]
fn v4_address(word: u64) -> u64 {
    if cfg!(target_endian = "little") {
        word >> 32
    } else {
        word as u32 as u64
    }
}

#[cfg(test)]
mod tests;
