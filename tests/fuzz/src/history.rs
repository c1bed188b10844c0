//! History that is read back: a file of a set that was changed costs its set or counts something else, and neither memory nor
//! a panic.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use sensor::counters::{Delta, DeltaConfig};
use sensor::history::{self, Asked, Beside, Config, Lengths, Writer};
use sensor::report::{self, Context};
use sensor::source::file::CaptureFile;
use sensor::source::file::count::count;

use crate::cost::bounded;

const TABLES: [&str; 4] = ["flows", "buckets", "accounting", "names"];
const SECOND: i64 = 1_000_000_000;
/// The tables of a delta, and Parquet's buffers.
const MEMORY: usize = 64 << 20;

/// Panics if reading goes wrong. The first byte says which of the four files of a set the rest takes the place of.
pub fn check(bytes: &[u8]) {
    let Some((&first, file)) = bytes.split_first() else {
        return;
    };
    let ground = GROUND.get_or_init(|| Mutex::new(Ground::new()));
    let ground = ground.lock().unwrap_or_else(PoisonError::into_inner);
    let (path, good) = &ground.files[usize::from(first) % TABLES.len()];
    fs::write(path, file).expect("a temporary file");
    let opened = bounded(file.len(), MEMORY, || {
        history::open(&[ground.folder.path().to_owned()], &asked())
    });
    fs::write(path, good).expect("a temporary file");
    match opened {
        Ok(opened) => {
            let report = report::build(&opened.delta, &opened.context);
            assert!(opened.sets + opened.troubles.len() >= 1);
            let whole = report.accounting.seen.packets == ground.packets;
            assert!(!opened.troubles.is_empty() || file != good || whole);
            opened.troubles.iter().for_each(one_short_line);
        }
        Err(error) => one_short_line(&error),
    }
}

fn one_short_line(error: &history::HistoryError) {
    let said = error.to_string();
    let plain = !said.contains(|c: char| c.is_control());
    assert!(said.len() < 3000 && plain, "{said:?}");
}

static GROUND: OnceLock<Mutex<Ground>> = OnceLock::new();

/// A history of one set.
struct Ground {
    folder: tempfile::TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
    packets: u64,
}

impl Ground {
    fn new() -> Self {
        quietly();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut delta = Delta::new(asked().config);
        let capture = include_bytes!("history/capture.pcap");
        let mut file = CaptureFile::from_reader(Box::new(Cursor::new(&capture[..]))).expect("ours");
        count(&mut file, &mut delta, None, |_| {});
        delta.conclude();
        let mut writer = Writer::new(Config {
            root: folder.path().to_owned(),
            run: "0123456789ab".to_owned(),
            lengths: Lengths {
                interval: SECOND,
                flows: SECOND,
            },
            most_rows: Config::MOST_ROWS,
        });
        let context = Context::default();
        let beside = Beside {
            context: &context,
            observed: None,
        };
        let written = writer.part(&delta, beside);
        written
            .and_then(|()| writer.commit(&delta, beside))
            .expect("a set");
        let files = TABLES.map(|table| only_file_below(&folder.path().join(table)));
        let files = files.map(|path| (path.clone(), fs::read(path).expect("a file of the set")));
        Ground {
            folder,
            files: files.into(),
            packets: file.packets(),
        }
    }
}

/// The Parquet reader's panics are caught where it is called: nobody needs to read of them.
fn quietly() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let foreign = |place: &std::panic::Location<'_>| place.file().contains("/parquet-");
        if !panic.location().is_some_and(foreign) {
            told(panic);
        }
    }));
}

fn only_file_below(folder: &Path) -> PathBuf {
    let entry = fs::read_dir(folder).expect("a folder of the set").next();
    let path = entry.expect("something in it").expect("an entry").path();
    match path.is_dir() {
        true => only_file_below(&path),
        false => path,
    }
}

fn asked() -> Asked {
    Asked {
        from: None,
        to: None,
        config: DeltaConfig {
            interval: SECOND,
            max_flows: 100,
            seeds: [0x9e37_79b9_7f4a_7c15; 10],
            trail: false,
            names: 16,
        },
        by_flow: false,
        top_n: 0,
    }
}
