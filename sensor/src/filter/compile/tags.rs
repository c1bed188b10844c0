//! Many numbers of tags (`vlan in {1-300}`) as one question: asked one by one, each costs as much as the packet may have
//! tags.

use super::{Lists, Question};
use crate::filter::program::{Check, Tag, TagList};

/// So many numbers are worth a look-up.
const MANY: usize = 8;

/// Questions for a number that stand alone in an `or`, or negated in an `and`, become one for all numbers.
pub(super) fn gathered(mut parts: Vec<Question>, any: bool, lists: &mut Lists) -> Vec<Question> {
    for tag in [Tag::Vlan, Tag::Mpls, Tag::Pppoe] {
        let number = |part: &Question| asked(part, any).and_then(|check| number(check, tag));
        let numbers: Vec<u32> = parts.iter().filter_map(number).collect();
        if numbers.len() < MANY {
            continue;
        }
        parts.retain(|part| number(part).is_none());
        let list = lists.tags(TagList::new(numbers));
        let question = Question::Ask(Check::TagIn { tag, list });
        parts.push(if any {
            question
        } else {
            Question::Not(Box::new(question))
        });
    }
    parts
}

fn asked(part: &Question, positive: bool) -> Option<&Check> {
    match (part, positive) {
        (Question::Ask(check), true) => Some(check),
        (Question::Not(inner), false) => asked(inner, true),
        _ => None,
    }
}

fn number(check: &Check, tag: Tag) -> Option<u32> {
    match (check, tag) {
        (Check::Vlan(Some(id)), Tag::Vlan) => Some(u32::from(*id)),
        (Check::Mpls(label), Tag::Mpls) => *label,
        (Check::Pppoe(Some(session)), Tag::Pppoe) => Some(u32::from(*session)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::filter::evaluate::Matcher;
    use crate::filter::naive;
    use crate::filter::program::Program;
    use crate::filter::tree::{Test, Tree};

    fn test(tag: Tag, number: u32) -> Tree {
        Tree::Test(match tag {
            Tag::Vlan => Test::Vlan(Some(number as u16)),
            Tag::Mpls => Test::Mpls(Some(number)),
            Tag::Pppoe => Test::Pppoe(Some(number as u16)),
        })
    }

    fn compiled(tree: &Tree) -> Program {
        Program::compile(tree, &naive::slots).unwrap()
    }

    proptest! {
        #[test]
        fn a_list_of_tags_says_what_its_numbers_say(
            tag in prop::sample::select(&[Tag::Vlan, Tag::Mpls, Tag::Pppoe][..]),
            numbers in prop::collection::vec(0..14u32, 6..16),
            also in prop::collection::vec(naive::packet_test(), 0..3),
            positive in any::<bool>(),
            worlds in prop::collection::vec(naive::world(), 20),
        ) {
            let tests = numbers.iter().map(|number| test(tag, *number));
            let mut tree = Tree::Any(tests.chain(also.into_iter().map(Tree::Test)).collect());
            if !positive {
                tree = Tree::Not(Box::new(tree));
            }
            let matcher = Matcher::new(compiled(&tree));
            for world in &worlds {
                let said = matcher.matches(&world.facts, &world.bytes);
                prop_assert_eq!(said, naive::holds(&tree, world), "{:?}", matcher.program());
            }
        }
    }

    #[test]
    fn many_numbers_are_one_question_and_few_are_not() {
        let numbers = |tag, count| Tree::Any((1..=count).map(|n| test(tag, n)).collect());
        for tag in [Tag::Vlan, Tag::Mpls, Tag::Pppoe] {
            let program = compiled(&numbers(tag, 4094));
            assert_eq!(program.nodes[0].check, Check::TagIn { tag, list: 0 });
            assert_eq!(program.tag_lists, [TagList(vec![1..=4094])]);
            assert!(program.nodes.len() == 1 && program.needs_link());
            assert_eq!(compiled(&numbers(tag, 7)).nodes.len(), 7);
        }
        let none = Tree::Not(Box::new(numbers(Tag::Vlan, 300)));
        assert_eq!(compiled(&none).nodes.len(), 1);
        // The same list twice is one list.
        let both = Tree::Any(vec![
            Tree::All(vec![numbers(Tag::Vlan, 9), Tree::Test(Test::Ipv4)]),
            Tree::All(vec![numbers(Tag::Mpls, 9), Tree::Test(Test::Ipv6)]),
        ]);
        assert_eq!(compiled(&both).tag_lists.len(), 1);
    }
}
