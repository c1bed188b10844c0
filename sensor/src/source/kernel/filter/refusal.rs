//! What the kernel's programs can't decide, known without loading anything: every backend and `sensor filter` say the same.

use super::checks::{self, Surroundings};
use crate::filter::kernel_refuses;
use crate::filter::program::Program;
use crate::filter::tree::Tree;

/// Lengths don't depend on where the other functions are.
const ANYWHERE: Surroundings = Surroundings {
    load_bytes: 0,
    set_contains: 0,
    ports_contain: 0,
    port_lines: 0,
    tag_lines: 0,
};

/// What of the filter the kernel's programs can't decide, and why. `program` is the tree's.
pub fn refuses(tree: &Tree, program: &Program) -> Option<String> {
    if let Some((part, reason)) = kernel_refuses(tree) {
        return Some(format!("'{part}': {reason}"));
    }
    let refused = checks::function(program, ANYWHERE).err()?;
    Some(refused.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Filter, Nothing};

    fn refused(text: &str) -> Option<String> {
        let filter = Filter::compile(text, &Nothing).unwrap();
        let tree = &filter.plan().packet;
        refuses(tree, &Program::compile(tree, &|_| vec![0]).unwrap())
    }

    #[test]
    fn most_filters_are_decided() {
        for text in [
            "tcp port 443 and net 10.0.0.0/8",
            "vlan in {1-4094}",
            "mpls in {0-4095}",
        ] {
            assert_eq!(refused(text), None, "{text}");
        }
    }

    #[test]
    fn bytes_of_tags_formulas_without_end_and_length_are_refused() {
        let moved = refused("ether[14:2] = 5").unwrap();
        assert!(
            moved.contains("'ether[14:2] = 5'") && moved.contains("VLAN tag"),
            "{moved}"
        );
        let nested = (0..12).fold("len".to_owned(), |inner, n| format!("(ip[{n}] - {inner})"));
        let nested = refused(&format!("{nested} = 3")).unwrap();
        assert!(nested.contains("nested too deep"), "{nested}");
        let lengths: Vec<String> = (1..1_500).map(|n| format!("tcp[{n}] = ip[{n}]")).collect();
        let long = refused(&lengths.join(" or ")).unwrap();
        assert!(long.contains("more instructions"), "{long}");
        // Of each test several branches are left for later.
        let ways: Vec<String> = (1..1_300).map(|n| format!("tcp[2:2] != {n}")).collect();
        let long = refused(&ways.join(" and ")).unwrap();
        assert!(long.contains("branches one after the other"), "{long}");
    }
}
