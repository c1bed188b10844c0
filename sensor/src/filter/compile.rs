//! From the packet part of a filter to a [`Program`]: every test becomes questions, and every `and`, `or` and `not` is in
//! where their answers lead.

use std::sync::Arc;

use super::normal;
use super::program::{Check, Program, TagList};
use super::tree::{PortList, PrefixList, Tree};

mod graph;
mod known;
mod lists;
mod questions;
mod tags;
#[cfg(test)]
mod tests;

/// The most nodes of a program, which bounds the time that optimising it takes. The kernel's programs have limits of their
/// own (`source::kernel::filter::refuses`), which fewer nodes can reach: 32,767 instructions, of which a test of a length
/// is three and a formula dozens.
const MAX_NODES: usize = 4_000;
/// The most nodes before they are optimised.
const MAX_UNOPTIMISED: usize = 16 * MAX_NODES;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the filter asks {nodes} questions of a packet, more than {MAX_NODES}: put addresses, networks and ports into lists, \
     as in 'port in {{80, 443, 8000-8100}}' or 'net in file blocklist.txt'"
)]
pub struct TooBig {
    pub nodes: usize,
}

impl Program {
    /// A tree with tests of the flow key and of the packet. `slots`: the slots of all interfaces of a name.
    ///
    /// Tests of whole flows can't be answered for packets; they are taken as false.
    pub fn compile(tree: &Tree, slots: &dyn Fn(&str) -> Vec<u8>) -> Result<Program, TooBig> {
        let tree = lists::gathered(normal::pushed_down(tree, true));
        let mut lists = Lists::default();
        let questions = questions::Writer {
            slots,
            lists: &mut lists,
        }
        .write(&tree);
        let mut graph = graph::Graph::default();
        let start = graph.add(&questions);
        if graph.len() > MAX_UNOPTIMISED {
            return Err(TooBig { nodes: graph.len() });
        }
        let (start, nodes) = graph.finish(start);
        if nodes.len() > MAX_NODES {
            return Err(TooBig { nodes: nodes.len() });
        }
        Ok(Program {
            start,
            nodes,
            prefix_lists: lists.prefixes,
            port_lists: lists.ports,
            tag_lists: lists.tags,
        })
    }
}

/// Lists that the questions refer to, each once.
#[derive(Default)]
struct Lists {
    prefixes: Vec<Arc<PrefixList>>,
    ports: Vec<Arc<PortList>>,
    tags: Vec<TagList>,
}

impl Lists {
    fn prefixes(&mut self, list: &Arc<PrefixList>) -> u16 {
        place_of(&mut self.prefixes, list)
    }

    fn ports(&mut self, list: &Arc<PortList>) -> u16 {
        place_of(&mut self.ports, list)
    }

    fn tags(&mut self, list: TagList) -> u16 {
        let same = |other: &TagList| *other == list;
        let place = self.tags.iter().position(same).unwrap_or_else(|| {
            self.tags.push(list);
            self.tags.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }
}

/// More than 65,536 lists have more than [`MAX_NODES`] questions, and the program is refused.
fn place_of<T: PartialEq>(all: &mut Vec<Arc<T>>, one: &Arc<T>) -> u16 {
    let same = |other: &Arc<T>| Arc::ptr_eq(other, one) || other == one;
    let place = all.iter().position(same).unwrap_or_else(|| {
        all.push(one.clone());
        all.len() - 1
    });
    u16::try_from(place).unwrap_or(u16::MAX)
}

/// Questions, joined. Parts stand in the order in which they are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Question {
    Always,
    Never,
    Ask(Check),
    Not(Box<Question>),
    All(Vec<Question>),
    Any(Vec<Question>),
}
