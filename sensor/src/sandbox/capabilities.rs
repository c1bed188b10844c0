//! Capabilities of this thread: the kernel keeps them for each thread, and new ones begin with those of their maker.

use std::io;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::privilege::{self, Capability};

/// Somebody asked for it: without that every thread keeps what it has.
static WANTED: AtomicBool = AtomicBool::new(false);
/// What every thread may keep in effect, by [`settle`].
static KEPT: AtomicU64 = AtomicU64::new(0);

/// The three sets of a thread, a bit for each capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sets {
    effective: u64,
    permitted: u64,
    inheritable: u64,
}

/// struct __user_cap_header_struct
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// struct __user_cap_data_struct
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const VERSION: u32 = 0x2008_0522; // _LINUX_CAPABILITY_VERSION_3: two halves

fn get() -> io::Result<Sets> {
    let mut header = Header {
        version: VERSION,
        pid: 0,
    };
    let mut halves = [Half::default(); 2];
    // SAFETY: the call reads the header and fills the two halves that its version has.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, halves.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let [low, high] = halves;
    let whole = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
    Ok(Sets {
        effective: whole(low.effective, high.effective),
        permitted: whole(low.permitted, high.permitted),
        inheritable: whole(low.inheritable, high.inheritable),
    })
}

fn set(sets: Sets) -> io::Result<()> {
    let mut header = Header {
        version: VERSION,
        pid: 0,
    };
    let half = |shift: u32| Half {
        effective: (sets.effective >> shift) as u32,
        permitted: (sets.permitted >> shift) as u32,
        inheritable: (sets.inheritable >> shift) as u32,
    };
    let halves = [half(0), half(32)];
    // SAFETY: the call reads the header and the two halves that its version has.
    match unsafe { libc::syscall(libc::SYS_capset, &raw mut header, halves.as_ptr()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// What this thread has in effect, and may have; nothing where the kernel does not say.
pub(super) fn now() -> (u64, u64) {
    get().map_or((0, 0), |sets| (sets.effective, sets.permitted))
}

/// Takes out of effect all but these, for a start.
pub(super) fn limit(effective: u64) -> io::Result<()> {
    let sets = get()?;
    set(Sets { effective, ..sets })
}

/// For good, of all threads that give up from now on: nothing but `permitted` can be had again.
pub(super) fn settle(effective: u64, permitted: u64) -> io::Result<()> {
    KEPT.store(effective, Ordering::Relaxed);
    // SAFETY: the call takes numbers only. Kernels without ambient capabilities have none to take away.
    unsafe {
        libc::prctl(
            libc::PR_CAP_AMBIENT,
            libc::PR_CAP_AMBIENT_CLEAR_ALL,
            0,
            0,
            0,
        )
    };
    set(Sets {
        effective,
        permitted,
        inheritable: 0,
    })
}

pub(super) fn want() {
    WANTED.store(true, Ordering::Relaxed);
}

pub(super) fn wanted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

/// Of a thread that neither attaches nor loads anything: it keeps no more than what all keep. To be called by it first.
pub fn give_up() {
    let kept = KEPT.load(Ordering::Relaxed);
    give_up_to(kept);
}

/// The same, and these too.
pub fn give_up_all_but(needed: &[Capability]) {
    give_up_to(mask(needed));
}

fn give_up_to(kept: u64) {
    if !wanted() {
        return;
    }
    // Nothing is lost but caution where the kernel refuses: it never does for less.
    let _refused = get().and_then(|sets| {
        let kept = kept & sets.permitted;
        settle_thread(kept)
    });
}

fn settle_thread(kept: u64) -> io::Result<()> {
    set(Sets {
        effective: kept,
        permitted: kept,
        inheritable: 0,
    })
}

/// While it lives, all that this thread may have is in effect.
pub struct Raised {
    before: Option<Sets>,
    /// It is about this thread, and must be dropped by it.
    _thread: PhantomData<*const ()>,
}

/// Puts what is in reserve into effect.
pub fn raise() -> Raised {
    let before = get().ok().filter(|sets| sets.effective != sets.permitted);
    if let Some(sets) = before {
        // Where that is refused, what it is raised for will be, and say so.
        let _refused = set(Sets {
            effective: sets.permitted,
            ..sets
        });
    }
    Raised {
        before,
        _thread: PhantomData,
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            let _never = set(before);
        }
    }
}

pub(super) fn mask(capabilities: &[Capability]) -> u64 {
    capabilities
        .iter()
        .fold(0, |mask, (number, _)| mask | 1 << number)
}

pub(super) fn names(mask: u64) -> Vec<String> {
    let known = privilege::KNOWN.iter();
    known
        .filter(|(number, _)| mask >> number & 1 == 1)
        .map(|(_, name)| (*name).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each test on a thread of its own, whose capabilities are its own.
    fn apart(test: impl FnOnce() + Send) {
        std::thread::scope(|scope| scope.spawn(test).join()).unwrap();
    }

    #[test]
    fn what_is_in_reserve_comes_and_goes() {
        apart(|| {
            let all = get().unwrap().permitted;
            set(Sets {
                effective: 0,
                permitted: all,
                inheritable: 0,
            })
            .unwrap();
            {
                let _raised = raise();
                assert_eq!(get().unwrap().effective, all);
                let _again = raise();
                assert_eq!(get().unwrap().effective, all);
            }
            let after = get().unwrap();
            assert_eq!((after.effective, after.permitted), (0, all));
        });
    }

    #[test]
    fn what_is_given_up_is_gone_for_this_thread_alone() {
        let before = get().unwrap();
        apart(|| {
            settle_thread(0).unwrap();
            drop(raise());
            let after = get().unwrap();
            assert_eq!((after.effective, after.permitted), (0, 0));
        });
        assert_eq!(get().unwrap(), before);
    }

    #[test]
    fn names_are_the_kernels() {
        let both = mask(privilege::AF_PACKET) | mask(&[privilege::BPF]);
        assert_eq!(both, 1 << 13 | 1 << 39);
        assert_eq!(names(both), ["CAP_NET_RAW", "CAP_BPF"]);
    }
}
