use super::*;
use crate::source::LOOK_EVERY;
use sensor_common::flow::{Direction, FlowKey};

const S: i64 = 1_000_000_000;

/// Yields what it was given, one entry a poll.
#[derive(Default)]
struct Fake {
    begun: Option<Now>,
    polls: Vec<u64>,
    finished: bool,
    pressed: bool,
    /// What each look yields.
    at_look: u64,
    events: Vec<Event>,
    /// Wants to be looked at again soon.
    busy: bool,
}

impl Source for Fake {
    fn begin(&mut self, now: Now) {
        self.begun = Some(now);
    }

    fn poll(&mut self, now: Now, delta: &mut Delta) -> Result<(), SourceError> {
        if let Some(packets) = self.polls.pop() {
            feed(delta, packets, now.wall);
        }
        Ok(())
    }

    fn look(&mut self, delta: &mut Delta) {
        feed(delta, self.at_look, 1000 * S);
    }

    fn needs_poll(&mut self) -> bool {
        self.pressed
    }

    fn look_every(&self) -> i64 {
        if self.busy { S / 1000 } else { LOOK_EVERY }
    }

    fn check(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn finish(&mut self, now: Now, delta: &mut Delta) -> Result<(), SourceError> {
        self.finished = true;
        feed(delta, 1000, now.wall);
        Ok(())
    }
}

fn feed(delta: &mut Delta, packets: u64, at: i64) {
    let mut key = FlowKey::ipv4(1, 2, 6);
    key.set_origin(0, Direction::Ingress);
    let counts = Counts {
        packets,
        bytes: packets * 100,
    };
    let mut totals = sensor_common::abi::Totals::ZERO;
    totals.ip[6] = counts;
    delta.totals(0, Direction::Ingress, &totals, at);
    let record = crate::counters::FlowCounts {
        key,
        counts,
        tcp_flags: 2,
        first: at,
        last: at,
    };
    delta.flow(&record, at);
    delta.flush();
}

fn at(nanoseconds: i64) -> Now {
    Now {
        wall: 1000 * S + nanoseconds,
        monotonic: nanoseconds,
    }
}

fn agent(duration: Option<i64>, count: Option<u64>) -> Agent {
    let delta = DeltaConfig {
        interval: S,
        max_flows: 100,
        seeds: [3; 10],
        trail: false,
        names: 0,
    };
    Agent::new(
        AgentConfig {
            delta,
            report_every: 3 * S,
            duration,
            count,
        },
        at(S / 2),
        &mut Fake::default(),
    )
}

#[test]
fn polls_come_at_multiples_of_the_interval() {
    let mut source = Fake {
        polls: vec![5, 7],
        ..Fake::default()
    };
    let mut agent = agent(None, None);
    assert_eq!(agent.sleep(at(S / 2)), LOOK_EVERY);
    assert_eq!(agent.sleep(at(S - 1000)), 1000);
    assert!(
        agent
            .tick(at(S - 1), &mut source)
            .unwrap()
            .interval
            .is_none()
    );
    assert_eq!(
        agent
            .tick(at(S), &mut source)
            .unwrap()
            .interval
            .unwrap()
            .packets,
        7
    );
    assert_eq!(
        agent
            .tick(at(2 * S + 9), &mut source)
            .unwrap()
            .interval
            .unwrap()
            .packets,
        5
    );
    assert_eq!(agent.counted().packets, 12);
}

#[test]
fn pressure_is_answered_between_polls_and_stays_in_the_interval() {
    let mut source = Fake {
        polls: vec![1, 5, 7],
        pressed: true,
        ..Fake::default()
    };
    let mut agent = agent(None, None);
    assert!(
        agent
            .tick(at(S / 2 + 1), &mut source)
            .unwrap()
            .interval
            .is_none()
    );
    assert!(
        agent
            .tick(at(S / 2 + 2), &mut source)
            .unwrap()
            .interval
            .is_none()
    );
    assert_eq!(
        agent
            .tick(at(S), &mut source)
            .unwrap()
            .interval
            .unwrap()
            .packets,
        13
    );
}

#[test]
fn what_must_not_wait_is_taken_at_each_look_without_a_poll() {
    let mut source = Fake {
        polls: vec![7],
        at_look: 1,
        ..Fake::default()
    };
    let mut agent = agent(None, None);
    for look in 1..=3 {
        let tick = agent.tick(at(S / 2 + look), &mut source).unwrap();
        assert!(tick.interval.is_none());
        assert_eq!(agent.counted().packets, look as u64);
    }
    assert_eq!(source.polls, [7]);
    let tick = agent.tick(at(S), &mut source).unwrap();
    assert_eq!(tick.interval.unwrap().packets, 10);
}

#[test]
fn periods_follow_each_other_without_a_gap_and_the_last_one_takes_the_rest() {
    let mut source = Fake {
        polls: vec![5, 5, 5, 5],
        ..Fake::default()
    };
    let mut agent = agent(None, None);
    let mut periods = Vec::new();
    for second in 1..=4 {
        let now = at(second * S);
        if agent.tick(now, &mut source).unwrap().period_over {
            periods.push(agent.end_period(now));
        }
    }
    let (last, result) = agent.finish(at(4 * S + S / 4), &mut source);
    result.unwrap();
    // 1002 s is the first multiple of three seconds.
    assert_eq!(periods.len(), 1);
    assert_eq!(
        (periods[0].start, periods[0].end),
        (1000 * S + S / 2, 1002 * S)
    );
    assert_eq!((last.start, last.end), (1002 * S, 1004 * S + S / 4));
    assert_eq!(total(&periods[0].delta).packets, 10);
    assert_eq!(total(&last.delta).packets, 1010);
    assert!(source.finished);
    for period in periods.iter().chain([&last]) {
        assert!(period.delta.accounting().0.identity_holds);
    }
}

#[test]
fn a_period_that_ends_within_an_interval_has_what_was_counted_in_it() {
    let mut source = Fake {
        polls: vec![3, 5],
        ..Fake::default()
    };
    let mut agent = agent(None, None);
    agent.config.delta.interval = 2 * S;
    agent.next_poll = 1004 * S;
    assert_eq!(agent.sleep(at(2 * S - 1000)), 1000);
    assert!(agent.tick(at(2 * S), &mut source).unwrap().period_over);
    assert_eq!(total(&agent.end_period(at(2 * S)).delta).packets, 5);
    let interval = agent.tick(at(4 * S), &mut source).unwrap().interval;
    assert_eq!(interval.unwrap().packets, 8);
}

#[test]
fn a_period_that_is_not_ended_goes_on_to_the_end_of_the_next_one() {
    let mut source = Fake {
        polls: vec![3, 5],
        ..Fake::default()
    };
    let mut agent = agent(None, None);
    assert!(agent.tick(at(2 * S), &mut source).unwrap().period_over);
    let next = agent.tick(at(2 * S + 1), &mut Fake::default()).unwrap();
    assert!(!next.period_over);
    assert!(agent.tick(at(5 * S), &mut source).unwrap().period_over);
    let period = agent.end_period(at(5 * S));
    assert_eq!((period.start, period.end), (1000 * S + S / 2, 1005 * S));
    assert_eq!(total(&period.delta).packets, 8);
}

#[test]
fn duration_and_count_end_the_run() {
    let mut source = Fake {
        polls: vec![5, 5, 5],
        ..Fake::default()
    };
    let mut by_time = agent(Some(S / 4), None);
    assert_eq!(by_time.sleep(at(S / 2 + S / 4 - 10)), 10);
    assert!(!by_time.tick(at(S / 2 + 1), &mut source).unwrap().done);
    assert!(by_time.tick(at(S / 2 + S / 4), &mut source).unwrap().done);
    let mut by_count = agent(None, Some(6));
    assert!(!by_count.tick(at(S / 2 + 1), &mut source).unwrap().done);
    assert!(by_count.tick(at(S / 2 + 2), &mut source).unwrap().done);
}

#[test]
fn a_clock_that_is_set_back_does_not_stop_the_polls() {
    let mut source = Fake {
        polls: vec![5, 5],
        ..Fake::default()
    };
    let mut agent = agent(None, None);
    agent.tick(at(S), &mut source).unwrap();
    let back = Now {
        wall: 500 * S,
        monotonic: S + 1000,
    };
    assert_eq!(
        agent.tick(back, &mut source).unwrap().clock_jump,
        Some(-501 * S - 1000)
    );
    assert!(source.polls.is_empty(), "counted before the jump");
    let next = Now {
        wall: 501 * S,
        monotonic: 2 * S + 1000,
    };
    assert!(agent.tick(next, &mut source).unwrap().interval.is_some());
}

#[test]
fn a_poll_that_comes_late_is_told_with_the_bucket_that_has_its_counts() {
    let mut source = Fake::default();
    let mut agent = agent(None, None);
    assert_eq!(agent.tick(at(S), &mut source).unwrap().late, None);
    let punctual = agent.tick(at(2 * S + S / 4), &mut source).unwrap();
    assert_eq!(punctual.late, None);
    let late = Late {
        by: 4 * S,
        bucket: 1002 * S,
    };
    let now = at(7 * S + S / 4);
    assert_eq!(agent.late(now), Some(late));
    assert_eq!(agent.tick(now, &mut source).unwrap().late, Some(late));
    let after = agent.tick(at(8 * S), &mut source).unwrap();
    assert_eq!(after.late, None, "told once");
    // Asked for in between: the next tick tells.
    agent.poll(at(11 * S), &mut source).unwrap();
    let asked = agent.tick(at(11 * S), &mut source).unwrap().late;
    assert_eq!(asked.unwrap().by, 2 * S);
}

#[test]
fn a_clock_that_is_set_forward_makes_no_poll_late() {
    let mut agent = agent(None, None);
    let ahead = Now {
        wall: 2000 * S,
        monotonic: S,
    };
    let tick = agent.tick(ahead, &mut Fake::default()).unwrap();
    assert!(tick.clock_jump.is_some());
    assert_eq!(tick.late, None);
}

#[test]
fn the_run_ends_when_no_interface_is_left() {
    let mut source = Fake {
        events: vec![Event::AllGone],
        ..Fake::default()
    };
    assert!(agent(None, None).tick(at(S), &mut source).unwrap().done);
}

#[test]
fn interfaces_are_looked_after_every_second_however_long_the_interval() {
    let gone = || {
        vec![Event::Gone {
            interface: "eth0".to_owned(),
        }]
    };
    let mut source = Fake::default();
    let mut agent = agent(None, None);
    agent.config.delta.interval = 3600 * S;
    agent.next_poll = 2000 * S;
    agent.tick(at(S / 2), &mut source).unwrap();
    source.events = gone();
    let early = agent.tick(at(S), &mut source).unwrap();
    assert_eq!(early.events, []);
    let late = agent.tick(at(S + S / 2), &mut source).unwrap();
    assert_eq!(late.events, gone());
    assert!(late.interval.is_none());
}

#[test]
fn the_source_learns_when_the_run_begins() {
    let mut source = Fake::default();
    let config = AgentConfig {
        delta: DeltaConfig {
            interval: S,
            max_flows: 100,
            seeds: [3; 10],
            trail: false,
            names: 0,
        },
        report_every: S,
        duration: None,
        count: None,
    };
    Agent::new(config, at(S / 2), &mut source);
    assert_eq!(source.begun, Some(at(S / 2)));
}

#[test]
fn a_source_is_looked_at_as_often_as_it_wants_at_present() {
    let mut source = Fake {
        busy: true,
        ..Fake::default()
    };
    let mut agent = agent(None, None);
    for busy in [true, false, true] {
        source.busy = busy;
        agent.tick(at(1), &mut source).unwrap();
        assert_eq!(agent.sleep(at(1)), source.look_every());
    }
}
