//! Half of what was to be written: by a kill, by a full disk.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::load::Files;
use super::name::TABLES;
use super::store::{Found, Place};
use super::tend::Work;
use super::*;

const HOUR: i64 = 3600 * SECOND;

/// Ten sets of ten seconds.
fn folder() -> (TempDir, Report) {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(folder.path(), RUN, samples::config(100));
    run.observed = Some((START, START + 100 * SECOND));
    for (number, part) in seconds(100).iter().enumerate() {
        run.part(part);
        if number % 10 == 9 {
            run.commit();
        }
    }
    let report = run.finish();
    (folder, report)
}

fn places(root: &Path) -> Vec<Place> {
    let found = store::list(root).unwrap().into_iter();
    found
        .filter(|one: &Found| one.whole)
        .map(|one| one.place)
        .collect()
}

fn work(root: &Path) -> Work {
    // Each has an identity of its own.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Work {
        root: root.to_owned(),
        run: format!("{:012x}", NEXT.fetch_add(1, Ordering::Relaxed)),
        number: 0,
    }
}

/// All files of a history, to be put back.
fn files(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for place in store::list(root).unwrap() {
        for table in TABLES {
            let path = place.place.path(table);
            if let Ok(bytes) = fs::read(&path) {
                files.push((path, bytes));
            }
        }
    }
    files
}

#[test]
fn half_a_set_is_not_read_and_that_is_said() {
    let (folder, report) = folder();
    let place = places(folder.path()).remove(3);
    for table in TABLES.iter().rev() {
        fs::remove_file(place.path(table)).unwrap();
        let history = merged(folder.path(), &asked());
        assert_eq!(history.totals.packets, report.totals.packets - 70);
        assert!(history.accounting.identity_holds);
        let note = "sets of history of which a file is missing: 1";
        let said = history.notes.iter().any(|one| one.starts_with(note));
        assert_eq!(said, *table != TABLES[0], "{:?}", history.notes);
    }
}

#[test]
fn merging_keeps_every_count_and_makes_buckets_coarser() {
    let (folder, report) = folder();
    work(folder.path())
        .tend(&Policy::default(), START + 9 * HOUR)
        .unwrap();
    let found = store::list(folder.path()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].place.name.resolution, 60 * SECOND);
    let history = merged(folder.path(), &asked());
    assert!(history.accounting.identity_holds);
    assert_eq!(history.interval_seconds, 60.0);
    assert_eq!(history.totals, report.totals);
    assert_eq!(history.flows, report.flows);
    assert_eq!(history.endpoints, report.endpoints);
    assert_eq!(history.conversations, report.conversations);
    assert_eq!(history.protocols, report.protocols);
    assert_eq!(history.source, report.source);
    assert!(history.buckets.len() < 5);
    // Once more, as old as that: one hour is one bucket, and nothing is lost of it.
    work(folder.path())
        .tend(&Policy::default(), START + 9 * 24 * HOUR)
        .unwrap();
    let history = merged(folder.path(), &asked());
    assert_eq!(
        (history.buckets.len(), &history.totals),
        (1, &report.totals)
    );
    assert_eq!(history.flows, report.flows);
}

#[test]
fn a_merge_that_is_killed_anywhere_counts_nothing_twice() {
    let (folder, report) = folder();
    let root = folder.path();
    let old = places(root);
    let resolution = SECOND;
    let (place, rows, meta) = work(root).merged(&old[0], &old, resolution).unwrap();
    let before = files(root);
    place.write(&rows, &meta).unwrap();
    let new: Vec<PathBuf> = TABLES.iter().map(|table| place.path(table)).collect();
    let new: Vec<(PathBuf, Vec<u8>)> = new
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    let removals: Vec<PathBuf> = old
        .iter()
        .flat_map(|place| TABLES.iter().rev().map(|table| place.path(table)))
        .collect();
    // Files of the new set that are there, then files of the old ones that are gone.
    let steps = (0..new.len()).map(|there| (there, 0));
    let steps = steps.chain((0..=removals.len()).map(|gone| (new.len(), gone)));
    for (there, gone) in steps {
        for table in TABLES {
            fs::remove_dir_all(root.join(table)).unwrap();
        }
        let kept = before
            .iter()
            .filter(|(path, _)| !removals[..gone].contains(path));
        for (path, bytes) in kept.chain(&new[..there]) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let history = merged(root, &asked());
        assert_eq!(history.totals, report.totals, "{there} there, {gone} gone");
        assert_eq!(history.flows, report.flows);
        assert_eq!(history.buckets, report.buckets);
        // The next round makes it good.
        work(root)
            .tend(&Policy::default(), START + 2 * HOUR)
            .unwrap();
        assert_eq!(places(root).len(), 1, "{there} there, {gone} gone");
        assert_eq!(merged(root, &asked()).totals, report.totals);
    }
}

#[test]
fn what_is_not_ours_is_never_removed() {
    let (folder, _) = folder();
    let place = places(folder.path()).remove(0);
    let hour = place.path("flows").parent().unwrap().to_owned();
    fs::write(hour.join("mine.parquet"), "mine").unwrap();
    let policy = Policy {
        keep: Some(1),
        ..Policy::default()
    };
    work(folder.path()).tend(&policy, START + 9 * HOUR).unwrap();
    assert!(places(folder.path()).is_empty());
    assert_eq!(fs::read(hour.join("mine.parquet")).unwrap(), b"mine");
    assert!(!folder.path().join("buckets/sensor=edge-7").exists());
}

#[test]
fn one_of_two_tends_the_folder() {
    let (folder, _) = folder();
    let lock = fs::File::create(folder.path().join(".sensor-history.lock")).unwrap();
    lock.lock().unwrap();
    work(folder.path())
        .tend(&Policy::default(), START + 9 * HOUR)
        .unwrap();
    assert_eq!(places(folder.path()).len(), 10);
    drop(lock);
    work(folder.path())
        .tend(&Policy::default(), START + 9 * HOUR)
        .unwrap();
    assert_eq!(places(folder.path()).len(), 1);
}

#[test]
fn what_can_not_be_written_is_written_later() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("history");
    fs::write(&root, "no folder").unwrap();
    let mut run = Run::new(&root, RUN, samples::config(100));
    for (number, part) in seconds(30).iter().enumerate() {
        run.part(part);
        if number % 10 == 9 && number < 25 {
            let known = run.current.take();
            let error = run.writer.commit(
                &known,
                Beside {
                    context: &run.context,
                    observed: None,
                },
            );
            let message = error.unwrap_err().to_string();
            assert!(
                message.starts_with("can't write ") && message.contains("/flows/"),
                "{message}"
            );
        }
    }
    fs::remove_file(&root).unwrap();
    let report = run.finish();
    assert_same(&report, &merged(&root, &asked()));
}

#[test]
fn what_there_is_no_room_for_is_counted_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("history");
    fs::write(&root, "no folder").unwrap();
    let mut run = Run::new(&root, RUN, samples::config(100));
    run.writer = Writer::new(Config {
        most_rows: 100,
        ..config(&root, RUN)
    });
    for (number, part) in seconds(30).iter().enumerate() {
        run.part(part);
        if number % 10 == 9 && number < 25 {
            let known = run.current.take();
            let beside = Beside {
                context: &run.context,
                observed: None,
            };
            assert!(run.writer.commit(&known, beside).is_err());
        }
    }
    fs::remove_file(&root).unwrap();
    let report = run.finish();
    let history = merged(&root, &asked());
    assert_eq!(report.totals.packets, 30 * 7);
    assert_eq!(history.totals.packets, 20 * 7);
    let note = "packets that are not in the history, because the disk took none for too long: 70,";
    assert!(
        history.notes.iter().any(|one| one.starts_with(note)),
        "{:?}",
        history.notes
    );
}
