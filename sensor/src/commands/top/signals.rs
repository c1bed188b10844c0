//! Signals: those that end the view, and the one that puts it aside.

use std::io;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

pub(super) enum Signal {
    End,
    Suspend,
}

pub(super) struct Signals {
    interrupt: Stream,
    terminate: Stream,
    hangup: Stream,
    quit: Stream,
    stop: Stream,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            // The terminal is gone, or somebody wants it back.
            hangup: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            stop: signal(SignalKind::from_raw(libc::SIGTSTP))?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::End,
            _ = self.terminate.recv() => Signal::End,
            _ = self.hangup.recv() => Signal::End,
            _ = self.quit.recv() => Signal::End,
            _ = self.stop.recv() => Signal::Suspend,
        }
    }
}

/// Stops with everybody of the same job, as Ctrl-Z does; returns when the job goes on.
pub(super) fn stop() {
    // SAFETY: sending a signal to the own process group has no preconditions.
    unsafe { libc::kill(0, libc::SIGSTOP) };
}
