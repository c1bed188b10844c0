//! What a piece of work costs: time of the processor, and memory that is asked for. Hostile bytes must not be dear.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

/// Runs `work` on `len` bytes, and panics if it takes too long or asks for more than `most` bytes of memory, those that
/// it gives back included.
pub(crate) fn bounded<T>(len: usize, most: usize, work: impl FnOnce() -> T) -> T {
    let (begin, before) = (cpu_time(), asked_for());
    let result = work();
    let asked = asked_for() - before;
    in_time(begin, len);
    assert!(
        asked <= most,
        "{asked} bytes of memory for {len} bytes, {most} may be"
    );
    result
}

/// A millisecond for each KiB would be slow; a debug build with the fuzzer's counters is twenty times slower.
pub(crate) fn in_time(begin: Duration, len: usize) {
    let allowed = Duration::from_millis(50 + 20 * (len as u64 / 1024));
    let taken = cpu_time().saturating_sub(begin);
    assert!(taken < allowed, "{taken:?} for {len} bytes");
}

/// Of this thread: what others do on the machine is not counted.
pub(crate) fn cpu_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a timespec that may be written.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// By this thread, since it began.
fn asked_for() -> usize {
    ASKED_FOR.get()
}

thread_local! {
    static ASKED_FOR: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static COUNTED: Counted = Counted;

/// The system's allocator, with what each thread asks for counted.
struct Counted;

// SAFETY: everything is handed on to the system's allocator as it came. The counter neither allocates nor has a destructor.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the rules of `alloc`, which are the same there.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as above; `place` came from the system's allocator.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

fn count(size: usize) {
    ASKED_FOR.set(ASKED_FOR.get().wrapping_add(size));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted() {
        bounded(0, 100, || Vec::<u8>::with_capacity(100));
        let dear = std::panic::catch_unwind(|| bounded(0, 99, || Vec::<u8>::with_capacity(100)));
        assert!(dear.is_err());
    }
}
