//! The health checks of a server.

mod commits;

use std::sync::Arc;
use std::time::Duration;

use adapters_external::SystemClock;
use adapters_http::{Finding, FollowerFinding, HealthCheck};
use adapters_postgres::{Database, DatabaseError, Purpose};
use adapters_redis::Redis;
use adapters_redpanda::RedpandaBus;
use adapters_sqlite::SqliteStore;
use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::log::dead_letters::DeadLetterStore;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::followers::FollowerStore;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::read_models::store::ProjectionStore;
use ticketing_runtime::{FollowerCondition, FollowerProgress, Lag, READ_MODELS, relay_id};
use tokio::sync::OnceCell;

pub use commits::{CommitCheck, LastCommit};

/// At most how many facts the read models may be behind the log. If they are further behind, the lists and counts
/// made from them are too old to serve.
const MAX_LAG: u64 = 1_000;
/// At most how old the oldest fact may be that the read models or the relay have not processed yet. If a process
/// dies, another needs less time than this to take over its work.
const MAX_AGE: Duration = Duration::from_secs(30);
const NO_LOG: &str = "the log does not answer";

/// The health check of the bus waits this long for an answer from a broker.
const PATIENCE: Duration = Duration::from_secs(1);

/// Checks that the log can be read.
pub struct EventStoreCheck(pub Arc<dyn EventStore>);

#[async_trait]
impl HealthCheck for EventStoreCheck {
    fn name(&self) -> &'static str {
        "event_store"
    }

    async fn check(&self) -> Finding {
        self.0.head().await.map(drop).map_err(|_| NO_LOG).into()
    }
}

/// Checks that the read models follow this log and are not too far behind.
pub struct ProjectionCheck {
    pub events: Arc<dyn EventStore>,
    pub projections: Arc<dyn ProjectionStore>,
    pub clock: Arc<dyn Clock>,
    /// How far the follower in this process is. `None` if another process keeps the read models up to date.
    pub progress: Option<FollowerProgress>,
}

#[async_trait]
impl HealthCheck for ProjectionCheck {
    fn name(&self) -> &'static str {
        "projections"
    }

    async fn check(&self) -> Finding {
        let rows = async {
            let rows = self.projections.checkpoint().await;
            let rows = rows.map_err(|_| "the read models do not answer")?;
            self.are_of_this_log(rows).await?;
            Ok(rows.position)
        };
        followed(
            self.events.as_ref(),
            self.clock.now(),
            self.progress.as_ref(),
            rows.await,
            "the read models lag behind the log",
        )
        .await
    }
}

impl ProjectionCheck {
    async fn are_of_this_log(&self, rows: Mark) -> Result<(), &'static str> {
        if rows.is_of_no_log() {
            return Ok(());
        }
        let log = self.events.identity().await.map_err(|_| NO_LOG)?;
        if rows.log != log.log {
            return Err("the read models were made from another log");
        }
        if rows.is_start() {
            return Ok(());
        }
        let commit = self.events.commit_at(rows.position).await.map_err(|_| NO_LOG)?;
        if commit == Some(rows.commit) {
            Ok(())
        } else {
            Err("the log has lost facts that the read models were made of")
        }
    }
}

/// Returns the finding about a follower of the log that has applied every fact up to the position `reached`.
async fn followed(
    log: &dyn EventStore,
    now: Timestamp,
    progress: Option<&FollowerProgress>,
    reached: Result<Position, &'static str>,
    lags: &'static str,
) -> Finding {
    let condition = progress.map(|progress| progress.condition.borrow().clone());
    let lag = match reached {
        Ok(position) => Lag::of(log, now, position).await.map_err(|_| NO_LOG),
        Err(fault) => Err(fault),
    };
    let fault = match (&lag, &condition) {
        (Err(fault), _) => Some(*fault),
        (Ok(_), Some(FollowerCondition::Stopped(_))) => {
            Some("the follower has stopped and needs an operator; the server's log says why")
        }
        (Ok(lag), _) if lag.facts > MAX_LAG || lag.age > MAX_AGE => Some(lags),
        (Ok(_), _) => None,
    };
    let follower = FollowerFinding {
        condition: condition.map(|condition| condition.as_str()),
        lag: lag.ok().map(|lag| (lag.facts, lag.age)),
    };
    Finding {
        fault,
        follower: Some(follower),
    }
}

/// Checks that the read models could apply every fact.
pub struct DeadLetterCheck(pub Arc<dyn DeadLetterStore>);

#[async_trait]
impl HealthCheck for DeadLetterCheck {
    fn name(&self) -> &'static str {
        "dead_letters"
    }

    async fn check(&self) -> Finding {
        match self.0.letters(READ_MODELS, Position::START, 1).await {
            Ok(letters) if letters.is_empty() => Finding::default(),
            Ok(_) => Err("some facts could not be applied; `app-server dead-letters list` shows them").into(),
            Err(_) => Err("the dead letters cannot be read").into(),
        }
    }

    /// Requests can be served even if there are dead letters: a fact that could not be applied leaves only the rows
    /// of its own stream out of date.
    fn is_essential(&self) -> bool {
        false
    }
}

/// Checks that nobody has set the machine's clock back while this process ran.
#[derive(Debug)]
pub struct ClockCheck(pub Arc<SystemClock>);

#[async_trait]
impl HealthCheck for ClockCheck {
    fn name(&self) -> &'static str {
        "clock"
    }

    async fn check(&self) -> Finding {
        match self.0.ahead_of_the_machine() {
            None => Finding::default(),
            Some(_) => Err("the machine's clock was set back, and this process is ahead of it; restart this process when no seats are held").into(),
        }
    }

    /// Requests can be served even if the machine's clock was set back, because this process ignores that and goes on
    /// counting from its own, later time.
    fn is_essential(&self) -> bool {
        false
    }
}

/// Checks that a PostgreSQL database answers, and that its schema is the one that this version needs.
#[derive(Debug)]
pub struct DatabaseCheck {
    database: Database,
    /// Set once the schema was checked.
    schema_fits: OnceCell<()>,
}

impl DatabaseCheck {
    pub fn new(database: Database) -> Self {
        Self {
            database,
            schema_fits: OnceCell::new(),
        }
    }
}

#[async_trait]
impl HealthCheck for DatabaseCheck {
    fn name(&self) -> &'static str {
        match self.database.purpose() {
            Purpose::Events => "database_events",
            Purpose::Projections => "database_projections",
            Purpose::Analytics => "database_analytics",
            Purpose::Auth => "database_auth",
        }
    }

    async fn check(&self) -> Finding {
        let unreachable = "the database does not answer";
        let checked = self.schema_fits.get_or_try_init(|| self.database.check_schema()).await;
        if let Err(error) = checked {
            return Err(match error {
                DatabaseError::OldSchema(_) => {
                    "the database has an older schema than this server needs: run `app-server migrate`"
                }
                DatabaseError::NewerSchema(_) => {
                    "the database has a newer schema than this server knows: run a newer server"
                }
                _ => unreachable,
            })
            .into();
        }
        self.database.ping().await.map_err(|_| unreachable).into()
    }

    /// Requests need every database except the one for analytics.
    fn is_essential(&self) -> bool {
        self.database.purpose() != Purpose::Analytics
    }
}

/// Checks that the file with the log is still at its path, and can be read.
#[derive(Debug)]
pub struct FileCheck(pub SqliteStore);

#[async_trait]
impl HealthCheck for FileCheck {
    fn name(&self) -> &'static str {
        "file"
    }

    async fn check(&self) -> Finding {
        let fault = "the database file cannot be read, or was removed, moved or replaced";
        self.0.ping().await.map_err(|_| fault).into()
    }
}

/// Checks that Redis answers.
#[derive(Debug)]
pub struct RedisCheck(pub Redis);

#[async_trait]
impl HealthCheck for RedisCheck {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn check(&self) -> Finding {
        let answer = self.0.ping().await.map(drop);
        answer.map_err(|_| "Redis does not answer").into()
    }
}

/// Checks that a broker of the bus answers. Sales go on without a broker; only the followers that read from the bus
/// wait.
#[derive(Debug)]
pub struct BusCheck(pub Arc<RedpandaBus>);

#[async_trait]
impl HealthCheck for BusCheck {
    fn name(&self) -> &'static str {
        "event_bus"
    }

    async fn check(&self) -> Finding {
        self.0.ping(PATIENCE).await.map_err(|_| "no broker answers").into()
    }

    fn is_essential(&self) -> bool {
        false
    }
}

/// Checks that the relay is not too far behind the log.
pub struct RelayCheck {
    pub events: Arc<dyn EventStore>,
    pub followers: Arc<dyn FollowerStore>,
    pub clock: Arc<dyn Clock>,
    /// How far the relay in this process is. `None` if another process publishes the log.
    pub progress: Option<FollowerProgress>,
}

#[async_trait]
impl HealthCheck for RelayCheck {
    fn name(&self) -> &'static str {
        "relay"
    }

    async fn check(&self) -> Finding {
        let relayed = async {
            let log = self.events.identity().await.map_err(|_| NO_LOG)?.log;
            let relayed = self.followers.mark(relay_id(log)).await;
            let relayed = relayed.map_err(|_| "the position of the relay cannot be read")?;
            Ok(relayed.map_or(Position::START, |mark| mark.position))
        };
        followed(
            self.events.as_ref(),
            self.clock.now(),
            self.progress.as_ref(),
            relayed.await,
            "the relay lags behind the log",
        )
        .await
    }

    /// Requests can be served without the relay: the read models read the facts from the log if the bus does not
    /// bring them.
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

impl std::fmt::Debug for DeadLetterCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeadLetterCheck")
    }
}
