//! A disk that is slow, and a clock that jumps.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use super::*;
use crate::agent::Period;
use crate::follow::{Follower, Followers, Pace, Part, Rules};

/// A keeper whose disk takes each part only when it is told to.
struct Slow {
    keeper: Keeper,
    gate: Receiver<()>,
    parts: Arc<std::sync::atomic::AtomicUsize>,
}

impl Follower for Slow {
    fn name(&self) -> String {
        self.keeper.name()
    }

    fn part(&mut self, part: &Part) -> anyhow::Result<()> {
        let _ = self.gate.recv();
        self.parts.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.keeper.part(part)
    }

    fn finish(&mut self, whole: &Part) -> anyhow::Result<()> {
        self.keeper.finish(whole)
    }
}

#[test]
fn what_a_slow_disk_could_not_take_comes_in_one_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let lengths = config(folder.path(), RUN).lengths;
    let (open, gate) = mpsc::channel();
    let parts = Arc::default();
    let slow = Slow {
        keeper: Keeper::new("history", folder.path().to_owned(), lengths, None),
        gate,
        parts: Arc::clone(&parts),
    };
    let mut followers = Followers::start(vec![Box::new(slow)], Pace::Source);
    let context = Context {
        top_n: 0,
        ..samples::context()
    };
    let mut whole: Option<Part> = None;
    for (second, samples) in (0..).zip(seconds(40)) {
        let start = START + second * SECOND;
        let period = Period {
            delta: samples::delta_of(&samples, 1000),
            start,
            end: start + SECOND,
        };
        let rules = Arc::<Rules>::default();
        let mut part = Part::new(period, rules, context.clone());
        part.ends_period = second % 10 == 9;
        match &mut whole {
            Some(whole) => whole.join(&part),
            None => whole = Some(part.clone()),
        }
        // Never waits, however slow the disk is.
        followers.part(part);
    }
    drop(open);
    let whole = whole.unwrap();
    assert_eq!(followers.finish(&whole).failed, 0);
    let taken = parts.load(std::sync::atomic::Ordering::SeqCst);
    assert!((1..10).contains(&taken), "{taken} parts of 40");
    assert_same(&whole.report(), &merged(folder.path(), &asked()));
}

#[test]
fn it_works_again_once_what_waited_is_written_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let away = folder.path().join("away");
    let lengths = config(folder.path(), RUN).lengths;
    let mut keeper = Keeper::new("history", away.join("history"), lengths, None);
    let mut at = START;
    let mut part = |ends_period| {
        let period = Period {
            delta: samples::delta_of(&[samples::arp().at(at - START)], 10),
            start: at,
            end: at + SECOND,
        };
        at += SECOND;
        let mut part = Part::new(period, Arc::default(), samples::context());
        part.ends_period = ends_period;
        part
    };
    // Only the end of a period is written.
    keeper.part(&part(false)).unwrap();
    let said = keeper.part(&part(true)).unwrap_err().to_string();
    assert!(said.contains("No such file or directory"), "{said}");
    for ends_period in [false, false, true, false] {
        let again = keeper.part(&part(ends_period)).unwrap_err();
        assert_eq!(again.to_string(), said, "told once, as it is the same");
    }
    let lost = keeper.finish(&part(false)).unwrap_err().to_string();
    assert!(
        lost.ends_with("; 6 packets are not in the history"),
        "{lost}"
    );
    std::fs::create_dir(&away).unwrap();
    assert!(keeper.part(&part(false)).is_err());
    keeper.part(&part(true)).unwrap();
    keeper.part(&part(false)).unwrap();
    assert_eq!(merged(&away, &asked()).totals.packets, 8);
}

#[test]
fn a_clock_that_jumps_loses_nothing_and_every_second_is_where_it_was_counted() {
    const HOUR: i64 = 3600 * SECOND;
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(folder.path(), RUN, samples::config(1000));
    for jump in [0, 5 * HOUR, -30 * HOUR, 100 * 24 * HOUR] {
        for (second, part) in (0..).zip(seconds(10)) {
            let moved: Vec<Sample> = part
                .into_iter()
                .map(|sample| sample.at(second * SECOND + jump))
                .collect();
            run.part(&moved);
        }
        run.commit();
    }
    let report = run.finish();
    let history = merged(folder.path(), &asked());
    assert_same(&report, &history);
    assert_eq!(history.buckets.len(), 40);
    // What lies in the future by the clock that is right again is neither removed nor merged before its time.
    let before = store::list(folder.path()).unwrap().len();
    let mut work = tend::Work {
        root: folder.path().to_owned(),
        run: "ffffffffffff".to_owned(),
        number: 0,
    };
    let policy = Policy {
        keep: Some(20 * HOUR),
        ..Policy::default()
    };
    work.tend(&policy, START + 60 * SECOND).unwrap();
    let left = store::list(folder.path()).unwrap().len();
    assert_eq!(left, before - 1, "the one that is 30 hours old");
    assert_eq!(merged(folder.path(), &asked()).totals.packets, 3 * 10 * 7);
}
