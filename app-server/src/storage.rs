//! Opens the storage that the settings name.

use std::sync::Arc;
use std::time::Duration;

use adapters_http::HealthCheck;
use adapters_memory::{InMemory, InMemoryFollowerStore};
use adapters_metrics::Durations;
use adapters_postgres::{
    Database, DatabaseOptions, PostgresEventStore, PostgresReadModels, PostgresUserStore, Purpose,
};
use adapters_redis::{Redis, RedisOptions};
use adapters_redpanda::{BusOptions, RedpandaBus};
use adapters_sqlite::SqliteStore;
use anyhow::Context as _;
use ticketing_ports::log::followers::FollowerStore;
use ticketing_ports::log::stores::LogStores;
use ticketing_ports::people::stores::{AccountStores, SignInStores};
use ticketing_ports::read_models::stores::ReadModelStores;
use tracing::warn;

use crate::config::{PostgresUrl, ServiceSettings, Settings, StorageSettings, StorageUrl};
use crate::health::{BusCheck, DatabaseCheck, FileCheck, RedisCheck};

/// How long a server waits at its start for a service that it can start without.
const PATIENCE: Duration = Duration::from_secs(1);

/// What to do about a service that does not answer at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfDown {
    /// The command fails, because it does one thing and ends.
    Fail,
    /// The server starts. Requests that need the service fail until it answers, and `/health/ready` names it.
    StartWithout,
}

/// The stores of the write side (facts and deadlines) and of people (users, passkeys and sessions).
#[derive(Clone)]
pub struct Storage {
    pub log: LogStores,
    pub accounts: AccountStores,
    pub sign_in: SignInStores,
    /// Where followers of the log keep their leases and positions. `None` if only this process can use the log, so
    /// that nothing has to be shared.
    followers: Option<Arc<dyn FollowerStore>>,
    file: Option<SqliteStore>,
    databases: Vec<Database>,
    redis: Option<Redis>,
}

/// The stores of the read models.
pub struct ReadSide {
    pub stores: ReadModelStores,
    /// Whether the read models are in the memory of this process, which makes them anew from the log at every start.
    pub in_memory: bool,
    database: Option<Database>,
}

/// The bus, and the store in which the followers that use the bus keep their leases and positions.
pub struct Bus {
    /// The publishing and the reading end of the bus. `None` if the settings name no bus: then every process reads
    /// the log itself.
    pub ends: Option<ticketing_runtime::Bus>,
    pub followers: Arc<dyn FollowerStore>,
    pub health: Option<Arc<dyn HealthCheck>>,
    /// The brokers of the bus, of which metrics are read.
    pub brokers: Option<Arc<RedpandaBus>>,
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
    /// Opens the stores of the write side and of people that the settings name. The log has to answer; `if_down` says
    /// what to do if another service does not.
    ///
    /// # Errors
    /// When something cannot be reached or used, with a reason for an operator.
    pub async fn open(settings: &Settings, if_down: IfDown) -> anyhow::Result<Self> {
        let storage = &settings.storage;
        let mut opened = match &storage.events {
            StorageUrl::Sqlite(path) => {
                let file = SqliteStore::open(path).await?;
                let shared = Arc::new(file.clone());
                Self {
                    log: LogStores::of(shared.clone()),
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
                let database = open(Purpose::Events, url, storage, IfDown::Fail).await?;
                let store = Arc::new(PostgresEventStore::new(&database));
                Self {
                    log: LogStores::of(store.clone()),
                    followers: Some(store),
                    databases: vec![database],
                    ..Self::in_memory()
                }
            }
            StorageUrl::Memory => {
                let opened = Self::in_memory();
                // No older build can read a log in the memory of this process, so the newest facts may be written at
                // once.
                ticketing_runtime::finish_update(opened.log.events.as_ref()).await?;
                opened
            }
        };
        ticketing_runtime::check_schema_floor(opened.log.events.as_ref()).await?;
        if let Some(url) = &storage.auth {
            let database = open(Purpose::Auth, url, storage, if_down).await?;
            opened.accounts = AccountStores::of(Arc::new(PostgresUserStore::new(&database)));
            opened.databases.push(database);
        }
        if let Some(url) = &storage.analytics {
            let database = open(Purpose::Analytics, url, storage, if_down).await?;
            opened.databases.push(database);
        }
        if let Some(redis) = connect_to_redis(&settings.services, if_down).await? {
            opened.sign_in = redis.sign_in_stores();
            opened.redis = Some(redis);
        }
        Ok(opened)
    }

    fn in_memory() -> Self {
        Self {
            log: InMemory::log(),
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
            let check: Arc<dyn HealthCheck> = Arc::new(DatabaseCheck::new(database));
            check
        });
        let file = self.file.iter().cloned().map(|file| {
            let check: Arc<dyn HealthCheck> = Arc::new(FileCheck(file));
            check
        });
        let redis = self.redis.iter().cloned().map(|redis| {
            let check: Arc<dyn HealthCheck> = Arc::new(RedisCheck(redis));
            check
        });
        databases.chain(file).chain(redis).collect()
    }

    /// Measures the calls to the stores of the log and of accounts.
    #[must_use]
    pub fn measured_by(self, log: &Durations, accounts: &Durations) -> Self {
        Self {
            log: log.log(self.log),
            followers: self.followers.map(|followers| log.followers(followers)),
            accounts: accounts.accounts(self.accounts),
            ..self
        }
    }

    pub fn databases(&self) -> &[Database] {
        &self.databases
    }

    pub fn redis(&self) -> Option<&Redis> {
        self.redis.as_ref()
    }

    /// Finishes writes that are running, and closes files and connections.
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
    /// Opens the stores of the read models: in the database of the settings, or else in memory.
    ///
    /// # Errors
    /// When the database cannot be used, or cannot be reached and `if_down` says that it must.
    pub async fn open(settings: &StorageSettings, if_down: IfDown) -> anyhow::Result<Self> {
        let Some(url) = &settings.projections else {
            return Ok(Self {
                stores: InMemory::read_models(),
                in_memory: true,
                database: None,
            });
        };
        let database = open(Purpose::Projections, url, settings, if_down).await?;
        let models = Arc::new(PostgresReadModels::new(&database));
        Ok(Self {
            stores: ReadModelStores::of(models.clone(), models),
            in_memory: false,
            database: Some(database),
        })
    }

    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    pub fn health(&self) -> Option<Arc<dyn HealthCheck>> {
        let database = self.database.clone()?;
        Some(Arc::new(DatabaseCheck::new(database)))
    }

    pub async fn close(&self) {
        if let Some(database) = &self.database {
            database.close().await;
        }
    }
}

impl Bus {
    /// Makes the bus, if the settings name one. The brokers may be down now: sales go on without them, and the relay
    /// publishes the facts of that time when the brokers answer.
    pub async fn open(settings: &ServiceSettings, storage: &Storage) -> Self {
        let followers: Arc<dyn FollowerStore> = match &storage.followers {
            Some(shared) => shared.clone(),
            // Only this process uses the log, so the relay's position is kept in memory, and at every start the
            // relay publishes all facts again.
            None => Arc::new(InMemoryFollowerStore::new()),
        };
        let Some(brokers) = &settings.brokers else {
            return Self {
                ends: None,
                followers,
                health: None,
                brokers: None,
            };
        };
        let options = BusOptions {
            prefix: settings.redpanda_topic_prefix.clone(),
            partitions: settings.redpanda_partitions,
            ..BusOptions::default()
        };
        let bus = Arc::new(RedpandaBus::connect_later(brokers, options));
        if let Err(error) = bus.ping(PATIENCE).await {
            let error = &error as &dyn std::error::Error;
            warn!(
                error,
                "no broker of the bus answers; facts wait in the log until one does"
            );
        }
        let ends = ticketing_runtime::Bus {
            publisher: bus.clone(),
            subscriber: bus.clone(),
        };
        Self {
            ends: Some(ends),
            followers,
            health: Some(Arc::new(BusCheck(bus.clone()))),
            brokers: Some(bus),
        }
    }
}

/// Returns every PostgreSQL database that the settings name, with its purpose.
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
    Ok(Database::connect(purpose, url.expose(), &options(purpose, settings)).await?)
}

fn options(purpose: Purpose, settings: &StorageSettings) -> DatabaseOptions {
    let max_connections = match purpose {
        Purpose::Events => settings.database_pool_events,
        Purpose::Projections => settings.database_pool_projections,
        Purpose::Analytics => settings.database_pool_analytics,
        Purpose::Auth => settings.database_pool_auth,
    };
    DatabaseOptions {
        max_connections,
        ..DatabaseOptions::default()
    }
}

async fn open(
    purpose: Purpose,
    url: &PostgresUrl,
    settings: &StorageSettings,
    if_down: IfDown,
) -> anyhow::Result<Database> {
    let database = Database::connect_later(purpose, url.expose(), &options(purpose, settings))?;
    let checked = match if_down {
        IfDown::Fail => database.check_schema().await,
        IfDown::StartWithout => match tokio::time::timeout(PATIENCE, database.check_schema()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.needs_a_change() => Err(error),
            Ok(Err(error)) => {
                warn_of(purpose, &error);
                Ok(())
            }
            Err(too_late) => {
                warn_of(purpose, &too_late);
                Ok(())
            }
        },
    };
    checked?;
    Ok(database)
}

fn warn_of(purpose: Purpose, error: &(dyn std::error::Error + 'static)) {
    let database = purpose.as_str();
    warn!(
        database,
        error, "a database does not answer; requests that need it fail until it does"
    );
}

async fn connect_to_redis(settings: &ServiceSettings, if_down: IfDown) -> anyhow::Result<Option<Redis>> {
    let Some(url) = &settings.redis else {
        return Ok(None);
    };
    let options = RedisOptions {
        prefix: settings.redis_key_prefix.clone(),
        ..RedisOptions::default()
    };
    let redis = match if_down {
        IfDown::Fail => Redis::connect(url.expose(), options).await,
        IfDown::StartWithout => Redis::connect_or_retry(url.expose(), options).await,
    };
    Ok(Some(redis.context("--redis-url (REDIS_URL)")?))
}
