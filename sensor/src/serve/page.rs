//! The page, and the report that it shows, for programs.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::task::spawn_blocking;

use super::board::Board;
use super::events::events;
use crate::dashboard::{LivePage, live_page};

/// Relative, so that the page also works where somebody serves it under a path of theirs.
const EVENTS: &str = "events";

pub(super) fn routes(board: Arc<Board>) -> Router {
    let page = Arc::new(live_page(EVENTS));
    Router::new()
        .route("/events", get(events))
        .route("/report.json", get(report))
        .with_state(board)
        .route("/", get(html).with_state(page))
}

async fn html(State(page): State<Arc<LivePage>>) -> Response {
    // A page can't say this of itself: only the header can.
    let policy = format!("{}; frame-ancestors 'none'", page.content_security_policy);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, page.html.clone()).into_response()
}

async fn report(State(board): State<Arc<Board>>) -> Response {
    let Some(snapshot) = board.newest().await else {
        let sorry = "the first interval is not over yet\n";
        let headers = [(header::RETRY_AFTER, "1")];
        return (StatusCode::SERVICE_UNAVAILABLE, headers, sorry).into_response();
    };
    match spawn_blocking(move || snapshot.json()).await {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
