//! Whether a packet passes the filter.
//!
//! The agent generates the filter's instructions and puts them in the place of the functions below before it loads the
//! object, so a filter costs what its tests cost, and none costs nothing.

use aya_ebpf::bindings::{__sk_buff, xdp_md};
use sensor_common::facts::{ETHERNET, Facts};
use sensor_common::flow::{FlowKey, IPV6, NOT_IP, VALID};
use sensor_common::parse::{self, LinkObserver, Packet, Reason};
use sensor_common::prefix_set::{self, Line, Lines};
use sensor_common::view::PacketView;

use crate::count::Origin;
use crate::maps;

/// Replaced by the filter: 0 = left out. What stands here only keeps the compiler from knowing the answer.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn sensor_filter_xdp(context: *mut xdp_md, facts: *mut Facts) -> u64 {
    // SAFETY: both are live for the call.
    unsafe {
        let unknown = (&raw const (*context).rx_queue_index).read_volatile();
        (&raw mut (*facts).wire_len).write_volatile(unknown);
        unknown as u64
    }
}

/// The same for TC programs, whose context and helpers differ.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn sensor_filter_tc(context: *mut __sk_buff, facts: *mut Facts) -> u64 {
    // SAFETY: both are live for the call.
    unsafe {
        let unknown = (&raw const (*context).len).read_volatile();
        (&raw mut (*facts).wire_len).write_volatile(unknown);
        unknown as u64
    }
}

/// The map as the look-up wants it.
struct Table;

impl Lines for Table {
    #[inline(always)]
    fn line(&self, index: u32) -> Option<&Line> {
        maps::FILTER_LINES.get(index)
    }
}

/// Called by the filter: whether the source (`dst` 0) or destination address is in prefix set `set`.
///
/// Without a pointer among its arguments, so that it can stay a global function: the verifier goes through those once, not
/// once for each way to each call. The facts are those of the map that the filter has them from.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn sensor_set_contains(dst: u64, set: u64) -> u64 {
    let Some(facts) = maps::FACTS.get_ptr(0) else {
        return 0;
    };
    // SAFETY: a live value of the map, this CPU's own.
    let key = unsafe { &(*facts).key };
    let meta = key[4];
    if meta & (VALID | NOT_IP) != VALID {
        return 0;
    }
    let words = if dst == 0 {
        [key[0], key[1]]
    } else {
        [key[2], key[3]]
    };
    prefix_set::contains(&Table, set as u32, meta & IPV6 != 0, words) as u64
}

/// Called by the filter: whether `port` is in the table of all ports that begins at line `first`.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn sensor_ports_contain(port: u64, first: u64) -> u64 {
    let Some(line) = maps::FILTER_LINES.get((first + (port >> 9)) as u32) else {
        return 0;
    };
    line.0[(port >> 6) as usize & 7] >> (port & 63) & 1
}

/// A program's context, as the filter wants it.
pub(crate) trait Filterable: Copy {
    fn filter(self, facts: *mut Facts) -> u64;
}

impl Filterable for *mut xdp_md {
    #[inline(always)]
    fn filter(self, facts: *mut Facts) -> u64 {
        sensor_filter_xdp(self, facts)
    }
}

impl Filterable for *mut __sk_buff {
    #[inline(always)]
    fn filter(self, facts: *mut Facts) -> u64 {
        sensor_filter_tc(self, facts)
    }
}

/// A packet on its way to the filter.
pub(crate) struct Subject<C> {
    pub(crate) context: C,
    pub(crate) origin: Origin,
}

/// Where fewer bytes than these are linear in memory, tags may be beyond them.
pub(crate) const LONGEST_LINK_LAYER: usize = 128;

impl<C: Filterable> Subject<C> {
    /// Notes the link layer's tags; `tag`: EtherType and control word of the one that hardware took off. Comes before
    /// anything else is known of the packet: the verifier would follow each way through the headers into each way through the
    /// tags otherwise.
    #[inline(always)]
    pub(crate) fn note_link<V: PacketView>(&self, view: &V, tag: Option<(u16, u16)>) {
        let Some(facts) = maps::FACTS.get_ptr_mut(0) else {
            return;
        };
        // SAFETY: a live value of the map, this CPU's own.
        let facts = unsafe { &mut *facts };
        let starts_with_ip = self.origin.starts_with_ip();
        facts.new_link(!starts_with_ip);
        if let Some((ethertype, control)) = tag {
            facts.tag(ethertype, control);
        }
        // What could be walked over counts, as everywhere.
        let _end = parse::link_layer(view, starts_with_ip, facts);
    }

    /// `origin`: with the direction as it is counted; `wire_len`: of a super-packet, that of a full segment.
    #[inline(always)]
    pub(crate) fn passes(
        &self,
        outcome: &Result<Packet, Reason>,
        origin: Origin,
        wire_len: impl FnOnce() -> u64,
    ) -> bool {
        if !maps::filtering() {
            return true;
        }
        let Some(facts) = maps::FACTS.get_ptr_mut(0) else {
            return true;
        };
        // SAFETY: a live value of the map, this CPU's own.
        let known = unsafe { &mut *facts };
        known.parsed(outcome, origin_bits(origin), wire_len() as u32);
        if !maps::filter_needs_link() {
            let ethernet = !self.origin.starts_with_ip();
            known.flags = if ethernet { ETHERNET } else { 0 };
        }
        self.context.filter(facts) != 0
    }
}

#[inline(always)]
fn origin_bits(origin: Origin) -> u64 {
    let mut key = FlowKey([0; 5]);
    key.set_origin(origin.number(), origin.direction);
    key.0[4]
}
