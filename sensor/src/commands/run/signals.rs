//! Signals: INT and TERM stop, USR1 shows the counts, HUP is for reloading.

use std::io;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

pub(super) enum Signal {
    Stop,
    Show,
    Reload,
}

pub(super) struct Signals {
    interrupt: Stream,
    terminate: Stream,
    usr1: Stream,
    hangup: Stream,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            usr1: signal(SignalKind::user_defined1())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.usr1.recv() => Signal::Show,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }
}

/// Whoever presses Ctrl-C twice does not want to wait for the last report.
pub(super) fn die_on_the_next_one() {
    // SAFETY: restoring the default action has no preconditions.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
}
