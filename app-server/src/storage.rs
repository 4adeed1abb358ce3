//! Where things are kept, opened as the settings name it.

use std::sync::Arc;

use adapters_http::HealthCheck;
use adapters_memory::{
    InMemory, InMemoryDeadLetterStore, InMemoryEventStore, InMemoryFollowerStore, InMemoryReadModels,
};
use adapters_postgres::{
    Database, DatabaseOptions, PostgresEventStore, PostgresReadModels, PostgresUserStore, Purpose,
};
use adapters_redis::{Redis, RedisOptions};
use adapters_redpanda::{BusOptions, RedpandaBus};
use adapters_sqlite::SqliteStore;
use anyhow::Context as _;
use ticketing_ports::log::dead_letters::DeadLetterStore;
use ticketing_ports::log::deadlines::DeadlineStore;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::followers::FollowerStore;
use ticketing_ports::log::idempotency::IdempotencyStore;
use ticketing_ports::log::snapshots::SnapshotStore;
use ticketing_ports::people::stores::{AccountStores, SignInStores};
use ticketing_ports::read_models::availability::AvailabilityQueries;
use ticketing_ports::read_models::events::EventQueries;
use ticketing_ports::read_models::payments::PaymentQueries;
use ticketing_ports::read_models::reservations::ReservationQueries;
use ticketing_ports::read_models::sales::SalesQueries;
use ticketing_ports::read_models::store::ProjectionStore;

use crate::config::{PostgresUrl, ServiceSettings, Settings, StorageSettings, StorageUrl};
use crate::health::{BusCheck, DatabaseCheck, RedisCheck};

/// What is kept: the log with what is committed beside it, the users, and what is on its way to them.
#[derive(Clone)]
pub struct Storage {
    pub events: Arc<dyn EventStore>,
    pub snapshots: Arc<dyn SnapshotStore>,
    pub deadlines: Arc<dyn DeadlineStore>,
    pub idempotency: Arc<dyn IdempotencyStore>,
    pub accounts: AccountStores,
    pub sign_in: SignInStores,
    /// Nothing when every process follows the log for itself.
    followers: Option<Arc<dyn FollowerStore>>,
    file: Option<SqliteStore>,
    databases: Vec<Database>,
    redis: Option<Redis>,
}

/// The read models and what keeps them up to date.
pub struct ReadSide {
    pub projections: Arc<dyn ProjectionStore>,
    pub dead_letters: Arc<dyn DeadLetterStore>,
    pub events: Arc<dyn EventQueries>,
    pub availability: Arc<dyn AvailabilityQueries>,
    pub reservations: Arc<dyn ReservationQueries>,
    pub payments: Arc<dyn PaymentQueries>,
    pub sales: Arc<dyn SalesQueries>,
    /// Filled from the log at every start.
    pub in_memory: bool,
    database: Option<Database>,
}

/// What those who follow the log share, and what carries facts to those who only read.
pub struct Bus {
    /// Nothing when the log serves everybody.
    pub ends: Option<ticketing_runtime::Bus>,
    pub followers: Arc<dyn FollowerStore>,
    pub health: Option<Arc<dyn HealthCheck>>,
}

macro_rules! opaque_debug {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
opaque_debug!(Storage, ReadSide, Bus);

impl Storage {
    /// # Errors
    /// When something cannot be reached or used, with a reason for an operator.
    pub async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let storage = &settings.storage;
        let mut opened = match &storage.events {
            StorageUrl::Sqlite(path) => {
                let file = SqliteStore::open(path).await?;
                let shared = Arc::new(file.clone());
                Self {
                    events: shared.clone(),
                    snapshots: shared.clone(),
                    deadlines: shared.clone(),
                    idempotency: shared.clone(),
                    accounts: AccountStores::of(shared.clone()),
                    sign_in: SignInStores {
                        tokens: shared,
                        ..InMemory::sign_in()
                    },
                    file: Some(file),
                    ..Self::in_memory()
                }
            }
            StorageUrl::Postgres(url) => {
                let database = open(Purpose::Events, url, storage).await?;
                let store = Arc::new(PostgresEventStore::new(&database));
                Self {
                    events: store.clone(),
                    snapshots: store.clone(),
                    deadlines: store.clone(),
                    idempotency: store.clone(),
                    followers: Some(store),
                    databases: vec![database],
                    ..Self::in_memory()
                }
            }
            StorageUrl::Memory => {
                let opened = Self::in_memory();
                // Nobody but this process can read it.
                ticketing_runtime::finish_update(opened.events.as_ref()).await?;
                opened
            }
        };
        ticketing_runtime::check_schema_floor(opened.events.as_ref()).await?;
        if let Some(url) = &storage.auth {
            let database = open(Purpose::Auth, url, storage).await?;
            opened.accounts = AccountStores::of(Arc::new(PostgresUserStore::new(&database)));
            opened.databases.push(database);
        }
        if let Some(url) = &storage.analytics {
            opened.databases.push(open(Purpose::Analytics, url, storage).await?);
        }
        if let Some(redis) = connect_to_redis(&settings.services).await? {
            opened.sign_in = redis.sign_in_stores();
            opened.redis = Some(redis);
        }
        Ok(opened)
    }

    fn in_memory() -> Self {
        let log = Arc::new(InMemoryEventStore::new());
        Self {
            events: log.clone(),
            snapshots: log.clone(),
            deadlines: log.clone(),
            idempotency: log,
            accounts: InMemory::accounts(),
            sign_in: InMemory::sign_in(),
            followers: None,
            file: None,
            databases: Vec::new(),
            redis: None,
        }
    }

    pub fn health(&self) -> Vec<Arc<dyn HealthCheck>> {
        let databases = self.databases.iter().cloned().map(|database| {
            let check: Arc<dyn HealthCheck> = Arc::new(DatabaseCheck(database));
            check
        });
        let redis = self.redis.iter().cloned().map(|redis| {
            let check: Arc<dyn HealthCheck> = Arc::new(RedisCheck(redis));
            check
        });
        databases.chain(redis).collect()
    }

    /// Finishes what is being written and gives everything back.
    pub async fn close(&self) {
        if let Some(file) = &self.file {
            file.close().await;
        }
        for database in &self.databases {
            database.close().await;
        }
    }
}

impl ReadSide {
    /// # Errors
    /// When the database cannot be reached or used.
    pub async fn open(settings: &StorageSettings) -> anyhow::Result<Self> {
        let Some(url) = &settings.projections else {
            let models = Arc::new(InMemoryReadModels::new());
            return Ok(Self {
                projections: models.clone(),
                dead_letters: Arc::new(InMemoryDeadLetterStore::new()),
                events: models.clone(),
                availability: models.clone(),
                reservations: models.clone(),
                payments: models.clone(),
                sales: models,
                in_memory: true,
                database: None,
            });
        };
        let database = open(Purpose::Projections, url, settings).await?;
        let models = Arc::new(PostgresReadModels::new(&database));
        Ok(Self {
            projections: models.clone(),
            dead_letters: models.clone(),
            events: models.clone(),
            availability: models.clone(),
            reservations: models.clone(),
            payments: models.clone(),
            sales: models,
            in_memory: false,
            database: Some(database),
        })
    }

    pub fn health(&self) -> Option<Arc<dyn HealthCheck>> {
        let database = self.database.clone()?;
        Some(Arc::new(DatabaseCheck(database)))
    }

    pub async fn close(&self) {
        if let Some(database) = &self.database {
            database.close().await;
        }
    }
}

impl Bus {
    /// # Errors
    /// When the brokers cannot be reached.
    pub async fn open(settings: &ServiceSettings, storage: &Storage) -> anyhow::Result<Self> {
        let followers: Arc<dyn FollowerStore> = match &storage.followers {
            Some(shared) => shared.clone(),
            // One process alone: what its log had before, it publishes again at every start.
            None => Arc::new(InMemoryFollowerStore::new()),
        };
        let Some(brokers) = &settings.brokers else {
            return Ok(Self {
                ends: None,
                followers,
                health: None,
            });
        };
        let options = BusOptions {
            prefix: settings.redpanda_topic_prefix.clone(),
            partitions: settings.redpanda_partitions,
            ..BusOptions::default()
        };
        let bus = Arc::new(
            RedpandaBus::connect(brokers, options)
                .await
                .context("--redpanda-brokers (REDPANDA_BROKERS)")?,
        );
        let ends = ticketing_runtime::Bus {
            publisher: bus.clone(),
            subscriber: bus.clone(),
        };
        Ok(Self {
            ends: Some(ends),
            followers,
            health: Some(Arc::new(BusCheck(bus))),
        })
    }
}

/// Every PostgreSQL database that the settings name.
pub fn named_databases(settings: &StorageSettings) -> Vec<(Purpose, &PostgresUrl)> {
    let events = match &settings.events {
        StorageUrl::Postgres(url) => Some(url),
        StorageUrl::Sqlite(_) | StorageUrl::Memory => None,
    };
    [
        (Purpose::Events, events),
        (Purpose::Projections, settings.projections.as_ref()),
        (Purpose::Analytics, settings.analytics.as_ref()),
        (Purpose::Auth, settings.auth.as_ref()),
    ]
    .into_iter()
    .filter_map(|(purpose, url)| Some((purpose, url?)))
    .collect()
}

pub async fn connect(purpose: Purpose, url: &PostgresUrl, settings: &StorageSettings) -> anyhow::Result<Database> {
    let max_connections = match purpose {
        Purpose::Events => settings.database_pool_events,
        Purpose::Projections => settings.database_pool_projections,
        Purpose::Analytics => settings.database_pool_analytics,
        Purpose::Auth => settings.database_pool_auth,
    };
    let options = DatabaseOptions {
        max_connections,
        ..DatabaseOptions::default()
    };
    Ok(Database::connect(purpose, url.expose(), &options).await?)
}

async fn open(purpose: Purpose, url: &PostgresUrl, settings: &StorageSettings) -> anyhow::Result<Database> {
    let database = connect(purpose, url, settings).await?;
    database.check_schema().await?;
    Ok(database)
}

async fn connect_to_redis(settings: &ServiceSettings) -> anyhow::Result<Option<Redis>> {
    let Some(url) = &settings.redis else {
        return Ok(None);
    };
    let options = RedisOptions {
        prefix: settings.redis_key_prefix.clone(),
        ..RedisOptions::default()
    };
    let redis = Redis::connect(url.expose(), options)
        .await
        .context("--redis-url (REDIS_URL)")?;
    Ok(Some(redis))
}
