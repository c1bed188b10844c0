//! Whether a packet passes the filter.
//!
//! The agent generates the filter's instructions and puts them in the place of the functions below before it loads the
//! object, so a filter costs what its tests cost, and none costs nothing.

use aya_ebpf::bindings::{__sk_buff, xdp_md};
use sensor_common::facts::{ETHERNET, Facts};
use sensor_common::flow::FlowKey;
use sensor_common::parse::{self, LinkObserver, Packet, Reason};
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

/// A packet whose outcome is known.
pub(crate) struct Subject<'a, C, V> {
    pub(crate) context: C,
    /// Where the link layer is read, if the filter asks for tags.
    pub(crate) view: &'a V,
    pub(crate) origin: Origin,
    /// Of a super-packet, that of a full segment.
    pub(crate) wire_len: u32,
    /// EtherType and control word of the VLAN tag that hardware took off.
    pub(crate) tag: Option<(u16, u16)>,
}

impl<C: Filterable, V: PacketView> Subject<'_, C, V> {
    #[inline(always)]
    pub(crate) fn passes(&self, outcome: &Result<Packet, Reason>) -> bool {
        if !maps::filtering() {
            return true;
        }
        let Some(facts) = maps::FACTS.get_ptr_mut(0) else {
            return true;
        };
        // SAFETY: a live value of the map, this CPU's own.
        let known = unsafe { &mut *facts };
        known.parsed(outcome, origin_bits(self.origin), self.wire_len);
        let ethernet = !self.origin.starts_with_ip();
        if maps::filter_needs_link() {
            known.new_link(ethernet);
            if let Some((ethertype, control)) = self.tag {
                known.tag(ethertype, control);
            }
            // What could be walked over counts, as everywhere.
            let _end = parse::link_layer(self.view, !ethernet, known);
        } else {
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
