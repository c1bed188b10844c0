//! Our filters beside libpcap's own, packet by packet: by expressions made at random, and by its own test vectors.
//!
//! Random expressions and packets are made so that both should say the same. What is kept out, because libpcap means
//! something else by it (`docs/filter.md` says what):
//!
//! | kept out | libpcap |
//! |---|---|
//! | packets with VLAN tags, MPLS, PPPoE, and the words for them | shift offsets |
//! | IPv6 extension headers but for later fragments' | are not walked over |
//! | `proto 44` | is the fragment header |
//! | `host` and `net` without `ip`, on ARP | look into ARP |
//! | `tcp[..]`, `udp[..]` ... on IPv6 | are false there |
//! | `icmp6[..]` on fragments | reads the fragment header |
//! | bytes that are not there, division by zero | reject the packet, even under `not` |
//! | `ip[0] % 2 / 3`, which divides by zero: refused here | is let through |
//! | truncated and malformed packets | are read as if they were whole |
//! | names of ports and hosts, `ip broadcast` | come from the machine's files, its netmask |
//! | `ip[2:2] - tcp[12]` of what is no TCP | asks for the left operand's header only |
//! | ICMP in IPv6, ICMPv6, IGRP and VRRP in the other version | are not called so |
//! | DCCP and UDP-Lite | have no ports |
//! | `ingress`, `interface`, lists, flows | are unknown |

mod captures;
mod expressions;
mod packets;
mod random;
mod relations;
mod vectors;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sensor::filter::evaluate::Matcher;
use sensor::filter::program::Program;
use sensor::filter::{Nothing, lower, parse, plan};
use sensor_common::facts::Facts;
use sensor_common::parse::{self as headers, LinkType};
use sensor_common::view::SliceView;

use crate::support::capture::{Pcap, Record};
use expressions::{Expression, expression};
use packets::{Sample, packets};
use random::Random;

const EXPRESSIONS: usize = 300;
const PACKETS: usize = 400;

#[test]
fn random_expressions_match_the_packets_that_tcpdump_prints() {
    let Some(tcpdump) = tcpdump() else {
        println!("skipped: no tcpdump");
        return;
    };
    let seed = seed();
    println!("seed {seed} (SENSOR_TEST_SEED)");
    let mut random = Random::new(seed);
    let world = World::new(tcpdump, packets(&mut random, PACKETS));
    let mut wrong = Vec::new();
    let (mut all, mut none) = (0, 0);
    let mut nonsense = 0;
    for _ in 0..EXPRESSIONS {
        let expression = expression(&mut random, 3);
        if let Some(difference) = world.smallest_difference(&expression) {
            wrong.push(difference);
        }
        match world.ours(&expression.text) {
            Err(error) => nonsense += usize::from(is_nonsense(&error)),
            Ok(ours) if ours.iter().all(|yes| *yes) => all += 1,
            Ok(ours) => none += usize::from(!ours.contains(&true)),
        }
    }
    println!(
        "{EXPRESSIONS} expressions, {PACKETS} packets: {all} match everything, {none} nothing, {nonsense} are nonsense"
    );
    assert!(
        all + none + nonsense < EXPRESSIONS / 2,
        "the expressions test little"
    );
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
}

/// The same every time, so that a failure is of the change that made it; another one to look for more.
fn seed() -> u64 {
    let asked = std::env::var("SENSOR_TEST_SEED").ok();
    asked.map_or(3, |text| text.parse().unwrap())
}

fn tcpdump() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/bin".into()])
        .map(|folder| folder.join("tcpdump"))
        .find(|file| file.is_file())
}

struct World {
    tcpdump: PathBuf,
    samples: Vec<Sample>,
    capture: tempfile::NamedTempFile,
}

impl World {
    fn new(tcpdump: PathBuf, samples: Vec<Sample>) -> Self {
        // The time of a packet is its number.
        let records: Vec<_> = samples
            .iter()
            .enumerate()
            .map(|(number, sample)| {
                Record::new(number as i64 * 1_000_000_000, sample.bytes.clone())
            })
            .collect();
        let capture = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(capture.path(), Pcap::default().write(&records)).unwrap();
        World {
            tcpdump,
            samples,
            capture,
        }
    }

    /// Follows a difference down to the smallest part that has one.
    fn smallest_difference(&self, expression: &Expression) -> Option<String> {
        let difference = self.difference(expression)?;
        let smaller = expression
            .parts
            .iter()
            .find_map(|part| self.smallest_difference(part));
        Some(smaller.unwrap_or(difference))
    }

    fn difference(&self, expression: &Expression) -> Option<String> {
        let text = &expression.text;
        let (ours, theirs) = match (self.ours(text), self.theirs(text)) {
            (Ok(ours), Ok(theirs)) => (ours, theirs),
            // How operators bind is part of the question, so constants may come to nonsense.
            (Err(error), _) if is_nonsense(&error) => return None,
            (Err(error), _) => return Some(format!("{text}\n  refused: {error}")),
            (_, Err(error)) => return Some(format!("{text}\n  refused by tcpdump: {error}")),
        };
        let compared = |number: &usize| !expression.leaves.contains(&self.samples[*number].kind);
        let number = (0..self.samples.len())
            .filter(compared)
            .find(|number| ours[*number] != theirs[*number])?;
        let Sample { kind, bytes } = &self.samples[number];
        let said = if ours[number] {
            "matches here"
        } else {
            "does not match here"
        };
        let shown = &bytes[..bytes.len().min(80)];
        Some(format!(
            "{text}\n  {said}: packet {number}, {kind:?}, {shown:02x?}"
        ))
    }

    fn ours(&self, text: &str) -> Result<Vec<bool>, String> {
        let matcher = matcher(text)?;
        let frames = self.samples.iter().map(|sample| &sample.bytes[..]);
        Ok(frames
            .map(|bytes| matches(&matcher, LinkType::Ethernet, bytes, bytes.len() as u32))
            .collect())
    }

    fn theirs(&self, text: &str) -> Result<Vec<bool>, String> {
        let printed = run(&self.tcpdump, self.capture.path(), text)?;
        let mut matched = vec![false; self.samples.len()];
        for record in captures::records(&printed) {
            matched[record.seconds as usize] = true;
        }
        Ok(matched)
    }
}

/// What libpcap lets through unless it is typed literally, as in `ip[0] / 0`.
fn is_nonsense(error: &str) -> bool {
    ["division by zero", "a shift by"]
        .iter()
        .any(|start| error.starts_with(start))
}

/// The capture of the packets that match. From an open file: tcpdump may give up its right to open it. `-O`: without
/// libpcap's optimiser, which takes `src and dst net ::/10 and ::/10` for a contradiction (1.10.3).
fn run(tcpdump: &Path, capture: &Path, text: &str) -> Result<Vec<u8>, String> {
    let output = Command::new(tcpdump)
        .args(["-O", "-r", "-", "-w", "-", "--", text])
        .stdin(Stdio::from(File::open(capture).unwrap()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(said.trim().to_owned()),
    }
}

/// The part that is decided on packets.
fn matcher(text: &str) -> Result<Matcher, String> {
    let expr = parse(text, &Nothing).map_err(|error| error.to_string())?;
    let tree = lower(&expr, text, &Nothing).map_err(|error| error.to_string())?;
    let plan = plan::split(&tree).map_err(|error| error.to_string())?;
    if plan.flow.is_some() {
        return Err("asks for whole flows".to_owned());
    }
    let program = Program::compile(&plan.packet, &|_| Vec::new());
    Ok(Matcher::new(program.map_err(|error| error.to_string())?))
}

fn matches(matcher: &Matcher, link_type: LinkType, bytes: &[u8], wire_len: u32) -> bool {
    let mut facts = Facts::NONE;
    facts.new_link(link_type == LinkType::Ethernet);
    let outcome = headers::packet_observed(&SliceView(bytes), link_type, &mut facts);
    facts.parsed(&outcome, 0, wire_len);
    matcher.matches(&facts, bytes)
}
