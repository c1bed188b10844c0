//! Files at their own pace, with time moved by hand.

use super::*;
use crate::agent::Period;
use crate::top::play::{Ahead, Player, Speed};

/// A file with packets in these seconds, in this order.
struct File {
    seconds: Vec<i64>,
    player: Player,
    figures: Figures,
}

impl File {
    fn new(seconds: &[i64], speed: Speed) -> Self {
        File {
            seconds: seconds.iter().rev().copied().collect(),
            player: Player::new(speed, SECOND),
            figures: Figures::new(config()),
        }
    }

    /// So many tenths of a second pass; gives how many packets are seen by then.
    fn pass(&mut self, tenths: i64) -> u64 {
        let seconds = &mut self.seconds;
        let mut ahead = || next(seconds);
        self.player
            .advance(tenths * SECOND / 10, &mut self.figures, &mut ahead);
        self.seen()
    }

    fn seen(&mut self) -> u64 {
        self.figures.settle();
        self.figures.total().packets
    }
}

fn next(seconds: &mut Vec<i64>) -> Ahead {
    let Some(second) = seconds.pop() else {
        return Ahead::End;
    };
    let start = START + second * SECOND;
    Ahead::Slice(Box::new(Period {
        delta: samples::delta_of(&[samples::arp()], 10),
        start,
        end: start + SECOND,
    }))
}

#[test]
fn a_second_is_shown_for_a_second() {
    let mut file = File::new(&[0, 1, 2], Speed::Times(1.0));
    let seen: Vec<u64> = (0..8).map(|_| file.pass(5)).collect();
    assert_eq!(seen, [0, 1, 1, 2, 2, 3, 3, 3]);
    assert!(file.player.ended);
    assert_eq!(file.player.time(), Some(START + 3 * SECOND));
    let mut file = File::new(&[0, 1, 2], Speed::Times(4.0));
    assert_eq!((file.pass(5), file.pass(5)), (2, 3));
}

#[test]
fn a_short_quiet_is_waited_for_and_a_long_one_is_skipped() {
    let mut file = File::new(&[0, 3, 1_000_000], Speed::Times(1.0));
    let seen: Vec<u64> = (0..6).map(|_| file.pass(10)).collect();
    assert_eq!(seen, [1, 1, 1, 2, 3, 3]);
    assert_eq!(file.player.skipped, 999_996 * SECOND);
    assert!(file.player.ended);
}

#[test]
fn time_that_runs_back_stops_nobody() {
    let seconds: Vec<i64> = (0..50)
        .map(|n| if n % 2 == 0 { n } else { -4_000_000 - n })
        .collect();
    let mut file = File::new(&seconds, Speed::Times(1.0));
    for _ in 0..100 {
        file.pass(10);
    }
    assert_eq!(file.seen(), 50);
    assert!(file.player.ended && file.player.backwards >= 25);
}

#[test]
fn the_ends_of_time_are_no_end() {
    let year = 366 * 86_400;
    let seconds = [-290 * year, 230 * year, 0, 230 * year];
    for speed in [Speed::Times(1.0), Speed::Max] {
        let mut file = File::new(&seconds, speed);
        for _ in 0..20 {
            file.pass(10);
        }
        assert_eq!(file.seen(), 4, "{speed}");
    }
}

#[test]
fn packets_without_a_time_are_shown_at_once() {
    let mut file = File::new(&[], Speed::Times(1.0));
    let mut once = Some(Period {
        delta: samples::delta_of(&[samples::arp()], 10),
        start: 0,
        end: 0,
    });
    let mut ahead = || {
        once.take()
            .map_or(Ahead::End, |period| Ahead::Slice(Box::new(period)))
    };
    assert!(file.player.advance(0, &mut file.figures, &mut ahead));
    assert_eq!(file.seen(), 1);
}

#[test]
fn a_step_shows_one_interval() {
    let mut file = File::new(&[0, 2], Speed::Times(1.0));
    for expected in [1, 1, 2] {
        let seconds = &mut file.seconds;
        assert!(file.player.step(&mut file.figures, &mut || next(seconds)));
        assert_eq!(file.seen(), expected);
    }
    let seconds = &mut file.seconds;
    assert!(!file.player.step(&mut file.figures, &mut || next(seconds)));
}

#[test]
fn who_reads_slowly_is_waited_for_without_a_rush_afterwards() {
    let mut player = Player::new(Speed::Times(1.0), SECOND);
    let mut figures = Figures::new(config());
    for _ in 0..10 {
        assert!(!player.advance(SECOND, &mut figures, &mut || Ahead::Reading));
    }
    let mut seconds = vec![3, 2, 1, 0];
    player.advance(0, &mut figures, &mut || next(&mut seconds));
    figures.settle();
    assert_eq!(figures.total().packets, 1);
}

#[test]
fn speeds_go_up_to_the_most_and_down_again() {
    let mut speed = Speed::Times(1.0);
    for _ in 0..20 {
        speed = speed.faster();
    }
    assert_eq!(speed, Speed::Max);
    for _ in 0..40 {
        speed = speed.slower();
    }
    assert_eq!(speed, Speed::Times(1.0 / 16.0));
    assert_eq!(Speed::Times(10.0).to_string(), "10x");
}
