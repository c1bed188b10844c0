//! An expression, ready for every road that it has to take.

use std::collections::BTreeSet;

use super::ast::Expr;
use super::compile::TooBig;
use super::error::FilterError;
use super::evaluate::Matcher;
use super::library::Library;
use super::lower::lower;
use super::parser::parse;
use super::plan::{Plan, packet_test, split};
use super::program::Program;
use super::selection::Selection;
use super::tree::{Test, Tree};

/// The most interfaces that one filter tells apart: each has a slot, and other interfaces share one more.
const MAX_INTERFACES: usize = 255;

#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    tree: Tree,
    plan: Plan,
}

/// Everything.
impl Default for Filter {
    fn default() -> Self {
        Filter {
            text: String::new(),
            tree: Tree::True,
            plan: Plan {
                packet: Tree::True,
                flow: None,
            },
        }
    }
}

impl Filter {
    /// `library` has what the text refers to.
    pub fn compile(text: &str, library: &dyn Library) -> Result<Filter, FilterError> {
        let expr = parse(text, library)?;
        let tree = match expr {
            Expr::Everything => Tree::True,
            expr => lower(&expr, text, library)?,
        };
        let plan = split(&tree).map_err(|error| of_the_whole(text, error.to_string()))?;
        let filter = Filter {
            text: text.to_owned(),
            tree,
            plan,
        };
        filter
            .check_size()
            .map_err(|problem| of_the_whole(text, problem))?;
        Ok(filter)
    }

    /// As it was given, without the blanks around it.
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What is decided of packets, and what of flows.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What was understood, in the same language.
    pub fn normalised(&self) -> String {
        self.tree.to_string()
    }

    /// Nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.tree == Tree::True
    }

    /// Names of the interfaces that are asked for.
    pub fn interfaces(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self
            .tree
            .tests()
            .into_iter()
            .filter_map(interface)
            .collect();
        names.into_iter().cloned().collect()
    }

    /// What decides of packets. `slots`: the slots of all interfaces of a name.
    pub fn matcher(&self, slots: &dyn Fn(&str) -> Vec<u8>) -> Result<Matcher, TooBig> {
        Program::compile(&self.plan.packet, slots).map(Matcher::new)
    }

    /// What decides of flows when a report is made, if anything does.
    pub fn selection(&self) -> Option<Selection> {
        self.plan.flow.as_ref().map(Selection::new)
    }

    /// The whole filter, for flows that were counted without one; the error says which test only packets answer.
    pub fn over_flows(&self) -> Result<Selection, String> {
        match packet_test(&self.tree) {
            None => Ok(Selection::new(&self.tree)),
            Some(test) => Err(format!(
                "'{}' is known of single packets only, and what was counted has flows: leave it out, or filter a capture",
                Tree::Test(test.clone())
            )),
        }
    }

    /// Whether a selection asks for interfaces, so that flows must be told apart by them.
    pub fn selects_by_interface(&self) -> bool {
        let tests = self.plan.flow.iter().flat_map(Tree::tests);
        tests.filter_map(interface).next().is_some()
    }

    /// What has no place in the text, and would come up later.
    fn check_size(&self) -> Result<(), String> {
        let interfaces = self.interfaces().len();
        if interfaces > MAX_INTERFACES {
            return Err(format!(
                "{interfaces} interfaces are more than can be told apart, {MAX_INTERFACES}"
            ));
        }
        let compiled = Program::compile(&self.plan.packet, &|_| vec![0]);
        compiled.map(drop).map_err(|error| error.to_string())
    }
}

fn interface(test: &Test) -> Option<&String> {
    match test {
        Test::Interface(name) => Some(name),
        _ => None,
    }
}

fn of_the_whole(text: &str, message: String) -> FilterError {
    let start = text.len() - text.trim_start().len();
    FilterError {
        text: text.to_owned(),
        origin: None,
        span: start..text.trim_end().len().max(start),
        message,
        help: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Nothing;

    fn filter(text: &str) -> Filter {
        Filter::compile(text, &Nothing).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn an_empty_filter_is_everything() {
        for text in ["", "  \n\t"] {
            let filter = filter(text);
            assert!(filter.is_everything() && filter.selection().is_none());
        }
        assert!(!filter("tcp").is_everything());
    }

    #[test]
    fn what_was_understood_is_understood_again() {
        for text in [
            "port 80 or 443 and not net 10.0.0.0/8",
            "tcp[tcpflags] & tcp-syn != 0 or len > 1000",
            "dns and bytes > 10M and interface eth0",
        ] {
            let once = filter(text);
            let again = filter(&once.normalised());
            assert_eq!(again.tree(), once.tree(), "{}", once.normalised());
        }
    }

    #[test]
    fn interfaces_are_named_once() {
        let filter = filter("interface in {wg0, eth0} or (interface eth0 and bytes > 1)");
        assert_eq!(filter.interfaces(), ["eth0", "wg0"]);
        assert!(filter.selects_by_interface());
    }

    #[test]
    fn a_mixture_that_nobody_can_decide_is_an_error_with_its_place() {
        let error = Filter::compile(" len > 100 or bytes > 1M ", &Nothing).unwrap_err();
        assert!(error.message.contains("len > 100"), "{error}");
        assert_eq!(error.span, 1..24);
    }
}
