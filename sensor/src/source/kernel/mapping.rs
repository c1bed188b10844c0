//! Array maps in this process's memory, so that reading a flow costs a load and not a system call.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    #[error(
        "map {name} holds values of {found} bytes, expected {expected}: rebuild the eBPF object"
    )]
    Layout {
        name: &'static str,
        found: u32,
        expected: usize,
    },
    #[error("map {name} can't be mapped ({bytes} bytes): {error}")]
    Map {
        name: &'static str,
        bytes: usize,
        error: io::Error,
    },
}

/// An array map of `T`. The kernel writes it behind our back: every access is a volatile one, by value.
pub struct Mapped<T> {
    base: NonNull<T>,
    len: usize,
    bytes: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread; access goes through `&self`/`&mut self` by raw pointers.
unsafe impl<T: Send> Send for Mapped<T> {}

impl<T> Mapped<T> {
    pub fn new(
        fd: BorrowedFd<'_>,
        name: &'static str,
        value_size: u32,
        len: u32,
    ) -> Result<Self, MappingError> {
        if value_size as usize != size_of::<T>() || !size_of::<T>().is_multiple_of(8) {
            return Err(MappingError::Layout {
                name,
                found: value_size,
                expected: size_of::<T>(),
            });
        }
        let len = len as usize;
        let bytes = (len * size_of::<T>()).next_multiple_of(page_size());
        // SAFETY: a fresh shared mapping of a descriptor that we own for the duration of the call.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd.as_raw_fd(),
                0,
            )
        };
        match NonNull::new(address.cast::<T>()) {
            Some(base) if address != libc::MAP_FAILED => Ok(Mapped { base, len, bytes }),
            _ => Err(MappingError::Map {
                name,
                bytes,
                error: io::Error::last_os_error(),
            }),
        }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Pointer to the value at `index`, valid for reads and writes while `self` lives.
    pub fn at(&self, index: usize) -> Option<*mut T> {
        // SAFETY: the index lies within the mapping.
        (index < self.len).then(|| unsafe { self.base.as_ptr().add(index) })
    }
}

impl<T> Drop for Mapped<T> {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that `new` made, and nobody holds pointers beyond the borrow of `self`.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

fn page_size() -> usize {
    // SAFETY: no preconditions.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}
