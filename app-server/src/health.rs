//! What must work for requests to be served.

use std::sync::Arc;
use std::time::Duration;

use adapters_http::HealthCheck;
use adapters_postgres::{Database, Purpose};
use adapters_redis::Redis;
use adapters_redpanda::RedpandaBus;
use async_trait::async_trait;
use ticketing_ports::event_store::EventStore;
use ticketing_ports::followers::FollowerStore;
use ticketing_ports::read_models::ProjectionStore;
use ticketing_ports::streams::Position;
use ticketing_runtime::relay;

/// Above so many facts behind the log, lists and counts are too old to serve.
const MAX_LAG: u64 = 1_000;

/// How long a broker may take.
const PATIENCE: Duration = Duration::from_secs(2);

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

/// The read models follow the log, and no other one.
pub struct ProjectionCheck {
    pub events: Arc<dyn EventStore>,
    pub projections: Arc<dyn ProjectionStore>,
}

#[async_trait]
impl HealthCheck for ProjectionCheck {
    fn name(&self) -> &'static str {
        "projections"
    }

    async fn check(&self) -> Result<(), &'static str> {
        const NO_LOG: &str = "the event store does not answer";
        let log = self.events.identity().await.map_err(|_| NO_LOG)?;
        let head = self.events.head().await.map_err(|_| NO_LOG)?;
        let rows = self.projections.checkpoint().await;
        let rows = rows.map_err(|_| "the read models do not answer")?;
        if !rows.is_of_no_log() && rows.log != log.log {
            return Err("the read models are those of another log");
        }
        if !rows.is_of_no_log() && !rows.is_start() {
            let commit = self.events.commit_at(rows.position).await.map_err(|_| NO_LOG)?;
            if commit != Some(rows.commit) {
                return Err("the log has lost facts that the read models were made of");
            }
        }
        if head.0.saturating_sub(rows.position.0) > MAX_LAG {
            Err("the read models lag behind the log")
        } else {
            Ok(())
        }
    }
}

/// A PostgreSQL database answers.
#[derive(Debug)]
pub struct DatabaseCheck(pub Database);

#[async_trait]
impl HealthCheck for DatabaseCheck {
    fn name(&self) -> &'static str {
        match self.0.purpose() {
            Purpose::Events => "database_events",
            Purpose::Projections => "database_projections",
            Purpose::Analytics => "database_analytics",
            Purpose::Auth => "database_auth",
        }
    }

    async fn check(&self) -> Result<(), &'static str> {
        self.0.ping().await.map_err(|_| "the database does not answer")
    }

    /// What organisers look up later can wait.
    fn is_essential(&self) -> bool {
        self.0.purpose() != Purpose::Analytics
    }
}

/// Redis answers.
#[derive(Debug)]
pub struct RedisCheck(pub Redis);

#[async_trait]
impl HealthCheck for RedisCheck {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn check(&self) -> Result<(), &'static str> {
        self.0.ping().await.map(drop).map_err(|_| "Redis does not answer")
    }
}

/// A broker answers. Sales go on without one; only what follows the log waits.
#[derive(Debug)]
pub struct BusCheck(pub Arc<RedpandaBus>);

#[async_trait]
impl HealthCheck for BusCheck {
    fn name(&self) -> &'static str {
        "event_bus"
    }

    async fn check(&self) -> Result<(), &'static str> {
        self.0.ping(PATIENCE).await.map_err(|_| "no broker answers")
    }

    fn is_essential(&self) -> bool {
        false
    }
}

/// The bus gets what the log has.
pub struct RelayCheck {
    pub events: Arc<dyn EventStore>,
    pub followers: Arc<dyn FollowerStore>,
}

#[async_trait]
impl HealthCheck for RelayCheck {
    fn name(&self) -> &'static str {
        "relay"
    }

    async fn check(&self) -> Result<(), &'static str> {
        let head = self
            .events
            .head()
            .await
            .map_err(|_| "the event store does not answer")?;
        let log = self.events.identity().await;
        let log = log.map_err(|_| "the event store does not answer")?.log;
        let relayed = self.followers.mark(relay(log)).await;
        let relayed = relayed.map_err(|_| "the position of the relay cannot be read")?;
        let relayed = relayed.map_or(Position::START, |mark| mark.position);
        if head.0.saturating_sub(relayed.0) > MAX_LAG {
            Err("the relay lags behind the log")
        } else {
            Ok(())
        }
    }

    /// The projector reads from the log what the bus does not bring.
    fn is_essential(&self) -> bool {
        false
    }
}

impl std::fmt::Debug for RelayCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RelayCheck")
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
