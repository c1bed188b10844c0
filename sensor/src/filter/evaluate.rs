//! Evaluation of a [`Program`] over one packet in userspace.

use sensor_common::facts::{ETHERNET, Facts, LABEL_ENTRY, MPLS, PPPOE, VLAN, VLAN_ENTRY};
use sensor_common::flow::{FlowKey, NOT_IP, PORTS, VALID};
use sensor_common::protocol::network;

use super::prefix_table::PrefixTable;
use super::program::{Check, MATCH, Program, REJECT, Tag};
use super::tree::PortList;

mod formula;
mod reach;
#[cfg(test)]
mod tests;

pub use reach::UNBOUNDED;

/// A program with its tables at hand.
#[derive(Clone, Debug)]
pub struct Matcher {
    program: Program,
    prefixes: PrefixTable,
    /// One for each of the program's port lists.
    ports: Vec<PortBits>,
}

impl Matcher {
    pub fn new(program: Program) -> Matcher {
        Matcher {
            // No traffic can be crafted against the table: the number of lines that a look-up reads is bounded.
            prefixes: PrefixTable::build(&program.prefix_lists, 0),
            ports: program
                .port_lists
                .iter()
                .map(|list| PortBits::new(list))
                .collect(),
            program,
        }
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Whether the filter holds. `bytes`: the captured ones, from the packet's start.
    pub fn matches(&self, facts: &Facts, bytes: &[u8]) -> bool {
        let mut step = self.program.start;
        while let Some(node) = self.program.nodes.get(step as usize) {
            step = if self.holds(&node.check, facts, bytes) {
                node.yes
            } else {
                node.no
            };
        }
        debug_assert!(step == MATCH || step == REJECT, "step {step} leads nowhere");
        step == MATCH
    }

    /// How many bytes from the packet's start are looked at besides the headers' walk: 0 where none are, [`UNBOUNDED`]
    /// where offsets are computed from anything.
    pub fn reach(&self) -> usize {
        let checks = self.program.nodes.iter().map(|node| &node.check);
        checks.map(reach::of_check).max().unwrap_or(0)
    }

    /// Most questions are of a word; the others are kept out of its way.
    #[inline(always)]
    fn holds(&self, check: &Check, facts: &Facts, bytes: &[u8]) -> bool {
        match check {
            Check::Word { word, mask, value } => is_word(facts, *word, *mask, *value),
            other => self.other_holds(other, facts, bytes),
        }
    }

    #[inline(never)]
    fn other_holds(&self, check: &Check, facts: &Facts, bytes: &[u8]) -> bool {
        match check {
            Check::Word { word, mask, value } => is_word(facts, *word, *mask, *value),
            Check::Port { dst, range } => {
                port(facts, *dst).is_some_and(|port| (range.first..=range.last).contains(&port))
            }
            Check::PortIn { dst, list } => port(facts, *dst)
                .zip(self.ports.get(usize::from(*list)))
                .is_some_and(|(port, list)| list.has(port)),
            Check::AddressIn { dst, list } => self.address_in(facts, *dst, *list),
            Check::Length(compare, length) => compare.holds(facts.wire_len, *length),
            Check::Vlan(None) => facts.flags & VLAN != 0,
            Check::Vlan(Some(id)) => facts.vlans.contains(&(VLAN_ENTRY | id)),
            Check::Mpls(None) => facts.flags & MPLS != 0,
            Check::Mpls(Some(label)) => facts.labels.contains(&(LABEL_ENTRY | label)),
            Check::Pppoe(None) => facts.flags & PPPOE != 0,
            Check::Pppoe(Some(id)) => facts.flags & PPPOE != 0 && facts.session == *id,
            Check::TagIn { tag, list } => {
                let list = self.program.tag_lists.get(usize::from(*list));
                list.is_some_and(|list| any_tag(facts, *tag, |number| list.has(number)))
            }
            Check::Mac { dst, addr, mask } => mac(facts, bytes, *dst).is_some_and(|octets| {
                let mut pairs = octets.iter().zip(mask).zip(addr);
                pairs.all(|((octet, mask), addr)| octet & mask == *addr)
            }),
            Check::ArpAddress { target, addr, mask } => {
                arp_address(facts, bytes, *target).is_some_and(|bits| bits & mask == *addr)
            }
            Check::Formula(formula) => formula::holds(formula, facts, bytes),
        }
    }

    fn address_in(&self, facts: &Facts, dst: bool, list: u16) -> bool {
        let [a, b, c, d, meta] = facts.key;
        if meta & (VALID | NOT_IP) != VALID {
            return false;
        }
        let words = if dst { [c, d] } else { [a, b] };
        let ipv6 = FlowKey(facts.key).is_ipv6();
        self.prefixes.contains(u32::from(list), ipv6, words)
    }
}

/// Offsets in an ARP packet over Ethernet and IPv4 (RFC 826).
const ARP_PROTOCOL_TYPE: usize = 2;
const ARP_SENDER: usize = 14;
const ARP_TARGET: usize = 24;

#[inline(always)]
fn is_word(facts: &Facts, word: u8, mask: u64, value: u64) -> bool {
    let bits = facts.key.get(usize::from(word));
    bits.is_some_and(|bits| bits & mask == value)
}

fn port(facts: &Facts, dst: bool) -> Option<u16> {
    let key = facts.key();
    let wanted = VALID | PORTS;
    (key.0[4] & wanted == wanted).then(|| if dst { key.dst_port() } else { key.src_port() })
}

/// Entries are filled from the front.
fn any_tag(facts: &Facts, tag: Tag, is_wanted: impl Fn(u32) -> bool) -> bool {
    match tag {
        Tag::Vlan => facts
            .vlans
            .iter()
            .take_while(|entry| **entry & VLAN_ENTRY != 0)
            .any(|entry| is_wanted(u32::from(entry & !VLAN_ENTRY))),
        Tag::Mpls => facts
            .labels
            .iter()
            .take_while(|entry| **entry & LABEL_ENTRY != 0)
            .any(|entry| is_wanted(entry & !LABEL_ENTRY)),
        Tag::Pppoe => facts.flags & PPPOE != 0 && is_wanted(u32::from(facts.session)),
    }
}

fn mac<'a>(facts: &Facts, bytes: &'a [u8], dst: bool) -> Option<&'a [u8; 6]> {
    let offset = if dst { 0 } else { 6 };
    let ethernet = facts.flags & ETHERNET != 0;
    bytes.get(offset..)?.first_chunk().filter(|_| ethernet)
}

/// As it lies in memory.
fn arp_address(facts: &Facts, bytes: &[u8], target: bool) -> Option<u32> {
    let wanted = VALID | NOT_IP;
    if facts.key[4] & wanted != wanted || facts.key().network() != network::ARP {
        return None;
    }
    let arp = bytes.get(usize::from(facts.network_offset)..)?;
    let protocol = arp.get(ARP_PROTOCOL_TYPE..)?.first_chunk()?;
    let offset = if target { ARP_TARGET } else { ARP_SENDER };
    let addr = arp.get(offset..)?.first_chunk()?;
    (u16::from_be_bytes(*protocol) == network::IPV4).then(|| u32::from_ne_bytes(*addr))
}

/// A bit for each port.
#[derive(Clone, Debug)]
struct PortBits(Box<[u64]>);

impl PortBits {
    fn new(list: &PortList) -> PortBits {
        let mut bits = vec![0u64; 1 << 10];
        for port in list
            .ranges
            .iter()
            .flat_map(|range| range.first..=range.last)
        {
            bits[usize::from(port >> 6)] |= 1 << (port & 63);
        }
        PortBits(bits.into_boxed_slice())
    }

    fn has(&self, port: u16) -> bool {
        let word = self.0.get(usize::from(port >> 6));
        word.is_some_and(|word| word >> (port & 63) & 1 != 0)
    }
}
