use sensor_common::flow::{IPV6, NOT_IP, PORTS, PROTOCOL_MASK, PROTOCOL_SHIFT, VALID};

use super::*;
use crate::filter::program::{MATCH, Node, REJECT};
use crate::filter::tree::{PortRange, Prefix, Side, Test};

fn compiled(tree: &Tree) -> Program {
    Program::compile(tree, &|_| vec![1, 2]).unwrap()
}

fn port(port: u16) -> Tree {
    let range = PortRange {
        first: port,
        last: port,
    };
    Tree::Test(Test::Port(Side::Either, range))
}

fn net(text: &str, len: u8) -> Tree {
    let addr = text.parse().unwrap();
    Tree::Test(Test::Address(Side::Either, Prefix { addr, len }))
}

fn tcp() -> Tree {
    Tree::Test(Test::Protocol(6))
}

#[test]
fn constants_need_no_node() {
    for (tree, start) in [
        (Tree::True, MATCH),
        (Tree::False, REJECT),
        (Tree::All(vec![]), MATCH),
        (Tree::Any(vec![]), REJECT),
        (Tree::Any(vec![tcp(), Tree::Not(Box::new(tcp()))]), MATCH),
        (
            Tree::All(vec![tcp(), Tree::Test(Test::Protocol(17))]),
            REJECT,
        ),
        (
            Tree::All(vec![Tree::Test(Test::Ipv4), Tree::Test(Test::Ipv6)]),
            REJECT,
        ),
    ] {
        let program = compiled(&tree);
        assert_eq!((program.start, program.nodes.len()), (start, 0), "{tree:?}");
    }
}

#[test]
fn words_asked_in_a_row_are_one_question() {
    let program = compiled(&Tree::All(vec![Tree::Test(Test::Ipv4), tcp()]));
    let mask = VALID | NOT_IP | IPV6 | PROTOCOL_MASK;
    let value = VALID | 6 << PROTOCOL_SHIFT;
    let check = Check::Word {
        word: 4,
        mask,
        value,
    };
    let (yes, no) = (MATCH, REJECT);
    assert_eq!(program.nodes, [Node { check, yes, no }]);
}

#[test]
fn a_port_is_one_word_and_its_protocol_joins_it() {
    let range = PortRange {
        first: 53,
        last: 53,
    };
    let from_53 = Tree::Test(Test::Port(Side::Src, range));
    let program = compiled(&Tree::All(vec![tcp(), from_53]));
    let [
        Node {
            check: Check::Word { mask, value, .. },
            ..
        },
    ] = program.nodes[..]
    else {
        panic!("{program:?}");
    };
    assert_eq!(mask & (VALID | PORTS), VALID | PORTS);
    assert_eq!((value as u32).to_ne_bytes(), [0, 53, 0, 0]);
    let range = PortRange {
        first: 1024,
        last: 2047,
    };
    let aligned = compiled(&Tree::Test(Test::Port(Side::Dst, range)));
    assert!(matches!(
        aligned.nodes[..],
        [Node {
            check: Check::Word { .. },
            ..
        }]
    ));
    let range = PortRange {
        first: 1024,
        last: 2048,
    };
    let odd = compiled(&Tree::Test(Test::Port(Side::Dst, range)));
    assert!(matches!(
        odd.nodes[..],
        [Node {
            check: Check::Port { dst: true, .. },
            ..
        }]
    ));
}

#[test]
fn what_is_known_is_not_asked_again() {
    // tcp port 22 or tcp port 80: the protocol, and four ports.
    let tcp_port = |number| Tree::All(vec![tcp(), port(number)]);
    let program = compiled(&Tree::Any(vec![tcp_port(22), tcp_port(80)]));
    assert_eq!(program.nodes.len(), 5, "{program:?}");
    // The version once, and both addresses of both networks.
    let nets = Tree::Any(vec![net("10.0.0.0", 8), net("192.168.0.0", 16)]);
    assert_eq!(compiled(&nets).nodes.len(), 5);
    // The second half asks what the first one did.
    let again = Tree::All(vec![port(22), Tree::Not(Box::new(port(22)))]);
    assert_eq!(compiled(&again).start, REJECT);
}

#[test]
fn the_filter_of_the_bench_is_short() {
    let tree = Tree::All(vec![tcp(), port(443), net("10.0.0.0", 8)]);
    // tcp of IPv4; two ports; two addresses.
    assert_eq!(compiled(&tree).nodes.len(), 5);
}

#[test]
fn many_alternatives_become_a_list() {
    let every = |step: u8, count: u8| {
        (0..count)
            .map(|n| net(&format!("10.0.{}.0", n * step), 24))
            .collect()
    };
    let hosts = |count| every(2, count);
    assert!(compiled(&Tree::Any(hosts(7))).prefix_lists.is_empty());
    let program = compiled(&Tree::Any(hosts(8)));
    assert_eq!((program.prefix_lists.len(), program.nodes.len()), (1, 2));
    // Eight that are one network are asked as that.
    let neighbours = compiled(&Tree::Any(every(1, 8)));
    assert_eq!(neighbours, compiled(&net("10.0.0.0", 21)));
    let none = Tree::Not(Box::new(Tree::Any((0..8).map(|n| port(n * 100)).collect())));
    let program = compiled(&none);
    assert_eq!((program.port_lists.len(), program.nodes.len()), (1, 2));
    let twice = Tree::All(vec![
        Tree::Any(hosts(9)),
        Tree::Any(hosts(9)),
        none.clone(),
        none,
    ]);
    let program = compiled(&twice);
    assert_eq!(
        (program.prefix_lists.len(), program.port_lists.len()),
        (1, 1)
    );
    assert_eq!(program.nodes.len(), 4);
}

#[test]
fn a_list_of_few_is_asked_one_by_one() {
    let list = |count: u8| {
        let prefix = |n| Prefix {
            addr: [10, 0, 0, n].into(),
            len: 32,
        };
        let prefixes = (0..count).map(prefix).collect();
        let list = PrefixList {
            file: None,
            prefixes,
        };
        Tree::Test(Test::AddressIn(Side::Src, Arc::new(list)))
    };
    assert_eq!(compiled(&list(0)).start, REJECT);
    assert_eq!(compiled(&list(3)).nodes.len(), 4);
    assert_eq!(compiled(&list(4)).prefix_lists.len(), 1);
}

#[test]
fn a_program_that_is_too_big_says_what_to_do() {
    let lengths = |count| {
        let length = |n| Tree::Test(Test::Length(crate::filter::tree::Compare::Equal, n));
        Tree::Any((0..count).map(length).collect())
    };
    assert_eq!(compiled(&lengths(MAX_NODES as u32)).nodes.len(), MAX_NODES);
    for count in [MAX_NODES as u32 + 1, 200_000] {
        let refused = Program::compile(&lengths(count), &|_| vec![]).unwrap_err();
        assert_eq!(
            refused,
            TooBig {
                nodes: count as usize
            }
        );
        assert!(refused.to_string().contains("port in {80"), "{refused}");
    }
}
