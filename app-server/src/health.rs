//! What must work for requests to be served.

use std::sync::Arc;

use adapters_http::HealthCheck;
use async_trait::async_trait;
use ticketing_ports::event_store::EventStore;
use ticketing_ports::streams::Position;
use tokio::sync::watch;

/// Above so many facts behind the log, lists and counts are too old to serve.
const MAX_LAG: u64 = 1_000;

/// The log can be read.
pub struct EventStoreCheck(pub Arc<dyn EventStore>);

#[async_trait]
impl HealthCheck for EventStoreCheck {
    fn name(&self) -> &'static str {
        "event_store"
    }

    async fn check(&self) -> Result<(), &'static str> {
        self.0
            .head()
            .await
            .map(drop)
            .map_err(|_| "the event store does not answer")
    }
}

/// The read models follow the log.
pub struct ProjectionCheck {
    pub events: Arc<dyn EventStore>,
    pub projected: watch::Receiver<Position>,
}

#[async_trait]
impl HealthCheck for ProjectionCheck {
    fn name(&self) -> &'static str {
        "projections"
    }

    async fn check(&self) -> Result<(), &'static str> {
        let head = self
            .events
            .head()
            .await
            .map_err(|_| "the event store does not answer")?;
        let projected = *self.projected.borrow();
        if head.0.saturating_sub(projected.0) > MAX_LAG {
            Err("the read models lag behind the log")
        } else {
            Ok(())
        }
    }
}

impl std::fmt::Debug for EventStoreCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventStoreCheck")
    }
}

impl std::fmt::Debug for ProjectionCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProjectionCheck")
    }
}
