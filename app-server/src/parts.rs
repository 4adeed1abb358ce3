//! The adapters that the settings name, and the engine on top of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters_external::{ConsoleMailer, SandboxGateway, SystemClock, SystemEntropy, SystemIds};
use adapters_http::{HealthCheck, HttpConfig, HttpState};
use adapters_memory::{
    InMemoryDeadLetterStore, InMemoryEventStore, InMemoryFollowerStore, InMemoryOneTimeTokenStore, InMemoryReadModels,
    InMemorySessionStore, InMemoryUserStore, InProcessBus,
};
use adapters_sqlite::SqliteStore;
use anyhow::Context as _;
use ticketing_ports::deadlines::DeadlineStore;
use ticketing_ports::event_store::EventStore;
use ticketing_ports::idempotency::IdempotencyStore;
use ticketing_ports::one_time_tokens::OneTimeTokenStore;
use ticketing_ports::users::UserStore;
use ticketing_runtime::{
    BoxOffice, Engine, EngineConfig, Ports, ProjectionPorts, Reads, SignIn, SignInConfig, SignInPorts,
};
use tracing::info;

use crate::config::{Settings, StorageUrl};
use crate::health::{EventStoreCheck, ProjectionCheck};

/// What is kept: the log with what is committed beside it, the users, and links that are on their way to them.
#[derive(Clone)]
pub struct Storage {
    pub events: Arc<dyn EventStore>,
    pub deadlines: Arc<dyn DeadlineStore>,
    pub idempotency: Arc<dyn IdempotencyStore>,
    pub users: Arc<dyn UserStore>,
    pub tokens: Arc<dyn OneTimeTokenStore>,
    file: Option<SqliteStore>,
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Storage {
    /// # Errors
    /// When the file cannot be used, with a reason for an operator.
    pub async fn open(url: &StorageUrl) -> anyhow::Result<Self> {
        match url {
            StorageUrl::Sqlite(path) => {
                let file = SqliteStore::open(path).await?;
                let shared = Arc::new(file.clone());
                Ok(Self {
                    events: shared.clone(),
                    deadlines: shared.clone(),
                    idempotency: shared.clone(),
                    users: shared.clone(),
                    tokens: shared,
                    file: Some(file),
                })
            }
            StorageUrl::Memory => {
                let log = Arc::new(InMemoryEventStore::new());
                Ok(Self {
                    events: log.clone(),
                    deadlines: log.clone(),
                    idempotency: log,
                    users: Arc::new(InMemoryUserStore::new()),
                    tokens: Arc::new(InMemoryOneTimeTokenStore::new()),
                    file: None,
                })
            }
        }
    }

    /// Finishes what is being written and gives the file back.
    pub async fn close(&self) {
        if let Some(file) = &self.file {
            file.close().await;
        }
    }
}

/// Everything that runs in this process.
#[derive(Debug)]
pub struct Parts {
    pub storage: Storage,
    pub engine: Engine,
    pub http: HttpState,
}

impl Parts {
    /// Starts the engine and waits until the read models have caught up with the log.
    ///
    /// # Errors
    /// When the storage cannot be used.
    pub async fn start(settings: &Settings, public_url: &str) -> anyhow::Result<Self> {
        let storage = Storage::open(&settings.storage.events).await?;
        let clock = Arc::new(SystemClock::new());
        let ids = Arc::new(SystemIds::new());
        let gateway = SandboxGateway::new(clock.clone()).with_latency(settings.sandbox.sandbox_latency);
        let read_models = Arc::new(InMemoryReadModels::new());
        let bus = Arc::new(InProcessBus::new());
        let ports = Ports {
            events: storage.events.clone(),
            deadlines: storage.deadlines.clone(),
            idempotency: storage.idempotency.clone(),
            gateway: Arc::new(gateway),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let projection = ProjectionPorts {
            projections: read_models.clone(),
            dead_letters: Arc::new(InMemoryDeadLetterStore::new()),
            followers: Arc::new(InMemoryFollowerStore::new()),
            publisher: bus.clone(),
            subscriber: bus,
        };
        let engine = Engine::start(ports, projection, engine_config(settings));
        let reads = Reads {
            events: read_models.clone(),
            availability: read_models.clone(),
            reservations: read_models.clone(),
            payments: read_models.clone(),
            sales: read_models.clone(),
            projections: read_models,
            projected: engine.projected(),
        };
        catch_up(&storage, &reads).await?;
        let health: Vec<Arc<dyn HealthCheck>> = vec![
            Arc::new(EventStoreCheck(storage.events.clone())),
            Arc::new(ProjectionCheck {
                events: storage.events.clone(),
                projected: engine.projected(),
            }),
        ];
        let http = HttpState {
            box_office: engine.box_office(),
            reads,
            sign_in: sign_in(&storage, public_url),
            users: storage.users.clone(),
            health,
            clock,
            ids,
            config: HttpConfig {
                request_timeout: settings.http.request_timeout,
                ..HttpConfig::default()
            },
        };
        Ok(Self { storage, engine, http })
    }

    pub fn box_office(&self) -> &BoxOffice {
        &self.http.box_office
    }

    /// Finishes what was accepted and closes the storage. Returns whether all of it was done within `patience`.
    pub async fn stop(self, patience: Duration) -> bool {
        let began = Instant::now();
        let drained = self.engine.shut_down(patience).await;
        let left = patience.saturating_sub(began.elapsed());
        let mailed = tokio::time::timeout(left, self.http.sign_in.mails_delivered())
            .await
            .is_ok();
        self.storage.close().await;
        drained && mailed
    }
}

pub fn sign_in(storage: &Storage, public_url: &str) -> SignIn {
    let ports = SignInPorts {
        users: storage.users.clone(),
        sessions: Arc::new(InMemorySessionStore::new()),
        tokens: storage.tokens.clone(),
        mailer: Arc::new(ConsoleMailer::stdout()),
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(SystemEntropy),
        ids: Arc::new(SystemIds::new()),
    };
    SignIn::new(
        ports,
        SignInConfig {
            public_url: public_url.to_owned(),
        },
    )
}

fn engine_config(settings: &Settings) -> EngineConfig {
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    EngineConfig {
        mailbox: count(settings.engine.lane_mailbox),
        lane_idle: settings.engine.lane_idle,
        max_lanes: count(settings.engine.max_lanes),
        idempotency_retention: settings.storage.idempotency,
        ..EngineConfig::default()
    }
}

/// Waits for the read models, which are rebuilt from the log at every start, and says how far they are.
async fn catch_up(storage: &Storage, reads: &Reads) -> anyhow::Result<()> {
    let head = storage.events.head().await.context("the event store cannot be read")?;
    let mut projected = reads.projected.clone();
    loop {
        let caught_up = projected.wait_for(|position| *position >= head);
        match tokio::time::timeout(Duration::from_secs(1), caught_up).await {
            Ok(reached) => {
                let position = *reached.context("the projector has stopped")?;
                info!(%position, "the read models are up to date");
                return Ok(());
            }
            Err(_) => {
                let position = *reads.projected.borrow();
                info!(%position, %head, "reading the log into the read models");
            }
        }
    }
}
