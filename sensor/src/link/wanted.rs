//! Which interfaces a run counts on: names, shell patterns and `any`, which also mean interfaces that come later.
//!
//! A packet of a bridge, a bond or a VLAN passes an interface below it too. Of those that a pattern or `any` means, the
//! lowest are counted and the ones above them are left out, so that it counts once; one that is named is always counted.

use std::ffi::CString;

use super::Link;

/// Interfaces may stand on others this many times over.
const MOST_LAYERS: usize = 8;
/// Their packets pass the interface that they stand on, as they are. Tunnels are none of these: theirs are other packets.
const UPPER: [&str; 5] = ["vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"];
/// They have no packets but those of their ports.
const OF_PORTS: [&str; 3] = ["bridge", "bond", "team"];

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    named: Vec<String>,
    patterns: Vec<String>,
    /// All that are up.
    any: bool,
}

/// What is there of it.
#[derive(Debug, Default)]
pub struct Choice {
    /// By index.
    pub links: Vec<Link>,
    pub left_out: Vec<Stacked>,
    /// Named ones whose packets are counted below them too.
    pub twice: Vec<Stacked>,
}

/// An interface whose packets are counted on others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stacked {
    pub ifindex: u32,
    pub name: String,
    /// Names of those; empty: its ports, whichever there will be.
    pub on: Vec<String>,
}

impl Wanted {
    /// Of `names`, what is called so is meant by it, even where it looks like a pattern.
    pub fn new(names: &[String], all: &[Link]) -> Self {
        let mut wanted = Wanted::default();
        for name in names {
            if name == "any" {
                wanted.any = true;
            } else if is_pattern(name) && all.iter().all(|link| link.name != *name) {
                wanted.patterns.push(name.clone());
            } else {
                wanted.named.push(name.clone());
            }
        }
        wanted
    }

    /// Interfaces that come later may be meant too.
    pub fn is_open(&self) -> bool {
        self.any || !self.patterns.is_empty()
    }

    pub fn names(&self, link: &Link) -> bool {
        self.named.contains(&link.name)
    }

    /// Names that nothing has.
    pub fn missing(&self, all: &[Link]) -> Vec<&str> {
        let there = |name: &&str| all.iter().all(|link| link.name != *name);
        self.named
            .iter()
            .map(String::as_str)
            .filter(there)
            .collect()
    }

    /// Patterns that nothing matches yet.
    pub fn unmatched(&self, all: &[Link]) -> Vec<&str> {
        let nothing = |pattern: &&str| all.iter().all(|link| !matches(pattern, &link.name));
        let patterns = self.patterns.iter().map(String::as_str);
        patterns.filter(nothing).collect()
    }

    pub fn choose(&self, all: &[Link]) -> Choice {
        let mut choice = Choice::default();
        for link in all.iter().filter(|link| self.means(link)) {
            let on = self.counted_below(link, all, MOST_LAYERS);
            let only_ports = self.only_any(link) && is_one_of(&OF_PORTS, link);
            let stacked = Stacked {
                ifindex: link.index,
                name: link.name.clone(),
                on,
            };
            match (self.names(link), stacked.on.is_empty() && !only_ports) {
                (_, true) => choice.links.push(link.clone()),
                (true, false) => {
                    choice.links.push(link.clone());
                    choice.twice.push(stacked);
                }
                (false, false) => choice.left_out.push(stacked),
            }
        }
        choice.links.sort_by_key(|link| link.index);
        choice
    }

    fn means(&self, link: &Link) -> bool {
        self.names(link) || self.matches(link) || (self.any && link.up)
    }

    fn matches(&self, link: &Link) -> bool {
        self.patterns
            .iter()
            .any(|pattern| matches(pattern, &link.name))
    }

    fn only_any(&self, link: &Link) -> bool {
        self.any && !self.names(link) && !self.matches(link)
    }

    /// Names of the interfaces that `link`'s packets pass and that are counted.
    fn counted_below(&self, link: &Link, all: &[Link], layers: usize) -> Vec<String> {
        let mut counted = Vec::new();
        if layers == 0 {
            return counted;
        }
        for lower in all.iter().filter(|lower| carries(lower, link)) {
            let below = self.counted_below(lower, all, layers - 1);
            let itself = self.means(lower) && (below.is_empty() || self.names(lower));
            if itself && !counted.contains(&lower.name) {
                counted.push(lower.name.clone());
            }
            for name in below {
                if !counted.contains(&name) {
                    counted.push(name);
                }
            }
        }
        counted
    }
}

/// Packets of `upper` pass `lower`.
fn carries(lower: &Link, upper: &Link) -> bool {
    lower.master == Some(upper.index)
        || (upper.lower == Some(lower.index) && is_one_of(&UPPER, upper))
}

fn is_one_of(kinds: &[&str], link: &Link) -> bool {
    link.kind
        .as_deref()
        .is_some_and(|kind| kinds.contains(&kind))
}

/// No interface has blanks or control characters in its name, so that nothing could match.
pub fn is_pattern(name: &str) -> bool {
    let class = name.find('[').is_some_and(|at| name[at..].contains(']'));
    (class || name.contains(['*', '?'])) && !name.contains(|c: char| c.is_control() || c == ' ')
}

/// As the shell matches file names.
fn matches(pattern: &str, name: &str) -> bool {
    let (Ok(pattern), Ok(name)) = (CString::new(pattern), CString::new(name)) else {
        return false;
    };
    // SAFETY: both are strings with an end, which the call only reads.
    unsafe { libc::fnmatch(pattern.as_ptr(), name.as_ptr(), 0) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str, kind: &str) -> Link {
        Link {
            index,
            name: name.to_owned(),
            kind: (!kind.is_empty()).then(|| kind.to_owned()),
            up: true,
            ..Link::default()
        }
    }

    /// A VLAN on a bond of two cards, a bridge with a container, a macvlan on a card, and a tunnel.
    fn host() -> Vec<Link> {
        let mut all = vec![
            link(1, "lo", ""),
            link(2, "eth0", ""),
            link(3, "eth1", ""),
            link(4, "eth2", ""),
            link(5, "bond0", "bond"),
            link(6, "bond0.7", "vlan"),
            link(7, "br0", "bridge"),
            link(8, "veth1", "veth"),
            link(9, "mac0", "macvlan"),
            link(10, "wg0", "wireguard"),
            link(11, "docker0", "bridge"),
        ];
        (all[1].master, all[2].master) = (Some(5), Some(5));
        (all[5].lower, all[8].lower, all[9].lower) = (Some(5), Some(4), Some(2));
        (all[7].master, all[7].lower) = (Some(7), Some(2)); // a veth's other end is not below it
        all
    }

    fn chosen(asked: &[&str], all: &[Link]) -> (String, String) {
        let asked: Vec<String> = asked.iter().map(|&name| name.to_owned()).collect();
        let choice = Wanted::new(&asked, all).choose(all);
        let names: Vec<_> = choice.links.iter().map(|link| &*link.name).collect();
        let stacked = choice.left_out.iter().chain(&choice.twice);
        let stacked: Vec<_> = stacked
            .map(|one| format!("{}>{}", one.name, one.on.join("+")))
            .collect();
        (names.join(" "), stacked.join(" "))
    }

    #[test]
    fn any_is_the_lowest_of_all_that_are_up() {
        let mut all = host();
        all[3].up = false;
        let (names, left_out) = chosen(&["any"], &all);
        assert_eq!(names, "lo eth0 eth1 veth1 mac0 wg0");
        assert_eq!(
            left_out,
            "bond0>eth0+eth1 bond0.7>eth0+eth1 br0>veth1 docker0>"
        );
        all[3].up = true;
        assert!(chosen(&["any"], &all).1.contains("mac0>eth2"));
    }

    #[test]
    fn what_is_named_is_counted_and_said_to_count_twice() {
        let all = host();
        let (names, stacked) = chosen(&["br0", "veth1", "bond0.7"], &all);
        assert_eq!(names, "bond0.7 br0 veth1");
        assert_eq!(stacked, "br0>veth1");
        let (names, _) = chosen(&["any", "bond0"], &all);
        assert!(names.contains("bond0 veth1"), "{names}");
    }

    #[test]
    fn a_pattern_leaves_out_only_what_it_counts_below() {
        let all = host();
        assert_eq!(chosen(&["br*"], &all), ("br0".into(), String::new()));
        let both = chosen(&["br*", "veth?"], &all);
        assert_eq!(both, ("veth1".into(), "br0>veth1".into()));
        let through = chosen(&["eth[01]", "*.7"], &all);
        assert_eq!(through, ("eth0 eth1".into(), "bond0.7>eth0+eth1".into()));
        assert_eq!(chosen(&["eth[!01]"], &all).0, "eth2");
    }

    #[test]
    fn names_that_look_like_patterns_are_names() {
        let all = [link(2, "a*", ""), link(3, "ab", "")];
        assert_eq!(chosen(&["a*"], &all).0, "a*");
        assert_eq!(chosen(&["a?"], &all).0, "a* ab");
        for name in ["a[", "a]b[", "lo\u{1b}[31m]", "* "] {
            assert!(!Wanted::new(&[name.to_owned()], &all).is_open(), "{name}");
        }
    }

    #[test]
    fn what_is_not_there_is_told() {
        let all = host();
        let asked = ["eth0", "eth9", "ppp*", "any"].map(str::to_owned);
        let wanted = Wanted::new(&asked, &all);
        assert!(wanted.is_open());
        assert_eq!(wanted.missing(&all), ["eth9"]);
        assert_eq!(wanted.unmatched(&all), ["ppp*"]);
        assert!(!Wanted::new(&asked[..2], &all).is_open());
    }

    #[test]
    fn interfaces_that_stand_on_each_other_have_an_end() {
        let mut all = [link(2, "a", "vlan"), link(3, "b", "vlan")];
        (all[0].lower, all[1].lower) = (Some(3), Some(2));
        let (names, left_out) = chosen(&["any"], &all);
        let words = |text: &str| text.split_whitespace().count();
        assert_eq!(words(&names) + words(&left_out), 2, "{names} {left_out}");
    }
}
