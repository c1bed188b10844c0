//! Tables that the kernel does not make: why, and what to do. Its own words are for those who write kernels.

use std::io;

use aya::EbpfError;
use aya::maps::MapError;

use super::object::{ObjectError, TableSize};
use crate::units;

#[derive(Debug, thiserror::Error)]
#[error("the kernel can't make the table {name}: {error}{}", self.remedy())]
pub struct TableError {
    name: String,
    error: io::Error,
    /// Of all tables together, about.
    bytes: u64,
}

impl TableError {
    fn remedy(&self) -> String {
        let ask_for_less = "ask for fewer flows by --kernel-flows";
        match self.error.raw_os_error() {
            Some(libc::ENOMEM) => format!(
                "; all tables take about {}, charged to the control group: raise its limit (MemoryMax of a unit), or {ask_for_less}",
                units::bytes(self.bytes)
            ),
            Some(libc::E2BIG) => format!(
                "; all tables would take about {}: {ask_for_less}",
                units::bytes(self.bytes)
            ),
            Some(libc::EPERM) => {
                "; before Linux 5.11 tables count as locked memory: ulimit -l unlimited (LimitMEMLOCK=infinity of a unit)"
                    .to_owned()
            }
            _ => String::new(),
        }
    }
}

/// Why the object could not be loaded, where it was one of its tables.
pub(super) fn explained(error: EbpfError, size: &TableSize) -> ObjectError {
    match error {
        EbpfError::MapError(MapError::CreateError { name, io_error }) => TableError {
            name,
            error: io_error,
            bytes: size.bytes(),
        }
        .into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_refused_says_why_and_what_to_do() {
        let size = TableSize {
            cpus: 2,
            slots: 4,
            set_bits: 14,
            log: 4096,
        };
        for (code, said) in [
            (libc::ENOMEM, "; all tables take about 34.6 MB, charged to"),
            (
                libc::E2BIG,
                "; all tables would take about 34.6 MB: ask for",
            ),
            (libc::EPERM, "LimitMEMLOCK=infinity"),
            (
                libc::EINVAL,
                "the table SETS: Invalid argument (os error 22)",
            ),
        ] {
            let error = EbpfError::MapError(MapError::CreateError {
                name: "SETS".to_owned(),
                io_error: io::Error::from_raw_os_error(code),
            });
            let told = explained(error, &size).to_string();
            assert!(told.contains(said), "{told}");
        }
    }
}
