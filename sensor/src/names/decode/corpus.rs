//! Real captures for the decoders' tests, where the corpus lies beside the workspace.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sensor_common::flow::FlowKey;
use sensor_common::parse;
use sensor_common::view::SliceView;
use serde_json::Value;

use crate::source::file::CaptureFile;
use crate::source::file::count::walk;

/// What is excused: file, name, and why tshark and we differ about it.
pub(super) type Excuse = (&'static str, &'static str, &'static str);

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no corpus at ../shared/corpus");
    None
}

/// Compares names of every file with those that tshark found: `key` of the truth's `names`. `each` is given every payload
/// of TCP and UDP. Differences must be excused, and excuses must be differences.
pub(super) fn same_names(
    key: &str,
    excuses: &[Excuse],
    each: impl Fn(&FlowKey, &[u8], &mut BTreeSet<String>),
) {
    let Some(corpus) = corpus() else { return };
    let (mut compared, mut wrong) = (0, Vec::new());
    let mut unused: Vec<_> = excuses.iter().collect();
    for file in files(&corpus.join("dev")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(truth) = fs::read(corpus.join(format!("truth/{name}.json"))) else {
            continue;
        };
        let truth: Value = serde_json::from_slice(&truth).unwrap();
        let Some(theirs) = truth["names"][key].as_object() else {
            continue;
        };
        let listed_all = truth["names"][format!("{key}_distinct")] == theirs.len();
        let theirs: BTreeSet<_> = theirs.keys().cloned().collect();
        let ours = ours(&file, &each);
        compared += ours.intersection(&theirs).count();
        let missing = theirs.difference(&ours).map(|one| ('-', one));
        // The truth lists the 300 most frequent.
        let more = ours.difference(&theirs).filter(|_| listed_all);
        for (sign, one) in missing.chain(more.map(|one| ('+', one))) {
            if excuses.iter().any(|excuse| excused(excuse, &name, one)) {
                unused.retain(|excuse| !excused(excuse, &name, one));
            } else {
                wrong.push(format!("{name}: {sign}{one:?}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "- missing, + too much:\n{}",
        wrong.join("\n")
    );
    assert!(unused.is_empty(), "stale excuses: {unused:?}");
    assert!(compared > 0, "nothing was compared");
    println!("{compared} names are the same");
}

/// `*` is every name of the file.
fn excused(excuse: &Excuse, file: &str, name: &str) -> bool {
    excuse.0 == file && (excuse.1 == name || excuse.1 == "*")
}

/// Every payload of TCP and UDP in the corpus, with the name of its file.
pub(super) fn payloads(mut each: impl FnMut(&str, &FlowKey, &[u8])) {
    let Some(corpus) = corpus() else { return };
    for file in files(&corpus.join("dev")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        of_file(&file, &mut |key: &FlowKey, payload: &[u8]| {
            each(&name, key, payload)
        });
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|one| one.unwrap().path())
        .collect();
    files.sort();
    files
}

fn ours(file: &Path, each: &impl Fn(&FlowKey, &[u8], &mut BTreeSet<String>)) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    of_file(file, &mut |key: &FlowKey, payload: &[u8]| {
        each(key, payload, &mut names)
    });
    names
}

fn of_file(file: &Path, each: &mut impl FnMut(&FlowKey, &[u8])) {
    let Ok(mut file) = CaptureFile::open(file) else {
        return;
    };
    walk(
        &mut file,
        |record, link_type| {
            let Ok(packet) = parse::packet(&SliceView(record.data), link_type) else {
                return;
            };
            let rest = record
                .data
                .get(usize::from(packet.header_len)..)
                .unwrap_or_default();
            let len = rest.len().min(packet.payload_len as usize);
            if packet.key.has_ports() && len > 0 {
                each(&packet.key, &rest[..len]);
            }
        },
        |_| (),
    );
}
