//! How a run waits where whole packets come at full rate: while they come it looks at the rings often, and when none came it
//! sleeps until one does. A wake-up for each batch of the driver's would take more than the packets.

use std::future::poll_fn;
use std::os::fd::BorrowedFd;
use std::task::Poll;
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

use super::Live;

/// Nanoseconds between two looks while packets come: the memory for them lasts for some forty milliseconds.
pub(super) const LOOK_OFTEN: i64 = 1_000_000;

impl Live {
    /// The last look found nothing in any ring, and each tells when something comes.
    pub(super) fn is_idle(&self) -> bool {
        self.rings.iter().all(|ring| ring.when_idle().is_some())
    }

    /// Sleeps, at the longest until the first packet comes to rings that were empty.
    pub async fn pause(&self, longest: Duration) {
        let idle = self.rings.iter().map(|ring| ring.when_idle());
        let sockets: Option<Vec<Vec<BorrowedFd<'_>>>> = idle.collect();
        match sockets {
            Some(sockets) if !sockets.is_empty() => tokio::select! {
                () = sleep(longest) => {}
                () = arrival(sockets.concat()) => {}
            },
            _ => sleep(longest).await,
        }
    }
}

/// Watched anew each time: what comes while nobody waits must wake nobody.
async fn arrival(sockets: Vec<BorrowedFd<'_>>) {
    // SAFETY: what is borrowed stays open and the same for as long as the borrow, and so for the registration that holds it.
    let watch = |socket| unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
    let watched: Result<Vec<_>, _> = sockets.into_iter().map(watch).collect();
    let Ok(watched) = watched else {
        return sleep(Duration::from_nanos(LOOK_OFTEN.unsigned_abs())).await;
    };
    poll_fn(|context| {
        let mut ready = false;
        for socket in &watched {
            ready |= socket.poll_read_ready(context).is_ready();
        }
        if ready {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
