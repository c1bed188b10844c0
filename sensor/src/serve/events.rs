//! The stream of server-sent events: the newest state whenever there is one, and the end of the run.
//!
//! A client that takes slowly misses states; none is kept for it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;

use super::board::{Board, SEATS, Snapshot};

/// So that neither end takes silence for death.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

struct Viewer {
    board: Arc<Board>,
    states: watch::Receiver<Option<Arc<Snapshot>>>,
    turn: Turn,
    _seat: OwnedSemaphorePermit,
}

enum Turn {
    Greet,
    First,
    Wait,
    Bye,
    Done,
}

pub(super) async fn events(State(board): State<Arc<Board>>) -> Response {
    let Some(seat) = board.seat() else {
        let sorry = format!("{SEATS} pages are open, more there can't be; trying again in 10 s\n");
        let headers = [(header::RETRY_AFTER, "10")];
        return (StatusCode::SERVICE_UNAVAILABLE, headers, sorry).into_response();
    };
    let viewer = Viewer {
        states: board.watch(),
        board,
        turn: Turn::Greet,
        _seat: seat,
    };
    let chunks = stream::unfold(viewer, |mut viewer| async {
        let chunk = viewer.next().await?;
        Some((Ok::<_, Infallible>(chunk), viewer))
    });
    let kind = [(header::CONTENT_TYPE, "text/event-stream")];
    (kind, Body::from_stream(chunks)).into_response()
}

impl Viewer {
    async fn next(&mut self) -> Option<Bytes> {
        match self.turn {
            Turn::Greet => {
                self.turn = Turn::First;
                Some(Bytes::from_static(b"retry: 2000\n\n"))
            }
            Turn::First => {
                let snapshot = self.board.newest().await;
                self.states.mark_unchanged();
                Some(self.tell(snapshot))
            }
            Turn::Wait => match timeout(KEEP_ALIVE, self.states.changed()).await {
                Ok(Ok(())) => {
                    let snapshot = self.states.borrow_and_update().clone();
                    Some(self.tell(snapshot))
                }
                Ok(Err(_)) => None,
                Err(_) => Some(Bytes::from_static(b":\n\n")),
            },
            Turn::Bye => {
                self.turn = Turn::Done;
                Some(Bytes::from_static(b"event: end\ndata: {}\n\n"))
            }
            Turn::Done => None,
        }
    }

    fn tell(&mut self, snapshot: Option<Arc<Snapshot>>) -> Bytes {
        let Some(snapshot) = snapshot else {
            self.turn = Turn::Wait;
            return Bytes::from_static(b":\n\n");
        };
        self.turn = match snapshot.is_last() {
            true => Turn::Bye,
            false => Turn::Wait,
        };
        snapshot.event.clone()
    }
}
