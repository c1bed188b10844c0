//! The flows of a table added up by what there is little of: classes, and where they were seen.

use super::accounting::index_of;
use super::{Counts, Delta};
use crate::names::How;

/// All flows of a [`Delta`], each once.
pub(crate) struct FlowSums {
    /// By class id and by what the application is known.
    pub(super) by_class: Vec<[Counts; How::ALL.len()]>,
    /// By slot and direction: with IP, and without.
    pub(super) by_origin: Vec<(Counts, Counts)>,
    /// A flow of which the totals know nothing.
    pub(super) strange: bool,
}

impl Delta {
    pub(crate) fn flow_sums(&self) -> FlowSums {
        let mut sums = FlowSums {
            by_class: vec![[Counts::ZERO; How::ALL.len()]; self.classes().len()],
            by_origin: vec![(Counts::ZERO, Counts::ZERO); self.slot_totals().len()],
            strange: false,
        };
        self.flows().each(|_, flow| {
            let (key, Counts { packets, bytes }) = (flow.key(), flow.counts());
            let how = flow.label().map_or(How::Port, |label| label.how);
            sums.by_class[flow.class() as usize][how as usize].add(packets, bytes);
            match sums
                .by_origin
                .get_mut(index_of(key.slot(), key.direction()))
            {
                Some((ip, _)) if key.is_ip() => ip.add(packets, bytes),
                Some((_, not_ip)) => not_ip.add(packets, bytes),
                None => sums.strange = true,
            }
        });
        sums
    }
}

impl FlowSums {
    /// By class id, and by what the application is known.
    pub(crate) fn by_class(&self) -> impl Iterator<Item = [(How, Counts); How::ALL.len()]> {
        let told = |sums: &[Counts; How::ALL.len()]| How::ALL.map(|how| (how, sums[how as usize]));
        self.by_class.iter().map(told)
    }
}
