//! Damaged files, and files made by an enemy.

use std::fs;

use super::load::Files;
use super::name::TABLES;
use super::*;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(folder.path(), RUN, samples::config(100));
    seconds(6).iter().for_each(|part| run.part(part));
    run.commit();
    seconds(3).iter().for_each(|part| run.part(part));
    run.finish();
    folder
}

#[test]
fn a_damaged_file_costs_its_set_and_nothing_else() {
    let folder = folder();
    let found = store::list(folder.path()).unwrap().into_iter();
    let place = found
        .map(|one| one.place)
        .find(|place| place.name.number == 0)
        .unwrap();
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let mut refused = 0;
    for round in 0..400 {
        let path = place.path(TABLES[round % TABLES.len()]);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        match round % 5 {
            0 => bad.truncate(next(good.len())),
            1 => bad = vec![next(256) as u8; next(200)],
            _ => {
                for _ in 0..=next(4) {
                    let at = next(bad.len());
                    bad[at] ^= 1 << next(8);
                }
            }
        }
        fs::write(&path, &bad).unwrap();
        let opened = open(&[folder.path().to_owned()], &asked()).unwrap();
        refused += opened.troubles.len();
        let packets = build(&opened.delta, &opened.context).totals.packets;
        if !opened.troubles.is_empty() {
            assert_eq!(packets, 21, "{:?}", opened.troubles);
            let message = opened.troubles[0].to_string();
            assert!(message.contains(".parquet"), "{message}");
        }
        fs::write(&path, good).unwrap();
    }
    assert!(refused > 200, "{refused}");
    assert_eq!(merged(folder.path(), &asked()).totals.packets, 63);
}

#[test]
fn what_is_no_history_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!is_history(folder.path()));
    let error = open(&[folder.path().to_owned()], &asked()).err().unwrap();
    assert!(error.to_string().starts_with("no history in "), "{error}");
}
