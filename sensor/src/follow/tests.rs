use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};

use super::{Follower, Followers, Pace, Part, Rules, Slices};
use crate::agent::Period;
use crate::counters::{Counts, Delta, When};
use crate::report::Context;
use crate::report::samples::{self, Sample};
use crate::source::file::count::Ledger;

/// What a follower was shown: the span of each part, and what was counted in it.
type Shown = Arc<Mutex<Vec<(i64, i64, Counts)>>>;

struct Recording {
    shown: Shown,
    /// Each part waits for a word.
    gate: Option<Receiver<()>>,
    fail: bool,
}

impl Follower for Recording {
    fn name(&self) -> String {
        "--recording".to_owned()
    }

    fn part(&mut self, part: &Part) -> anyhow::Result<()> {
        if let Some(gate) = &self.gate {
            let _ = gate.recv();
        }
        let counts = part.report().totals.counts();
        let (start, end) = (part.period.start, part.period.end);
        self.shown.lock().unwrap().push((start, end, counts));
        anyhow::ensure!(!self.fail, "the disk is full");
        Ok(())
    }

    fn finish(&mut self, whole: &Part) -> anyhow::Result<()> {
        let all: Counts = self.shown.lock().unwrap().iter().map(|one| one.2).sum();
        assert_eq!(all, whole.report().totals.counts());
        Ok(())
    }
}

fn recording(gate: Option<Receiver<()>>, fail: bool) -> (Box<dyn Follower>, Shown) {
    let shown = Shown::default();
    let follower = Recording {
        shown: Arc::clone(&shown),
        gate,
        fail,
    };
    (Box::new(follower), shown)
}

fn gate() -> (Sender<()>, Option<Receiver<()>>) {
    let (open, gate) = mpsc::channel();
    (open, Some(gate))
}

fn part(start: i64, packets: u64) -> Part {
    let packet = samples::arp().of(packets, 100 * packets).at(start);
    let period = Period {
        delta: samples::delta_of(&[packet], 10),
        start,
        end: start + 10,
    };
    Part::new(period, Arc::default(), Context::default())
}

#[test]
fn what_a_slow_follower_had_no_room_for_comes_as_one_part() {
    let (open, closed) = gate();
    let (slow, slow_shown) = recording(closed, false);
    let (quick, quick_shown) = recording(None, false);
    let mut followers = Followers::start(vec![slow, quick], Pace::Source);
    let mut whole = part(0, 1);
    followers.part(whole.clone());
    for start in 1..20 {
        let next = part(10 * start, 1);
        whole.join(&next);
        followers.part(next);
    }
    drop(open);
    assert_eq!(followers.finish(&whole).failed, 0);
    let (slow, quick) = (slow_shown.lock().unwrap(), quick_shown.lock().unwrap());
    assert!(slow.len() < 20, "it was not joined: {slow:?}");
    for shown in [slow, quick] {
        let spans: Vec<_> = shown.iter().map(|one| (one.0, one.1)).collect();
        let joints = spans.windows(2).all(|two| two[0].1 == two[1].0);
        assert!(joints && spans[0].0 == 0 && spans.last().unwrap().1 == 200);
    }
}

#[test]
fn a_follower_that_fails_gets_the_next_part_all_the_same() {
    let (failing, shown) = recording(None, true);
    let mut followers = Followers::start(vec![failing], Pace::Follower);
    let mut whole = part(0, 2);
    followers.part(whole.clone());
    followers.part(part(10, 3));
    whole.join(&part(10, 3));
    assert_eq!(followers.finish(&whole).failed, 1);
    assert_eq!(shown.lock().unwrap().len(), 2);
}

struct Panicking;

impl Follower for Panicking {
    fn name(&self) -> String {
        "--panicking".to_owned()
    }

    fn part(&mut self, _: &Part) -> anyhow::Result<()> {
        panic!("a mistake of its own")
    }

    fn finish(&mut self, _: &Part) -> anyhow::Result<()> {
        Ok(())
    }
}

#[test]
fn a_follower_that_panics_takes_nobody_with_it() {
    let (quick, shown) = recording(None, false);
    let mut followers = Followers::start(vec![Box::new(Panicking), quick], Pace::Follower);
    let mut whole = part(0, 1);
    followers.part(whole.clone());
    for start in 1..10 {
        let next = part(10 * start, 1);
        whole.join(&next);
        followers.part(next);
    }
    assert_eq!(followers.finish(&whole).failed, 1);
    assert_eq!(shown.lock().unwrap().len(), 10);
}

/// Counted packet by packet as files are.
fn slices(packets: &[(When, Sample)]) -> (Delta, Vec<(i64, i64, Counts)>) {
    let (follower, shown) = recording(None, false);
    let followers = Followers::start(vec![follower], Pace::Follower);
    let config = samples::config(100);
    let rules = Arc::new(Rules::of_files(None));
    let mut slices = Slices::new(
        (config, config.interval),
        followers,
        Arc::clone(&rules),
        Context::default(),
    );
    for (when, packet) in packets {
        packet.count(slices.of(*when));
    }
    Ledger::flush(&mut slices);
    let (mut delta, followers) = slices.finish();
    delta.conclude();
    let period = Period {
        delta: delta.clone(),
        start: 0,
        end: 0,
    };
    let whole = Part::of_file(period, rules, Context::default());
    assert_eq!(followers.finish(&whole).failed, 0);
    let shown = shown.lock().unwrap().clone();
    (delta, shown)
}

#[test]
fn a_file_is_cut_at_each_change_of_the_bucket() {
    let interval = samples::config(1).interval;
    let at = |bucket: i64| {
        let time = bucket * interval + 1;
        (When::At(time), samples::arp().at(time - samples::START))
    };
    let untimed = (When::Missing, samples::arp());
    let packets = [at(5), at(5), at(6), at(5), untimed, at(-2)];
    let (whole, shown) = slices(&packets);
    let starts: Vec<_> = shown.iter().map(|one| one.0).collect();
    let bucket = |number| number * interval;
    assert_eq!(
        starts,
        [bucket(5), bucket(6), bucket(5), 0, bucket(-2)],
        "the untimed one is from 0 to 0"
    );
    assert_eq!(shown[0].2.packets, 2);
    assert_eq!(shown[3].1, 0);
    assert_eq!(whole.accounting().0.seen.packets, 6);
}

#[test]
fn nothing_at_all_is_no_part() {
    let (whole, shown) = slices(&[]);
    assert!(shown.is_empty());
    assert!(whole.flows().iter().next().is_none());
}
