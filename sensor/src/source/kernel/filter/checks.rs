//! Each check of a decision list as instructions over `Facts`.

use std::mem::offset_of;

use sensor_common::facts::{
    ETHERNET, Facts, LABEL_ENTRY, MAX_MPLS, MAX_VLANS, MPLS, PPPOE, VLAN, VLAN_ENTRY,
};
use sensor_common::flow;
use sensor_common::protocol::network;

use super::assemble::{
    Alu, Assembler, CONTEXT, FACTS, FRAME, Jump, Label, R0, R1, R2, R3, R4, Width,
};
use super::formula;
use super::tables::{PORT_LINES, TagTable};
use crate::filter::program::{Check, MATCH, Node, Program, REJECT, Tag};
use crate::filter::tree::{Compare, PortRange};

/// Which helper reads the packet's bytes, and where the functions are that look into tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings {
    pub(super) load_bytes: i32,
    /// Distances from the generated function's start, in instructions.
    pub(super) set_contains: i32,
    pub(super) ports_contain: i32,
    /// Line of the first port table.
    pub(super) port_lines: u32,
    /// Line of the first table of tags.
    pub(super) tag_lines: u32,
}

/// Port lists of so many ranges are compared one by one, longer ones looked up.
const FEW_RANGES: usize = 16;

/// Byte of the key's last word that holds its flags (see `sensor_common::flow`).
const FLAGS: usize = offset_of!(Facts, key) + 4 * 8 + 5;
pub(super) const PROTOCOL: usize = offset_of!(Facts, key) + 4 * 8 + 4;
const VALID_BIT: u32 = (flow::VALID >> 40) as u32;
const IPV6_BIT: u32 = (flow::IPV6 >> 40) as u32;
const PORTS_BIT: u32 = (flow::PORTS >> 40) as u32;
const NOT_IP_BIT: u32 = (flow::NOT_IP >> 40) as u32;

/// `no` is where the check goes on that fails; one that holds falls through.
pub(super) struct Writer<'a> {
    pub(super) to: &'a mut Assembler,
    pub(super) program: &'a Program,
    pub(super) around: Surroundings,
    pub(super) no: Label,
}

/// Why instructions can't be generated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(transparent)]
    TooLong(#[from] super::assemble::TooLong),
    #[error("'{0}': it is nested too deep for the kernel's stack")]
    TooDeep(String),
}

/// The whole function: context and facts in, 1 or 0 out.
pub(super) fn function(program: &Program, around: Surroundings) -> Result<Vec<u8>, Refused> {
    let mut to = Assembler::default();
    to.move_all(CONTEXT, R1);
    to.move_all(FACTS, R2);
    // A function that is verified by itself has to ask.
    to.jump_all_immediate(Jump::Equal, FACTS, 0, target(REJECT));
    to.goto(target(program.start));
    for (index, node) in program.nodes.iter().enumerate() {
        let index = index as u32;
        to.place(Label::Node(index));
        let mut writer = Writer {
            to: &mut to,
            program,
            around,
            no: target(node.no),
        };
        writer.check(&node.check)?;
        if node.yes != index + 1 {
            to.goto(target(node.yes));
        }
    }
    // Instructions that nothing leads to are refused by the verifier.
    if leads_to(program, MATCH) {
        answer(&mut to, MATCH, 1);
    }
    answer(&mut to, REJECT, 0);
    Ok(to.finish()?)
}

fn answer(to: &mut Assembler, step: u32, value: u32) {
    to.place(target(step));
    to.alu_immediate(Alu::Mov, R0, value);
    to.exit();
}

fn leads_to(program: &Program, step: u32) -> bool {
    let by_node = |node: &Node| node.yes == step || node.no == step;
    program.start == step || program.nodes.iter().any(by_node)
}

fn target(step: u32) -> Label {
    Label::Node(step)
}

impl Writer<'_> {
    fn check(&mut self, check: &Check) -> Result<(), Refused> {
        match check {
            Check::Word { word, mask, value } => self.word(*word, *mask, *value),
            Check::Port { dst, range } => self.port(*dst, &[*range]),
            Check::PortIn { dst, list } => self.port_in(*dst, *list),
            Check::AddressIn { dst, list } => self.address_in(*dst, *list),
            Check::Length(compare, len) => {
                let offset = offset_of!(Facts, wire_len);
                self.to.load(Width::Word, R1, FACTS, offset);
                self.to.jump(failing(*compare), R1, *len, self.no);
            }
            Check::Vlan(id) => self.vlan(*id),
            Check::Mpls(label) => self.mpls(*label),
            Check::Pppoe(session) => self.pppoe(*session),
            Check::TagIn { tag, list } => self.tag_in(*tag, *list),
            Check::Mac { dst, addr, mask } => self.mac(*dst, *addr, *mask),
            Check::ArpAddress { target, addr, mask } => self.arp(*target, *addr, *mask),
            Check::Formula(formula) => {
                formula::write(self, formula).map_err(|_| Refused::TooDeep(formula.to_string()))?
            }
        }
        Ok(())
    }

    /// Compares the smallest part of the word that the mask is within.
    fn word(&mut self, word: u8, mask: u64, value: u64) {
        let base = offset_of!(Facts, key) + usize::from(word) * 8;
        if mask == 0 {
            if value != 0 {
                self.to.goto(self.no);
            }
            return;
        }
        let (width, shift) = part(mask);
        let offset = base + shift as usize / 8;
        self.to.load(width, R1, FACTS, offset);
        let (mask, value) = (mask >> shift, value >> shift);
        if width == Width::Double {
            if mask != u64::MAX {
                self.to.constant(R2, mask);
                self.to.alu_all(Alu::And, R1, R2);
            }
            self.to.constant(R2, value);
            self.to.jump_all(Jump::NotEqual, R1, R2, self.no);
            return;
        }
        let whole = match width {
            Width::Byte => 0xff,
            Width::Half => 0xffff,
            _ => u64::from(u32::MAX),
        };
        if mask != whole {
            self.to.alu_immediate(Alu::And, R1, mask as u32);
        }
        self.to.jump(Jump::NotEqual, R1, value as u32, self.no);
    }

    /// Goes on where the flags under the mask are these.
    fn flags(&mut self, mask: u32, value: u32) {
        self.to.load(Width::Byte, R1, FACTS, FLAGS);
        self.to.alu_immediate(Alu::And, R1, mask);
        self.to.jump(Jump::NotEqual, R1, value, self.no);
    }

    pub(super) fn ip(&mut self) {
        self.flags(VALID_BIT | NOT_IP_BIT, VALID_BIT);
    }

    pub(super) fn ip_version(&mut self, ipv6: bool) {
        let version = if ipv6 { IPV6_BIT } else { 0 };
        self.flags(VALID_BIT | NOT_IP_BIT | IPV6_BIT, VALID_BIT | version);
    }

    pub(super) fn network(&mut self, id: u16) {
        self.flags(VALID_BIT | NOT_IP_BIT, VALID_BIT | NOT_IP_BIT);
        self.to
            .load(Width::Double, R1, FACTS, offset_of!(Facts, key));
        let id = i32::from(id);
        self.to.jump_all_immediate(Jump::NotEqual, R1, id, self.no);
    }

    /// The port in R1, in the host's byte order.
    fn load_port(&mut self, dst: bool) {
        self.flags(VALID_BIT | PORTS_BIT, VALID_BIT | PORTS_BIT);
        let offset = offset_of!(Facts, key) + 4 * 8 + if dst { 2 } else { 0 };
        self.to.load(Width::Half, R1, FACTS, offset);
        self.to.network_to_host(R1, 16);
    }

    fn port(&mut self, dst: bool, ranges: &[PortRange]) {
        self.load_port(dst);
        let yes = self.to.label();
        for range in ranges {
            let next = self.to.label();
            let (first, last) = (u32::from(range.first), u32::from(range.last));
            if first == last {
                self.to.jump(Jump::Equal, R1, first, yes);
            } else {
                self.to.jump(Jump::Less, R1, first, next);
                self.to.jump(Jump::LessOrEqual, R1, last, yes);
            }
            self.to.place(next);
        }
        self.to.goto(self.no);
        self.to.place(yes);
    }

    fn port_in(&mut self, dst: bool, list: u16) {
        let ranges = self.program.port_lists.get(usize::from(list));
        let ranges = ranges.map_or(&[][..], |list| &list.ranges);
        if ranges.len() <= FEW_RANGES {
            return self.port(dst, ranges);
        }
        self.load_port(dst);
        let first = self.around.port_lines + u32::from(list) * PORT_LINES;
        self.to.alu_immediate(Alu::Mov, R2, first);
        self.to.call_function(self.around.ports_contain);
        self.to.jump(Jump::Equal, R0, 0, self.no);
    }

    fn address_in(&mut self, dst: bool, list: u16) {
        self.to.alu_immediate(Alu::Mov, R1, u32::from(dst));
        self.to.alu_immediate(Alu::Mov, R2, u32::from(list));
        self.to.call_function(self.around.set_contains);
        self.to.jump(Jump::Equal, R0, 0, self.no);
    }

    fn link_flag(&mut self, flag: u16) {
        let yes = self.to.label();
        self.to
            .load(Width::Half, R1, FACTS, offset_of!(Facts, flags));
        self.to.jump(Jump::AnyBit, R1, u32::from(flag), yes);
        self.to.goto(self.no);
        self.to.place(yes);
    }

    fn vlan(&mut self, id: Option<u16>) {
        let Some(id) = id else {
            return self.link_flag(VLAN);
        };
        let yes = self.to.label();
        for place in 0..MAX_VLANS {
            let offset = offset_of!(Facts, vlans) + place * 2;
            self.to.load(Width::Half, R1, FACTS, offset);
            self.to
                .jump(Jump::Equal, R1, u32::from(VLAN_ENTRY | id), yes);
        }
        self.to.goto(self.no);
        self.to.place(yes);
    }

    fn mpls(&mut self, label: Option<u32>) {
        let Some(label) = label else {
            return self.link_flag(MPLS);
        };
        let yes = self.to.label();
        for place in 0..MAX_MPLS {
            let offset = offset_of!(Facts, labels) + place * 4;
            self.to.load(Width::Word, R1, FACTS, offset);
            self.to.jump(Jump::Equal, R1, LABEL_ENTRY | label, yes);
        }
        self.to.goto(self.no);
        self.to.place(yes);
    }

    fn pppoe(&mut self, session: Option<u16>) {
        self.link_flag(PPPOE);
        if let Some(session) = session {
            self.to
                .load(Width::Half, R1, FACTS, offset_of!(Facts, session));
            self.to
                .jump(Jump::NotEqual, R1, u32::from(session), self.no);
        }
    }

    /// Entries are filled from the front.
    fn tag_in(&mut self, tag: Tag, list: u16) {
        let table = TagTable::of(&self.program.tag_lists, list, self.around.tag_lines);
        let (width, offset, size, count, entry) = match tag {
            Tag::Vlan => {
                let offset = offset_of!(Facts, vlans);
                (Width::Half, offset, 2, MAX_VLANS, u32::from(VLAN_ENTRY))
            }
            Tag::Mpls => {
                let offset = offset_of!(Facts, labels);
                (Width::Word, offset, 4, MAX_MPLS, LABEL_ENTRY)
            }
            Tag::Pppoe => {
                self.link_flag(PPPOE);
                (Width::Half, offset_of!(Facts, session), 2, 1, 0)
            }
        };
        let yes = self.to.label();
        for place in 0..count {
            let next = self.to.label();
            self.to.load(width, R1, FACTS, offset + place * size);
            if entry != 0 {
                self.to.jump(Jump::Equal, R1, 0, self.no);
                self.to.alu_immediate(Alu::And, R1, !entry);
            }
            self.to.jump(Jump::Greater, R1, table.last, next);
            self.to.alu_immediate(Alu::Mov, R2, table.first_line);
            self.to.call_function(self.around.ports_contain);
            self.to.jump(Jump::NotEqual, R0, 0, yes);
            self.to.place(next);
        }
        self.to.goto(self.no);
        self.to.place(yes);
    }

    fn mac(&mut self, dst: bool, addr: [u8; 6], mask: [u8; 6]) {
        self.link_flag(ETHERNET);
        self.to.alu_immediate(Alu::Mov, R2, if dst { 0 } else { 6 });
        self.load_bytes(6);
        let [a, b, c, d, e, f] = addr;
        let [g, h, i, j, k, l] = mask;
        let parts = [
            (8, Width::Word, [a, b, c, d], [g, h, i, j]),
            (4, Width::Half, [e, f, 0, 0], [k, l, 0, 0]),
        ];
        for (slot, width, addr, mask) in parts {
            let (addr, mask) = (u32::from_le_bytes(addr), u32::from_le_bytes(mask));
            self.to.load_stack(width, R1, slot);
            self.to.alu_immediate(Alu::And, R1, mask);
            self.to.jump(Jump::NotEqual, R1, addr & mask, self.no);
        }
    }

    fn arp(&mut self, target: bool, addr: u32, mask: u32) {
        const PROTOCOL_TYPE: u32 = 2;
        let place = if target { 24 } else { 14 };
        self.network(network::ARP);
        let network_offset = offset_of!(Facts, network_offset);
        self.to.load(Width::Half, R2, FACTS, network_offset);
        self.to.alu_immediate(Alu::Add, R2, PROTOCOL_TYPE);
        self.load_bytes(2);
        self.to.load_stack(Width::Half, R1, 8);
        let ipv4 = u32::from(network::IPV4.to_be());
        self.to.jump(Jump::NotEqual, R1, ipv4, self.no);
        self.to.load(Width::Half, R2, FACTS, network_offset);
        self.to.alu_immediate(Alu::Add, R2, place);
        self.load_bytes(4);
        self.to.load_stack(Width::Word, R1, 8);
        self.to.alu_immediate(Alu::And, R1, mask);
        self.to.jump(Jump::NotEqual, R1, addr & mask, self.no);
    }

    /// Copies `len` bytes of the packet, from the offset in R2 on, to the last eight bytes of the stack.
    pub(super) fn load_bytes(&mut self, len: u32) {
        self.to.move_all(R1, CONTEXT);
        self.to.move_all(R3, FRAME);
        self.to.alu_all_immediate(Alu::Add, R3, -8);
        self.to.alu_immediate(Alu::Mov, R4, len);
        self.to.call_helper(self.around.load_bytes);
        self.to.jump_all_immediate(Jump::NotEqual, R0, 0, self.no);
    }
}

/// The comparison that holds where this one doesn't.
pub(super) fn failing(compare: Compare) -> Jump {
    match compare {
        Compare::Equal => Jump::NotEqual,
        Compare::NotEqual => Jump::Equal,
        Compare::Less => Jump::GreaterOrEqual,
        Compare::LessOrEqual => Jump::Greater,
        Compare::Greater => Jump::LessOrEqual,
        Compare::GreaterOrEqual => Jump::Less,
    }
}

/// The smallest aligned part of a little-endian word that has all bits of the mask, and its distance in bits.
fn part(mask: u64) -> (Width, u32) {
    for (width, bits) in [(Width::Byte, 8), (Width::Half, 16), (Width::Word, 32)] {
        let shift = mask.trailing_zeros() / bits * bits;
        if mask >> shift >> bits == 0 {
            return (width, shift);
        }
    }
    (Width::Double, 0)
}
