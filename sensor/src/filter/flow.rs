//! Evaluation of the flow part of a filter over the flows of a report.

use sensor_common::facts::Facts;
use sensor_common::flow::FlowKey;

use super::evaluate::Matcher;
use super::program::Program;
use super::tree::{Measure, Needs, Test, Tree};

#[cfg(test)]
mod tests;

/// What is known of one flow. What is not known makes the tests of it false.
#[derive(Clone, Copy, Debug)]
pub struct FlowFacts<'a> {
    pub key: FlowKey,
    /// Label of the application, as the report has it.
    pub application: Option<&'static str>,
    /// `None` for what is no flow: packets that are not IP, malformed ones.
    pub counts: Option<Measured>,
    /// Name of the interface that the flow was seen on.
    pub interface: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    pub packets: u64,
    pub bytes: u64,
    /// Nanoseconds from the first to the last packet, where these have times.
    pub duration: Option<u64>,
}

/// A tree of tests of flow keys and of whole flows, with its tables at hand. Tests of single packets are false here.
#[derive(Clone, Debug)]
pub struct FlowMatcher(Part);

#[derive(Clone, Debug)]
enum Part {
    /// Of the key alone.
    Key(Box<Matcher>),
    Interface(String),
    Application(&'static str),
    Measure(Measure, super::tree::Compare, u64),
    Not(Box<Part>),
    All(Vec<Part>),
    Any(Vec<Part>),
}

impl FlowMatcher {
    pub fn new(tree: &Tree) -> FlowMatcher {
        FlowMatcher(Part::new(tree))
    }

    pub fn matches(&self, facts: &FlowFacts<'_>) -> bool {
        let mut packet = Facts::NONE;
        packet.key = facts.key.0;
        self.0.holds(facts, &packet)
    }
}

impl Part {
    fn new(tree: &Tree) -> Part {
        let never = || Part::Any(Vec::new());
        if is_of_key(tree) {
            // A tree that is too big for one program is taken apart.
            if let Ok(program) = Program::compile(tree, &|_| Vec::new()) {
                return Part::Key(Box::new(Matcher::new(program)));
            }
        }
        let parts = |parts: &[Tree]| parts.iter().map(Part::new).collect();
        match tree {
            Tree::True => Part::All(Vec::new()),
            Tree::False => never(),
            Tree::Not(inner) => Part::Not(Box::new(Part::new(inner))),
            Tree::All(inner) => Part::All(parts(inner)),
            Tree::Any(inner) => Part::Any(parts(inner)),
            Tree::Test(Test::Interface(name)) => Part::Interface(name.clone()),
            Tree::Test(Test::Application(label)) => Part::Application(label),
            Tree::Test(Test::Measure(measure, compare, value)) => {
                Part::Measure(*measure, *compare, *value)
            }
            Tree::Test(_) => never(),
        }
    }

    fn holds(&self, facts: &FlowFacts<'_>, packet: &Facts) -> bool {
        match self {
            Part::Key(matcher) => matcher.matches(packet, &[]),
            Part::Interface(name) => facts.interface == Some(name),
            Part::Application(label) => facts.application == Some(label),
            Part::Measure(measure, compare, value) => facts
                .counts
                .and_then(|counts| counts.get(*measure))
                .is_some_and(|measured| compare.holds(measured, *value)),
            Part::Not(inner) => !inner.holds(facts, packet),
            Part::All(parts) => parts.iter().all(|part| part.holds(facts, packet)),
            Part::Any(parts) => parts.iter().any(|part| part.holds(facts, packet)),
        }
    }
}

impl Measured {
    fn get(&self, measure: Measure) -> Option<u64> {
        match measure {
            Measure::Bytes => Some(self.bytes),
            Measure::Packets => Some(self.packets),
            Measure::Duration => self.duration,
        }
    }
}

/// Every test is of the key; interfaces are known by their names here, not by their slots.
fn is_of_key(tree: &Tree) -> bool {
    match tree {
        Tree::True | Tree::False => true,
        Tree::Test(test) => test.needs() == Needs::Key && !matches!(test, Test::Interface(_)),
        Tree::Not(inner) => is_of_key(inner),
        Tree::All(parts) | Tree::Any(parts) => parts.iter().all(is_of_key),
    }
}
