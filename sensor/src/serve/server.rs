//! A listening address and the thread that answers there.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::guard::{Guard, HEALTH, guard};
use super::limits::{CONNECTIONS, Gate, PATIENCE};
use super::metrics::{self, Meter};
use super::{Board, Token, page};
use crate::failure::{Exit, Failure};
use crate::sandbox;
use crate::status;

/// Clients get this long to take the last answer.
const GOODBYE: Duration = Duration::from_millis(900);

/// What there is behind an address.
#[derive(Clone)]
pub struct Doors {
    pub board: Option<Arc<Board>>,
    pub meter: Option<Arc<Meter>>,
    /// For a request, and for taking any of an answer that waits.
    pub patience: Duration,
}

impl Default for Doors {
    fn default() -> Self {
        Doors {
            board: None,
            meter: None,
            patience: PATIENCE,
        }
    }
}

/// Answers until it is dropped, and then for a moment, so that what was said last arrives.
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// An address that is taken, before anything is said there.
pub(super) struct Bound(TcpListener, SocketAddr);

impl Bound {
    /// `option`: who asked for the address.
    pub(super) fn new(option: &str, wanted: SocketAddr) -> Result<Self, Failure> {
        let bound = TcpListener::bind(wanted).and_then(|listener| {
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Bound(listener, address))
        });
        bound.map_err(|error| {
            let help = match error.kind() {
                io::ErrorKind::AddrInUse => {
                    "another program listens there: take another port, or 0 for any that is free"
                }
                io::ErrorKind::AddrNotAvailable => "this machine has no such address",
                io::ErrorKind::PermissionDenied => "ports below 1024 need privileges",
                _ => "take another address",
            };
            Failure::told(
                Exit::Output,
                format_args!("{option} {wanted}: {error}; {help}"),
            )
        })
    }
}

impl Server {
    pub(super) fn start(
        Bound(listener, address): Bound,
        doors: &Doors,
        hostname: &str,
        token: Option<Token>,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(2)
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let guard = Guard::new(address, hostname, token);
        let gate = Gate {
            listener,
            places: Arc::new(Semaphore::new(CONNECTIONS)),
            patience: doors.patience,
        };
        let board = doors.board.clone();
        let router = router(doors, guard);
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || answer(runtime, gate, router, board, stopped));
        Ok(Server {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that failed has nobody left to answer.
            let _ = thread.join();
        }
    }
}

fn router(doors: &Doors, of: Guard) -> Router {
    let mut router = Router::new().route(HEALTH, get(|| async { "ok\n" }));
    if let Some(board) = &doors.board {
        router = router.merge(page::routes(Arc::clone(board)));
    }
    if let Some(meter) = &doors.meter {
        router = router.merge(metrics::routes(Arc::clone(meter)));
    }
    router
        .fallback(|| async { (StatusCode::NOT_FOUND, "there is nothing here\n") })
        .layer(from_fn_with_state(Arc::new(of), guard))
}

fn answer(
    runtime: Runtime,
    gate: Gate,
    router: Router,
    board: Option<Arc<Board>>,
    stopped: oneshot::Receiver<()>,
) {
    if let Err(error) = sandbox::seclude() {
        status::warn(&format!(
            "the thread that serves pages keeps its rights: {error}"
        ));
    }
    let places = Arc::clone(&gate.places);
    runtime.block_on(async move {
        let fresh = async {
            match board {
                Some(board) => board.keep_fresh().await,
                None => std::future::pending().await,
            }
        };
        // Builds go on while clients are told the end.
        let work = async {
            tokio::select! {
                _ = axum::serve(gate, router) => {}
                _ = stopped => {}
            }
            let _gone = timeout(GOODBYE, places.acquire_many(CONNECTIONS as u32)).await;
        };
        tokio::select! {
            () = work => {}
            () = fresh => {}
        }
    });
    runtime.shutdown_background();
}
