//! Loading a program without being interrupted: the verifier gives up where a signal is pending.

use std::mem::MaybeUninit;

/// Runs `work` with all signals held back from this thread; they come afterwards.
pub(super) fn undisturbed<T>(work: impl FnOnce() -> T) -> T {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset fills `all`; pthread_sigmask reads it and fills `before`.
    let held = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr()) == 0
    };
    let result = work();
    if held {
        // SAFETY: `before` was filled, as the call succeeded.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked() -> bool {
        let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: the call fills `mask`, and changes nothing.
        unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), mask.as_mut_ptr());
            libc::sigismember(mask.as_ptr(), libc::SIGHUP) == 1
        }
    }

    #[test]
    fn signals_are_held_back_for_as_long_as_it_takes() {
        assert!(!blocked());
        assert!(undisturbed(blocked));
        assert!(!blocked());
    }
}
