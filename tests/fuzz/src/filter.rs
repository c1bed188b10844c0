//! The filter language: any bytes are an expression or a mistake that is explained, in no time; an expression says
//! the same when it is printed and read again, and when it is taken apart and compiled.

mod naive;
mod shelf;
mod world;

use std::sync::Once;

use sensor::filter::evaluate::Matcher;
use sensor::filter::flow::FlowMatcher;
use sensor::filter::program::Program;
use sensor::filter::tree::Tree;
use sensor::filter::{FilterError, lower, parse, plan};

use self::shelf::Shelf;
use self::world::World;
use crate::cost::{cpu_time, in_time};

/// Panics if the language does not do with these bytes what it promises.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    names_known();
    let begin = cpu_time();
    let understood = understand(&text).map(|tree| (tree.to_string(), tree));
    in_time(begin, text.len());
    match understood {
        Err(error) => explained(&error),
        Ok((printed, tree)) => {
            if let Err(error) = says_the_same(&tree, &printed) {
                panic!("{text:?}\nwas understood as {printed:?}\n{error}");
            }
            decided(&tree);
        }
    }
}

/// The tables of names are made once.
fn names_known() {
    static MADE: Once = Once::new();
    MADE.call_once(|| assert!(understand("proto dns or port http").is_ok()));
}

fn understand(text: &str) -> Result<Tree, FilterError> {
    lower(&parse(text, &Shelf)?, text, &Shelf)
}

/// The message says what is wrong, where, and what to do, of what was typed in part only (200 characters, escaped).
fn explained(error: &FilterError) {
    assert!(
        !error.message.is_empty() && error.help.is_some(),
        "{error:?}"
    );
    let ends_well = error.message.ends_with("...") || !error.message.ends_with('.');
    assert!(ends_well, "{error:?}");
    assert!(error.span.start <= error.span.end, "{error:?}");
    assert!(error.span.end <= error.text.len(), "{error:?}");
    let place = error.text.get(error.span.clone());
    assert!(place.is_some(), "half a character is marked: {error:?}");
    let shown = error.to_string();
    assert!(shown.lines().count() <= 4, "{shown}");
    for line in shown.lines() {
        assert!(line.chars().count() < 2000, "{shown}");
        let control = line.chars().any(char::is_control);
        assert!(!control, "a terminal would obey: {shown:?}");
    }
}

fn says_the_same(tree: &Tree, printed: &str) -> Result<(), String> {
    match understand(printed) {
        Ok(again) if again == *tree => Ok(()),
        Ok(again) => Err(format!("read again it is {again:?}\ninstead of {tree:?}")),
        // A named filter or a file may make much of a short text.
        Err(error) if is_limit(&error) => Ok(()),
        Err(error) => Err(format!("read again: {error}")),
    }
}

fn is_limit(error: &FilterError) -> bool {
    ["too long", "too many", "too deep", "nested"]
        .iter()
        .any(|word| error.message.contains(word))
}

/// The parts that are decided on packets and on flows say together what the whole says.
fn decided(tree: &Tree) {
    let Ok(plan) = plan::split(tree) else { return };
    let Ok(program) = Program::compile(&plan.packet, &world::slots) else {
        return;
    };
    let packet = Matcher::new(program);
    let flow = plan.flow.as_ref().map(FlowMatcher::new);
    for world in world::worlds() {
        let World { facts, bytes, .. } = world;
        let of_packet = packet.matches(facts, bytes);
        let said = of_packet && flow.as_ref().is_none_or(|flow| flow.matches(&world.flow()));
        let meant = naive::holds(tree, world);
        assert_eq!(said, meant, "{tree}\n{plan:?}\n{world:?}");
    }
}
