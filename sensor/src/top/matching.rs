//! The filter that is typed into the view: what is counted stays counted, and what is shown is less.
//!
//! It is asked of each flow whenever the lists are made, so it holds for the time before it was typed, too. What only
//! single packets can answer is refused: their flows are all that is left of them.

use crate::counters::{Counts, Flow};
use crate::escape;
use crate::filter::flow::{FlowFacts, FlowMatcher};
use crate::filter::selection::measured;
use crate::filter::tree::{Needs, Tree};
use crate::filter::{Filter, FilterError, Library};
use sensor_common::application::Application;

pub struct Matching {
    text: String,
    matcher: FlowMatcher,
    /// Names of interfaces by slot.
    interfaces: Vec<String>,
}

/// How much of what was counted is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub flows: usize,
    pub all_flows: usize,
    pub counts: Counts,
}

impl Matching {
    /// `None` where the text leaves nothing out.
    pub fn compile(
        text: &str,
        library: &dyn Library,
        interfaces: &[String],
    ) -> Result<Option<Self>, FilterError> {
        let filter = Filter::compile(text, library)?;
        if filter.is_everything() {
            return Ok(None);
        }
        if let Some(problem) = problem(&filter, interfaces) {
            let start = text.len() - text.trim_start().len();
            return Err(FilterError {
                text: text.to_owned(),
                origin: None,
                span: start..text.trim_end().len().max(start),
                message: problem.0,
                help: Some(problem.1),
            });
        }
        Ok(Some(Self::new(filter.text(), filter.tree(), interfaces)))
    }

    /// Of the part of the command line's filter that only whole flows can answer.
    pub fn of_flows(tree: &Tree, interfaces: &[String]) -> Self {
        Self::new(&tree.to_string(), tree, interfaces)
    }

    fn new(text: &str, tree: &Tree, interfaces: &[String]) -> Self {
        Matching {
            text: text.to_owned(),
            matcher: FlowMatcher::new(tree),
            interfaces: interfaces.to_vec(),
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn keeps(&self, flow: &Flow) -> bool {
        let slot = usize::from(flow.key.slot());
        self.matcher.matches(&FlowFacts {
            key: flow.key,
            application: flow.application().map(Application::name),
            counts: measured(flow),
            interface: self.interfaces.get(slot).map(String::as_str),
        })
    }
}

/// Why flows can't answer it, and what to do.
fn problem(filter: &Filter, interfaces: &[String]) -> Option<(String, String)> {
    let tests = filter.tree().tests();
    if let Some(test) = tests.iter().find(|test| test.needs() == Needs::Packet) {
        let test = Tree::Test((*test).clone());
        return Some((
            format!("'{test}' is known of single packets only, and here are whole flows"),
            "give it to the command line: sensor top EXPR, then packets are judged as they come"
                .to_owned(),
        ));
    }
    let asked = filter.interfaces();
    let missing = asked.iter().find(|name| !interfaces.contains(name))?;
    let known: Vec<String> = interfaces.iter().map(|name| escape::text(name)).collect();
    Some((
        format!("interface {} is not counted here", escape::text(missing)),
        match known.is_empty() {
            true => "this source has no interfaces with names".to_owned(),
            false => format!("there are: {}", known.join(", ")),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Nothing;

    fn compile(text: &str) -> Result<Option<Matching>, FilterError> {
        Matching::compile(text, &Nothing, &["eth0".to_owned()])
    }

    #[test]
    fn what_packets_alone_know_is_refused_with_advice() {
        for text in ["len > 100", "vlan 3", "tcp[13] & 2 != 0", "dns and len < 9"] {
            let error = compile(text).err().unwrap_or_else(|| panic!("{text}"));
            assert!(error.message.contains("single packets"), "{error}");
            assert!(error.help.unwrap().contains("command line"));
        }
        let error = compile("interface wg0").err().unwrap();
        assert_eq!(error.message, "interface wg0 is not counted here");
    }

    #[test]
    fn nothing_is_no_filter() {
        assert!(compile("  ").unwrap().is_none());
        let matching = compile(" tcp port 443 or bytes > 10M ").unwrap().unwrap();
        assert_eq!(matching.text(), "tcp port 443 or bytes > 10M");
    }
}
