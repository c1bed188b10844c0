//! Metrics for Prometheus: what was counted since the run began, and what the counting costs.
//!
//! Counters add up the parts of a run, each as it was judged when it ended, so none ever falls: not by a label that comes
//! late, not by a reload. `docs/fields.md` lists them all.

mod counted;
mod labelled;
#[cfg(test)]
mod tests;
mod text;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Server;
use crate::agent::PATIENCE;
use crate::cost;
use crate::follow::{Follower, Part};
use crate::source::kernel::RunTime;
use counted::Counted;

/// Of the run's timetable, by the run itself.
#[derive(Debug, Default)]
pub struct Polls(Mutex<Timetable>);

#[derive(Clone, Copy, Debug, Default)]
struct Timetable {
    on_schedule: u64,
    late: Duration,
    /// By more than the agent's patience.
    very_late: u64,
    latest: Duration,
    /// Where somebody measures them.
    programs: Option<RunTime>,
}

impl Polls {
    /// The poll that ends an interval came so much too late, in nanoseconds; until then the programs ran so long.
    pub fn polled(&self, late: i64, programs: Option<RunTime>) {
        let mut timetable = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let by = Duration::from_nanos(u64::try_from(late).unwrap_or(0));
        timetable.on_schedule += 1;
        timetable.late += by;
        timetable.very_late += u64::from(late > PATIENCE);
        timetable.latest = timetable.latest.max(by);
        timetable.programs = programs;
    }

    fn read(&self) -> Timetable {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds up, and says it when it is asked.
pub struct Meter {
    counted: Mutex<Counted>,
    interval: Duration,
    polls: Arc<Polls>,
}

impl Meter {
    pub fn new(interval: Duration, polls: Arc<Polls>) -> Self {
        Meter {
            counted: Mutex::default(),
            interval,
            polls,
        }
    }

    pub fn add(&self, part: &Part) {
        // Flows are walked before anybody is kept waiting.
        let part = counted::of(part);
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.add(&part);
    }

    /// The exposition, in OpenMetrics or in Prometheus's own older form.
    pub fn text(&self, open_metrics: bool) -> String {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let registry = text::registry(&counted, self.interval, &self.polls.read(), &cost::read());
        drop(counted);
        match open_metrics {
            true => text::open_metrics(&registry),
            false => text::classic(&text::open_metrics(&registry)),
        }
    }
}

/// Hands the parts of a run to the metrics.
pub(super) struct MeterFollower {
    pub(super) meter: Arc<Meter>,
    /// Until the run ends.
    pub(super) server: Option<Arc<Server>>,
}

impl Follower for MeterFollower {
    fn name(&self) -> String {
        "--metrics".to_owned()
    }

    fn part(&mut self, part: &Part) -> anyhow::Result<()> {
        self.meter.add(part);
        Ok(())
    }

    fn finish(&mut self, _whole: &Part) -> anyhow::Result<()> {
        self.server = None;
        Ok(())
    }
}

pub(super) fn routes(meter: Arc<Meter>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(meter)
}

async fn metrics(State(meter): State<Arc<Meter>>, headers: HeaderMap) -> Response {
    let accepted = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let open_metrics = accepted.is_some_and(|text| text.contains("application/openmetrics-text"));
    let kind = match open_metrics {
        true => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        false => "text/plain; version=0.0.4; charset=utf-8",
    };
    match tokio::task::spawn_blocking(move || meter.text(open_metrics)).await {
        Ok(text) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
