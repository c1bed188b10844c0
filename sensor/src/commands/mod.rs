//! One file per command.

pub mod interfaces;
pub mod read;
pub mod run;
mod text;

use std::io::Read;

/// The host's name, for reports.
fn hostname() -> String {
    let mut name = String::new();
    let read = std::fs::File::open("/proc/sys/kernel/hostname")
        .and_then(|mut file| file.read_to_string(&mut name));
    match read {
        Ok(_) => name.trim().to_owned(),
        Err(_) => "unknown".to_owned(),
    }
}
