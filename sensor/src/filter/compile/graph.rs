//! Joined questions as nodes with two ways on. Nodes that ask the same and lead to the same places are one.

use std::collections::HashMap;

use super::Question;
use super::known;
use crate::filter::program::{Check, MATCH, Node, REJECT};

/// Rounds of optimisation; each may open something for the next, rarely more than two do.
const ROUNDS: usize = 4;

/// Nodes in the order in which they were made: each leads to earlier ones.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    places: HashMap<(Check, u32, u32), u32>,
}

impl Graph {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Adds the whole question and gives its first node, or its answer.
    pub(super) fn add(&mut self, question: &Question) -> u32 {
        self.lead(question, MATCH, REJECT)
    }

    fn lead(&mut self, question: &Question, yes: u32, no: u32) -> u32 {
        match question {
            Question::Always => yes,
            Question::Never => no,
            Question::Ask(check) => self.node(check.clone(), yes, no),
            Question::Not(inner) => self.lead(inner, no, yes),
            Question::All(parts) => {
                let backwards = parts.iter().rev();
                backwards.fold(yes, |next, part| self.lead(part, next, no))
            }
            Question::Any(parts) => {
                let backwards = parts.iter().rev();
                backwards.fold(no, |next, part| self.lead(part, yes, next))
            }
        }
    }

    fn node(&mut self, check: Check, yes: u32, no: u32) -> u32 {
        if yes == no {
            return yes;
        }
        let (check, yes) = match check {
            Check::Word { mask, value, .. } if value & !mask != 0 => return no,
            Check::Word { mask: 0, .. } => return yes,
            Check::Word { word, mask, value } => match self.continued([mask, value], word, yes, no)
            {
                Some(([mask, value], yes)) => (Check::Word { word, mask, value }, yes),
                None => return no,
            },
            other => (other, yes),
        };
        // Both may be the same only now.
        if yes == no {
            return yes;
        }
        let place = self.nodes.len() as u32;
        *self
            .places
            .entry((check.clone(), yes, no))
            .or_insert_with(|| {
                self.nodes.push(Node { check, yes, no });
                place
            })
    }

    /// Two questions of one word in a row, that fail to the same place, are one; `None` if they contradict each other.
    fn continued(
        &self,
        [mask, value]: [u64; 2],
        word: u8,
        yes: u32,
        no: u32,
    ) -> Option<([u64; 2], u32)> {
        match self.nodes.get(yes as usize) {
            Some(Node {
                check:
                    Check::Word {
                        word: next_word,
                        mask: next_mask,
                        value: next_value,
                    },
                yes: next_yes,
                no: next_no,
            }) if *next_word == word && *next_no == no => {
                let contradiction = (value ^ next_value) & mask & next_mask != 0;
                (!contradiction).then_some(([mask | next_mask, value | next_value], *next_yes))
            }
            _ => Some(([mask, value], yes)),
        }
    }

    /// The nodes that are reached, each before those that it leads to.
    pub(super) fn finish(self, start: u32) -> (u32, Vec<Node>) {
        let (mut start, mut nodes) = self.in_order(start);
        for _ in 0..ROUNDS {
            let before = (start, nodes.clone());
            known::skip_known(&mut start, &mut nodes);
            (start, nodes) = rebuilt(start, &nodes);
            if before == (start, nodes.clone()) {
                break;
            }
        }
        (start, nodes)
    }

    fn in_order(&self, start: u32) -> (u32, Vec<Node>) {
        let mut reached = vec![false; self.nodes.len()];
        if let Some(first) = reached.get_mut(start as usize) {
            *first = true;
        }
        for index in (0..self.nodes.len())
            .rev()
            .filter(|index| *index <= start as usize)
        {
            if reached[index] {
                let Node { yes, no, .. } = self.nodes[index];
                for next in [yes, no] {
                    if let Some(next) = reached.get_mut(next as usize) {
                        *next = true;
                    }
                }
            }
        }
        let mut places = vec![0; self.nodes.len()];
        let mut nodes = Vec::new();
        for index in (0..self.nodes.len()).rev().filter(|index| reached[*index]) {
            places[index] = nodes.len() as u32;
            nodes.push(self.nodes[index].clone());
        }
        let place = |step: u32| places.get(step as usize).copied().unwrap_or(step);
        for node in &mut nodes {
            node.yes = place(node.yes);
            node.no = place(node.no);
        }
        (place(start), nodes)
    }
}

/// The same nodes made anew, from the last to the first: what became the same is joined.
fn rebuilt(start: u32, nodes: &[Node]) -> (u32, Vec<Node>) {
    let mut graph = Graph::default();
    let mut places = vec![REJECT; nodes.len()];
    let step = |places: &[u32], step: u32| places.get(step as usize).copied().unwrap_or(step);
    for (index, node) in nodes.iter().enumerate().rev() {
        let (yes, no) = (step(&places, node.yes), step(&places, node.no));
        places[index] = graph.node(node.check.clone(), yes, no);
    }
    graph.in_order(step(&places, start))
}
