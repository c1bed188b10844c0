//! Totals and windows.

use super::*;
use crate::counters::Counts;

fn flow_amounts(figures: &Figures) -> Vec<(u16, Amount)> {
    let flows = figures.whole().flows().iter();
    let mut list: Vec<_> = flows
        .map(|flow| (flow.key.src_port(), figures.of_flow(&flow)))
        .collect();
    list.sort_by_key(|(port, _)| *port);
    list
}

fn one(port: u16, packets: u64) -> Delta {
    let packet = tcp4(HOST, port, [9, 9, 9, 9], 80).of(packets, packets * 100);
    samples::delta_of(&[packet], 10)
}

fn packets(amount: Amount) -> (u64, u64, u64) {
    (
        amount.short.packets,
        amount.long.packets,
        amount.total.packets,
    )
}

#[test]
fn windows_hold_the_last_intervals_and_totals_all() {
    let mut figures = Figures::new(samples::config(10));
    for number in 1..=12 {
        figures.push(&one(7, number), SECOND);
    }
    let sum = |range: std::ops::RangeInclusive<u64>| range.sum::<u64>();
    let [(7, amount)] = flow_amounts(&figures)[..] else {
        panic!("one flow");
    };
    assert_eq!(packets(amount), (sum(11..=12), sum(3..=12), sum(1..=12)));
    assert_eq!(
        (
            figures.seconds(Window::Short),
            figures.seconds(Window::Long)
        ),
        (2.0, 10.0)
    );
    figures.idle(3);
    let [(7, amount)] = flow_amounts(&figures)[..] else {
        panic!("one flow");
    };
    assert_eq!(packets(amount), (0, sum(6..=12), sum(1..=12)));
    figures.idle(7);
    let [(7, amount)] = flow_amounts(&figures)[..] else {
        panic!("one flow");
    };
    assert_eq!(packets(amount), (0, 0, sum(1..=12)));
}

#[test]
fn what_came_in_a_pause_is_there_after_it() {
    let (mut held, mut straight) = (Figures::new(config()), Figures::new(config()));
    for number in 0..40 {
        match number {
            3 | 20 => held.hold(),
            15 | 39 => held.resume(),
            _ => {}
        }
        held.push(&second(number), SECOND);
        straight.push(&second(number), SECOND);
        if number == 10 {
            held.settle();
            assert_eq!(held.total(), {
                let first: Counts = (0..3).map(|n| total(&second(n))).sum();
                first
            });
            assert!(held.held().unwrap().packets > 0);
        }
    }
    for figures in [&mut held, &mut straight] {
        figures.settle();
    }
    assert_eq!(held.total(), straight.total());
    assert!(held.accounting().identity_holds);
    assert_eq!(flow_amounts(&held), flow_amounts(&straight));
    for way in straight.ways() {
        assert_eq!(held.series(*way, SERIES), straight.series(*way, SERIES));
    }
}

fn total(delta: &Delta) -> Counts {
    delta.by_direction().into_iter().sum()
}

#[test]
fn a_reset_begins_from_nothing_and_keeps_names() {
    let mut view = View::new();
    view.figures.reset();
    view.renew();
    assert_eq!(view.figures.total(), Counts::ZERO);
    assert!(view.lists.main.rows.is_empty());
    assert!(view.figures.whole().book().is_some());
    view.figures.push(&second(0), SECOND);
    view.renew();
    assert_eq!(view.figures.total(), total(&second(0)));
}

#[test]
fn protocols_have_the_rates_of_their_flows() {
    let view = View::new();
    let list = &view.lists.protocols;
    let http = list
        .rows
        .iter()
        .find(|row| row.id == Id::Protocol("http".into()));
    let flows = view.figures.whole().flows().iter();
    let mut sum = Amount::default();
    for flow in flows.filter(|flow| flow.application().is_some_and(|one| one.name() == "http")) {
        sum += view.figures.of_flow(&flow);
    }
    assert_eq!(http.unwrap().forth, sum);
}
