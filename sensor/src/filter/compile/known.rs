//! Leaves out questions whose answer is known on every way that leads to them.

use std::collections::HashMap;

use crate::filter::program::{Check, Node};

/// Answers that are remembered, besides the bits of words: the latest ones. Bounds the work for long chains.
const REMEMBERED: usize = 24;

/// Leads every step past the nodes whose answer is known there, and asks of words only for bits that are not known.
/// Nodes must stand before those that they lead to.
pub(super) fn skip_known(start: &mut u32, nodes: &mut [Node]) {
    let ids = ids(nodes);
    let mut known: Vec<Option<Known>> = vec![None; nodes.len()];
    let nothing = Known::default();
    *start = nothing.follow(*start, nodes, &ids);
    if let Some(first) = known.get_mut(*start as usize) {
        *first = Some(nothing);
    }
    for index in 0..nodes.len() {
        // No way leads to the others.
        let Some(here) = known[index].take() else {
            continue;
        };
        for answer in [true, false] {
            let mut there = here.clone();
            there.learn(&nodes[index].check, ids[index], answer);
            let step = if answer {
                nodes[index].yes
            } else {
                nodes[index].no
            };
            let step = there.follow(step, nodes, &ids);
            if answer {
                nodes[index].yes = step;
            } else {
                nodes[index].no = step;
            }
            if let Some(place) = known.get_mut(step as usize) {
                *place = Some(match place.take() {
                    Some(other) => other.common(&there),
                    None => there,
                });
            }
        }
        here.narrow(&mut nodes[index].check);
    }
}

/// The same number for nodes that ask the same.
fn ids(nodes: &[Node]) -> Vec<u32> {
    let mut numbers = HashMap::new();
    let number = |node| {
        let next = numbers.len() as u32;
        *numbers.entry(node).or_insert(next)
    };
    nodes.iter().map(|node| &node.check).map(number).collect()
}

#[derive(Clone, Copy, Debug, Default)]
struct Bits {
    mask: u64,
    value: u64,
}

#[derive(Clone, Debug, Default)]
struct Known {
    words: [Bits; 5],
    /// Words that are not so: number of the word, and its bits.
    refuted: Vec<(u8, Bits)>,
    /// Answers of other questions, by their numbers.
    answers: Vec<(u32, bool)>,
}

impl Known {
    /// The first node whose answer is open.
    fn follow(&self, step: u32, nodes: &[Node], ids: &[u32]) -> u32 {
        let mut step = step;
        while let Some(node) = nodes.get(step as usize) {
            step = match self.answer(&node.check, ids[step as usize]) {
                Some(true) => node.yes,
                Some(false) => node.no,
                None => break,
            };
        }
        step
    }

    fn answer(&self, check: &Check, id: u32) -> Option<bool> {
        let Check::Word { word, mask, value } = *check else {
            let answer = self.answers.iter().find(|(other, _)| *other == id);
            return answer.map(|(_, answer)| *answer);
        };
        let known = self.words.get(usize::from(word))?;
        if (known.value ^ value) & known.mask & mask != 0 {
            return Some(false);
        }
        if mask & !known.mask == 0 {
            return Some(true);
        }
        let (mask, value) = (mask | known.mask, value | known.value);
        let implied = |(other, bits): &(u8, Bits)| {
            *other == word && bits.mask & !mask == 0 && (bits.value ^ value) & bits.mask == 0
        };
        self.refuted.iter().any(implied).then_some(false)
    }

    fn learn(&mut self, check: &Check, id: u32, answer: bool) {
        let Check::Word { word, mask, value } = *check else {
            push(&mut self.answers, (id, answer));
            return;
        };
        let Some(known) = self.words.get_mut(usize::from(word)) else {
            return;
        };
        let open = mask & !known.mask;
        if answer {
            known.mask |= mask;
            known.value |= value;
        } else if open.is_power_of_two() {
            // All but one bit are as asked for, so it is this one that is not.
            known.mask |= open;
            known.value |= !value & open;
        } else {
            push(&mut self.refuted, (word, Bits { mask, value }));
        }
    }

    fn narrow(&self, check: &mut Check) {
        if let Check::Word { word, mask, value } = check
            && let Some(known) = self.words.get(usize::from(*word))
        {
            *mask &= !known.mask;
            *value &= *mask;
        }
    }

    /// What is known on both ways.
    fn common(mut self, other: &Known) -> Known {
        for (bits, others) in self.words.iter_mut().zip(&other.words) {
            bits.mask &= others.mask & !(bits.value ^ others.value);
            bits.value &= bits.mask;
        }
        self.answers.retain(|answer| other.answers.contains(answer));
        self.refuted
            .retain(|(word, bits)| other.refutes(*word, *bits));
        self
    }

    fn refutes(&self, word: u8, bits: Bits) -> bool {
        let Bits { mask, value } = bits;
        let same =
            |(other, bits): &(u8, Bits)| *other == word && bits.mask == mask && bits.value == value;
        self.refuted.iter().any(same)
            || self
                .words
                .get(usize::from(word))
                .is_some_and(|known| (known.value ^ value) & known.mask & mask != 0)
    }
}

fn push<T>(facts: &mut Vec<T>, fact: T) {
    if facts.len() == REMEMBERED {
        facts.remove(0);
    }
    facts.push(fact);
}
