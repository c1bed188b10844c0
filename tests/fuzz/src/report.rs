//! Reports that are read back: no bytes take long or much memory, and what was read once is written and read the same.

use sensor::report::{self, ReadError};
use sensor::sink::json;

use crate::cost::bounded;

/// Panics if reading goes wrong, or if what was read is not what would be written.
pub fn check(bytes: &[u8]) {
    let most = (64 << 10) + bytes.len() * 256;
    let report = match bounded(bytes.len(), most, || report::read(bytes)) {
        Ok(report) => report,
        Err(error) => return one_short_line(&error),
    };
    let mut written = Vec::new();
    json::write(&report, &mut written).expect("memory takes everything");
    assert_eq!(report::read(&written), Ok(report));
}

fn one_short_line(error: &ReadError) {
    let said = error.to_string();
    let plain = !said.contains(|c: char| c.is_control());
    assert!(said.len() < 3000 && plain, "{said}");
}
