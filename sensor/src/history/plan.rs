//! What is to be done with the sets of a history: which to remove, which to merge. A decision about names, sizes and the
//! time, and nothing else.

use std::collections::BTreeMap;

use super::name::Partition;
use super::store::{Found, Place};

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// Sets that are merged at once have not more bytes than this: they are read into memory, some twenty times as large. A larger
/// one is merged alone.
const MOST_BYTES: u64 = 8 << 20;
/// After an hour is over, what was counted in it may still come for so long: the last period, or what waited for the disk.
const GRACE: i64 = HOUR / 4;
/// Somebody who writes a set has written it after so long.
const LEFT_BEHIND: i64 = HOUR;

/// How long history is kept, and how fine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Nanoseconds after which a set is removed.
    pub keep: Option<i64>,
    /// Bytes of all sets together; the oldest are removed first.
    pub keep_size: Option<u64>,
    /// The older, the coarser: from which age on, and nanoseconds of a bucket then.
    pub tiers: Vec<(i64, i64)>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            keep: Some(366 * DAY),
            keep_size: Some(10 << 30),
            tiers: vec![(6 * HOUR, 60 * SECOND), (7 * DAY, HOUR)],
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Remove(Place, Why),
    /// Make one set of these, with buckets of so many nanoseconds.
    Merge(Vec<Place>, i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Another set has what it had.
    Replaced,
    /// It never was whole.
    Unfinished,
    TooOld,
    /// All together are larger than they may be.
    NoRoom,
}

/// What should be done now, in this order.
pub(super) fn plan(policy: &Policy, found: &[Found], now: i64) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut stay = Vec::new();
    for one in found {
        let why = match one {
            _ if one.replaced => Why::Replaced,
            _ if !one.whole && one.modified < now - LEFT_BEHIND => Why::Unfinished,
            _ if policy
                .keep
                .is_some_and(|keep| end(one) < now.saturating_sub(keep)) =>
            {
                Why::TooOld
            }
            _ => {
                stay.push(one);
                continue;
            }
        };
        actions.push(Action::Remove(one.place.clone(), why));
    }
    stay.sort_by_key(|one| end(one));
    let mut bytes: u64 = stay.iter().map(|one| one.bytes).sum();
    let most = policy.keep_size.unwrap_or(u64::MAX);
    stay.retain(|one| {
        let stays = bytes <= most;
        if !stays {
            bytes -= one.bytes;
            actions.push(Action::Remove(one.place.clone(), Why::NoRoom));
        }
        stays
    });
    stay.retain(|one| one.whole);
    actions.extend(merges(policy, &stay, now));
    actions
}

fn end(found: &Found) -> i64 {
    found.place.name.end.saturating_mul(SECOND)
}

fn merges(policy: &Policy, sets: &[&Found], now: i64) -> Vec<Action> {
    let mut hours: BTreeMap<&Partition, Vec<&Found>> = BTreeMap::new();
    for one in sets {
        hours.entry(&one.place.partition).or_default().push(one);
    }
    let mut actions = Vec::new();
    for (partition, mut sets) in hours {
        let (_, over) = partition.span();
        let age = now.saturating_sub(over);
        if age < GRACE {
            continue;
        }
        sets.sort_by(|a, b| a.place.name.cmp(&b.place.name));
        let tiers = policy.tiers.iter().filter(|(from, _)| *from <= age);
        let tier = tiers.map(|(_, length)| *length).max().unwrap_or(1);
        for (resolution, group) in groups(&sets, tier) {
            let fine = group
                .iter()
                .any(|one| one.place.name.resolution < resolution);
            if fine || group.len() > 1 {
                let places = group.iter().map(|one| one.place.clone()).collect();
                actions.push(Action::Merge(places, resolution));
            }
        }
    }
    actions
}

/// Neighbours that are small enough together, with the length that their buckets are to have: the tier's, or their own where that
/// is longer.
fn groups<'a>(sets: &[&'a Found], tier: i64) -> Vec<(i64, Vec<&'a Found>)> {
    let mut groups: Vec<(i64, Vec<&Found>)> = Vec::new();
    let mut bytes = 0;
    for one in sets {
        let resolution = one.place.name.resolution.max(tier);
        match groups.last_mut() {
            Some((length, group)) if *length == resolution && bytes + one.bytes <= MOST_BYTES => {
                bytes += one.bytes;
                group.push(one);
            }
            _ => {
                bytes = one.bytes;
                groups.push((resolution, vec![one]));
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::super::name::SetName;
    use super::*;

    const NOW: i64 = 1_700_000_000 * SECOND;

    /// A minute's set that ended so many seconds ago.
    fn found(ago: i64, bytes: u64) -> Found {
        let end = NOW / SECOND - ago;
        Found {
            place: Place {
                root: "/history".into(),
                partition: Partition::of("web1", (end - 60) * SECOND),
                name: SetName {
                    start: end - 60,
                    end,
                    resolution: SECOND,
                    run: "0123456789ab".into(),
                    number: ago as u32,
                },
            },
            bytes,
            whole: true,
            replaced: false,
            modified: end * SECOND,
        }
    }

    fn removed(actions: &[Action], why: Why) -> Vec<u32> {
        let removed = actions.iter().filter_map(|action| match action {
            Action::Remove(place, because) if *because == why => Some(place.name.number),
            _ => None,
        });
        removed.collect()
    }

    fn merges_of(actions: &[Action]) -> Vec<(usize, i64)> {
        let merges = actions.iter().filter_map(|action| match action {
            Action::Merge(places, resolution) => Some((places.len(), *resolution)),
            Action::Remove(..) => None,
        });
        merges.collect()
    }

    fn nothing_but_keep(keep: Option<i64>, keep_size: Option<u64>) -> Policy {
        Policy {
            keep,
            keep_size,
            tiers: Vec::new(),
        }
    }

    #[test]
    fn what_is_too_old_goes_and_nothing_else() {
        let sets: Vec<Found> = [0, 86_399, 86_400, 86_401, 900_000]
            .map(|ago| found(ago, 1))
            .into();
        let actions = plan(&nothing_but_keep(Some(DAY), None), &sets, NOW);
        assert_eq!(removed(&actions, Why::TooOld), [86_401, 900_000]);
        let forever = plan(&nothing_but_keep(None, None), &sets, NOW);
        assert!(removed(&forever, Why::TooOld).is_empty());
    }

    #[test]
    fn what_has_no_room_goes_oldest_first() {
        let sets: Vec<Found> = [10, 400_000, 300_000, 20].map(|ago| found(ago, 100)).into();
        for (room, gone) in [
            (400, vec![]),
            (399, vec![400_000]),
            (250, vec![400_000, 300_000]),
        ] {
            let actions = plan(&nothing_but_keep(None, Some(room)), &sets, NOW);
            assert_eq!(removed(&actions, Why::NoRoom), gone, "{room}");
        }
    }

    #[test]
    fn half_a_set_goes_once_nobody_can_be_writing_it() {
        let mut sets = [found(90_000, 1), found(80_000, 1)];
        sets.iter_mut().for_each(|one| one.whole = false);
        sets[1].modified = NOW - 60 * SECOND;
        let actions = plan(&Policy::default(), &sets, NOW);
        assert_eq!(removed(&actions, Why::Unfinished), [90_000]);
        assert!(merges_of(&actions).is_empty());
    }

    #[test]
    fn what_was_replaced_goes_and_is_not_merged_again() {
        let mut sets = [found(20_000, 1), found(20_001, 1), found(20_002, 1)];
        sets[0].replaced = true;
        let actions = plan(&Policy::default(), &sets, NOW);
        assert_eq!(removed(&actions, Why::Replaced), [20_000]);
        assert_eq!(merges_of(&actions), [(2, SECOND)]);
    }

    #[test]
    fn an_hour_is_merged_when_it_is_over_and_gets_coarser_with_age() {
        let policy = Policy::default();
        let minutes = |ago: i64| -> Vec<Found> { (0..3).map(|n| found(ago + n, 1)).collect() };
        assert!(merges_of(&plan(&policy, &minutes(30), NOW)).is_empty());
        for (ago, resolution) in [
            (2 * 3600, SECOND),
            (8 * 3600, 60 * SECOND),
            (8 * 86_400, HOUR),
        ] {
            let actions = plan(&policy, &minutes(ago), NOW);
            assert_eq!(merges_of(&actions), [(3, resolution)], "{ago}");
        }
    }

    #[test]
    fn what_is_finer_is_not_made_coarser_before_its_time() {
        let mut sets = [found(10_000, 1), found(10_001, 1), found(10_002, 1)];
        sets[0].place.name.resolution = 300 * SECOND;
        assert_eq!(
            merges_of(&plan(&Policy::default(), &sets, NOW)),
            [(2, SECOND)]
        );
    }

    #[test]
    fn what_is_as_it_should_be_stays() {
        let policy = Policy::default();
        for (ago, resolution) in [
            (2 * 3600, SECOND),
            (8 * 3600, 60 * SECOND),
            (8 * 86_400, HOUR),
        ] {
            let mut one = found(ago, 1);
            one.place.name.resolution = resolution;
            assert!(plan(&policy, &[one], NOW).is_empty(), "{ago}");
        }
        let large = [found(10_000, MOST_BYTES), found(10_001, MOST_BYTES)];
        assert!(plan(&policy, &large, NOW).is_empty());
    }
}
