//! The filter in the kernel: the packet part of an expression as instructions of the programs themselves, so that what
//! is not wanted never enters a table, and a test costs no more than its own instructions.

mod assemble;
mod checks;
mod formula;
mod refusal;
mod splice;
mod tables;
#[cfg(test)]
mod tests;

pub use checks::Refused;
pub use refusal::refuses;
pub use splice::SpliceError;

use checks::Surroundings;
use splice::{INSTRUCTION, Text};

use aya::util::KernelVersion;
use sensor_common::prefix_set::Line;

use crate::filter::prefix_table::PrefixTable;
use crate::filter::program::{MATCH, Program};

/// Functions of the object.
const XDP_FILTER: &str = "sensor_filter_xdp";
const TC_FILTER: &str = "sensor_filter_tc";
const SET_CONTAINS: &str = "sensor_set_contains";
const PORTS_CONTAIN: &str = "sensor_ports_contain";
const SAMPLES: [&str; 3] = [
    "sensor_sample_xdp",
    "sensor_sample_xdp_frags",
    "sensor_sample_tc",
];
/// Gives that no more payloads are wanted.
const NO_SAMPLE: [u8; 16] = [0xb7, 0, 0, 0, 0xff, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];

/// `bpf_skb_load_bytes`, `bpf_xdp_load_bytes` (5.18).
const SKB_LOAD_BYTES: i32 = 26;
const XDP_LOAD_BYTES: i32 = 189;

/// A filter, ready for the loader.
#[derive(Clone, Debug)]
pub struct KernelFilter {
    program: Program,
    /// There is something to ask.
    asks: bool,
    /// For tags of the link layer, among others.
    asks_link: bool,
    /// Prefix sets, then tables of ports, then tables of tags.
    lines: Vec<Line>,
    port_lines: u32,
    tag_lines: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum FilterLoadError {
    #[error(transparent)]
    Splice(#[from] SpliceError),
    #[error("the filter can't run in the kernel: {0}")]
    Refused(#[from] Refused),
}

impl KernelFilter {
    /// `seed`: random, so that nobody can fill a place of the prefix sets.
    pub fn new(program: Program, seed: u64) -> Self {
        let mut lines = PrefixTable::build(&program.prefix_lists, seed).lines;
        let port_lines = lines.len() as u32;
        for list in &program.port_lists {
            lines.extend(tables::of_ports(&list.ranges));
        }
        let tag_lines = lines.len() as u32;
        for list in &program.tag_lists {
            lines.extend(tables::of_tags(list));
        }
        KernelFilter {
            asks: true,
            asks_link: program.needs_link(),
            program,
            lines,
            port_lines,
            tag_lines,
        }
    }

    /// Leaves nothing out, and is not even asked.
    pub(super) fn everything() -> Self {
        KernelFilter {
            program: Program {
                start: MATCH,
                nodes: Vec::new(),
                prefix_lists: Vec::new(),
                port_lists: Vec::new(),
                tag_lists: Vec::new(),
            },
            asks: false,
            asks_link: false,
            lines: Vec::new(),
            port_lines: 0,
            tag_lines: 0,
        }
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub(super) fn asks(&self) -> bool {
        self.asks
    }

    pub(super) fn asks_link(&self) -> bool {
        self.asks_link
    }

    /// The object with the filter in it, and without what takes payloads unless they are wanted: where the kernel refuses
    /// that, it must not cost the counts.
    pub(super) fn put_into(
        &self,
        object: &[u8],
        samples: bool,
    ) -> Result<Vec<u8>, FilterLoadError> {
        let write = |text: &Text<'_>, start: usize, load_bytes: i32| {
            let distance = |name| {
                let function = text.function(name).ok_or(SpliceError(name))?;
                Ok::<_, SpliceError>((function as i64 - start as i64) as i32 / INSTRUCTION as i32)
            };
            let around = Surroundings {
                load_bytes,
                set_contains: distance(SET_CONTAINS)?,
                ports_contain: distance(PORTS_CONTAIN)?,
                port_lines: self.port_lines,
                tag_lines: self.tag_lines,
            };
            Ok::<_, FilterLoadError>(checks::function(&self.program, around)?)
        };
        let to_static: &[&str] = if verifies_apart() {
            &[]
        } else {
            &[XDP_FILTER, TC_FILTER]
        };
        let xdp = |text: &Text<'_>, start: usize| write(text, start, XDP_LOAD_BYTES);
        let tc = |text: &Text<'_>, start: usize| write(text, start, SKB_LOAD_BYTES);
        let nothing = |_: &Text<'_>, _: usize| Ok(NO_SAMPLE.to_vec());
        let mut bodies: Vec<(&'static str, splice::Body<'_, FilterLoadError>)> =
            vec![(XDP_FILTER, &xdp), (TC_FILTER, &tc)];
        if !samples {
            bodies.extend(SAMPLES.map(|name| (name, &nothing as splice::Body<'_, _>)));
        }
        splice::replaced(object, &bodies, to_static)
    }
}

/// The verifier goes through a global function once, and through a static one anew for each way through the headers that
/// leads to it, which is too much for it with long filters. Before 5.12 global ones can't have pointers as arguments.
fn verifies_apart() -> bool {
    KernelVersion::current().is_ok_and(|running| running >= KernelVersion::new(5, 12, 0))
}
