//! Single flows, told late in ways that chance seldom comes to.

use super::*;

fn packet(number: u32, time: i64) -> Seen {
    Seen {
        packet: Ok(Packet {
            key: key(number),
            tcp_flags: 0,
            header_len: 42,
            network_offset: 14,
            transport_offset: 34,
            payload_len: 0,
            direction: Direction::Unknown,
            cut: false,
        }),
        when: When::At(time),
        slot: 1,
        direction: Direction::Ingress,
        counts: counts(1, 100),
        captured_bytes: 96,
    }
}

fn ssh(number: u32) -> Told {
    [(whole_key(&packet(number, 0)).0, label(Application::Ssh))].into()
}

fn under(delta: &Delta, application: &str) -> u64 {
    let classes = delta.by_class().into_iter();
    let classes = classes.filter(|(class, _)| class.application() == application);
    classes.map(|(_, counts)| counts.packets).sum()
}

#[test]
fn flows_in_one_bucket_cost_nothing() {
    let mut delta = empty(false, &Told::new());
    for number in 0..5000 {
        delta.packet(&packet(number, 3));
        delta.packet(&packet(number, 9));
    }
    delta.settle();
    assert_eq!(delta.noted(), 0);
    delta.packet(&packet(7, 10));
    delta.settle();
    assert_eq!(delta.noted(), 1);
    delta.tell(&Arc::new(ssh(7)));
    delta.settle();
    assert_eq!((delta.noted(), under(&delta, "ssh")), (0, 3));
    assert!(consistent(&delta));
}

#[test]
fn the_next_period_knows_the_label() {
    let mut delta = empty(false, &ssh(1));
    delta.packet(&packet(1, 5));
    let first = delta.take();
    delta.packet(&packet(1, 25));
    let second = delta.take();
    assert_eq!((under(&first, "ssh"), under(&second, "ssh")), (1, 1));
}

#[test]
fn a_flow_that_was_not_there_is_told_as_well() {
    let dns = u32::from_ne_bytes([0x80, 0, 0, 53]);
    let mut delta = empty(false, &Told::new());
    for number in [1, 2, dns] {
        delta.packet(&packet(number, 5));
    }
    delta.cut();
    for number in [1, 2] {
        delta.packet(&packet(number, 25));
    }
    let nothing = (whole_key(&packet(dns, 0)).0, Verdict::Decided(None));
    delta.tell(&Arc::new(Told::from([nothing])));
    let second = delta.cut();
    assert_eq!(second.flows().len(), 2, "only those with packets");
    assert_eq!(under(&second, "dns"), 0);
    delta.packet(&packet(dns, 45));
    let last = delta.take();
    assert_eq!((last.flows().len(), under(&last, "dns")), (1, 1));
    assert!(consistent(&last));
}

#[test]
fn a_flow_in_too_many_buckets_keeps_its_port() {
    for (buckets, labelled) in [(17, 17), (18, 0)] {
        let mut delta = empty(false, &Told::new());
        (0..buckets).for_each(|index| delta.packet(&packet(1, index * 10)));
        delta.flush();
        delta.tell(&Arc::new(ssh(1)));
        delta.settle();
        assert_eq!((under(&delta, "ssh"), delta.noted()), (labelled, 0));
        assert_eq!(delta.frozen(), u64::from(labelled == 0));
        assert!(consistent(&delta));
        // A later period has it right, and the whole keeps both.
        let mut later = empty(false, &ssh(1));
        (0..3).for_each(|index| later.packet(&packet(1, 10_000 + index * 10)));
        delta.merge(&later.take());
        assert_eq!(under(&delta, "ssh"), labelled + 3);
        assert!(consistent(&delta));
        let flow = delta.flows().iter().next().unwrap();
        assert_eq!(flow.application(), Some(Application::Ssh));
    }
}

#[test]
fn what_had_no_room_in_one_part_keeps_its_port_in_the_next() {
    let seconds = |delta: &mut Delta, from: i64, until: i64| {
        (from..until).for_each(|index| delta.packet(&packet(1, index * 10)));
        delta.flush();
    };
    let mut uncut = empty(false, &Told::new());
    let mut cut = empty(false, &Told::new());
    seconds(&mut uncut, 0, 18);
    seconds(&mut cut, 0, 18);
    let mut whole = cut.take();
    seconds(&mut uncut, 18, 30);
    seconds(&mut cut, 18, 30);
    assert_eq!(cut.noted(), 0);
    for delta in [&mut uncut, &mut cut] {
        delta.tell(&Arc::new(ssh(1)));
        seconds(delta, 30, 40);
    }
    whole.merge(&cut.take());
    uncut.settle();
    assert_eq!(said(&whole), said(&uncut));
    assert_eq!((whole.frozen(), under(&whole, "ssh")), (1, 0));
    seconds(&mut cut, 40, 41);
    assert_eq!(under(&cut.take(), "ssh"), 0);
}

#[test]
fn coarser_buckets_do_not_matter() {
    for trail in [false, true] {
        let mut late = empty(trail, &Told::new());
        let mut early = empty(trail, &ssh(1));
        for delta in [&mut late, &mut early] {
            (0..9).for_each(|index| delta.packet(&packet(1, index * 10)));
            (0..150_000).for_each(|index| delta.packet(&packet(2, index * 10)));
            (0..9).for_each(|index| delta.packet(&packet(1, 3_000_000 - index * 10)));
            delta.flush();
        }
        late.tell(&Arc::new(ssh(1)));
        late.settle();
        assert!(late.buckets().interval() > 10 && consistent(&late));
        assert_eq!(under(&late, "ssh"), 18);
        // The other flow was in too many buckets to be told apart.
        assert_eq!(said(&late), said(&early));
        let mut fine = empty(trail, &Told::new());
        (0..9).for_each(|index| fine.packet(&packet(1, index * 10 + 5)));
        let mut both = fine.take();
        both.merge(&late);
        assert_eq!(under(&both, "ssh"), 27);
        assert!(consistent(&both));
        if trail {
            assert!(consistent(&Choice(1).of(&both)));
        }
    }
}

#[test]
fn a_flow_without_captured_payload_is_decided_at_once() {
    let blind = |number, time, captured_bytes| {
        let mut seen = packet(number, time);
        seen.packet.as_mut().unwrap().payload_len = 58;
        Seen {
            captured_bytes,
            ..seen
        }
    };
    let mut delta = empty(false, &ssh(3));
    delta.packet(&blind(1, 5, 43));
    delta.packet(&blind(2, 5, 42));
    delta.packet(&blind(3, 5, 42)); // known by another way
    delta.packet(&packet(4, 5));
    (1..4).for_each(|index| delta.packet(&packet(5, index * 10)));
    delta.packet(&blind(5, 35, 42));
    delta.flush();
    assert_eq!(delta.noted(), 0);
    let all: Told = (1..6).flat_map(ssh).collect();
    delta.tell(&Arc::new(all));
    delta.settle();
    let labelled = |number| {
        let flow = delta.flows().get(&whole_key(&packet(number, 0)));
        flow.unwrap().label.is_some()
    };
    assert_eq!(
        [1, 2, 3, 4, 5].map(labelled),
        [true, false, true, true, false]
    );
    assert_eq!(delta.frozen(), 0);
    assert!(consistent(&delta));
}

#[test]
fn packets_out_of_order_go_to_their_buckets() {
    let mut delta = empty(false, &Told::new());
    let times = [15, 16, 3, 27, 14, 28, 2, 39, 38, 1];
    times
        .iter()
        .for_each(|time| delta.packet(&packet(1, *time)));
    delta.flush();
    assert_eq!(delta.noted(), 3);
    delta.tell(&Arc::new(ssh(1)));
    delta.settle();
    assert_eq!((under(&delta, "ssh"), delta.noted()), (10, 0));
    assert!(consistent(&delta));
}

#[test]
fn what_is_selected_can_still_be_labelled() {
    let mut delta = empty(true, &Told::new());
    for number in 1..4 {
        (0..3).for_each(|index| delta.packet(&packet(number, index * 10)));
    }
    delta.settle();
    let two = whole_key(&packet(2, 0));
    let mut kept = delta.select(&mut |key, _| *key != two);
    assert_eq!(kept.noted(), 4);
    let mut later = empty(true, &ssh(1));
    later.packet(&packet(1, 90));
    kept.merge(&later.take().select(&mut |_, _| true));
    assert_eq!((under(&kept, "ssh"), kept.noted()), (4, 2));
    assert!(consistent(&kept));
}

#[test]
fn lost_samples_add_up() {
    let mut delta = empty(false, &Told::new());
    delta.lost_samples(3);
    let mut first = delta.take();
    assert_eq!((first.samples_lost(), delta.samples_lost()), (3, 0));
    delta.lost_samples(4);
    first.merge(&delta.take());
    assert_eq!(first.samples_lost(), 7);
}
