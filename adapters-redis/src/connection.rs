//! The one connection to Redis, which all requests share.
//!
//! While there is no connection, requests fail at once instead of waiting for a service that is down. One task tries
//! to connect again until it is successful.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, InfoDict, RedisError, RedisResult, ScriptInvocation};
use thiserror::Error;
use ticketing_ports::vocabulary::errors::StoreError;
use tracing::{info, warn};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisOptions {
    /// What the name of every key in Redis begins with.
    pub prefix: String,
    /// How long Redis may take to answer a request; then the request fails.
    pub timeout: Duration,
    /// How long the task that connects again waits after a failed try.
    pub retry: Duration,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            prefix: "box-office:".to_owned(),
            timeout: Duration::from_secs(1),
            retry: Duration::from_millis(100),
        }
    }
}

#[derive(Debug, Error)]
pub enum ConnectError {
    #[error("the URL is not a Redis URL of the form redis://:password@host:port/database")]
    Url(#[source] RedisError),
    #[error("Redis cannot be reached")]
    Unreachable(#[source] RedisError),
}

#[derive(Debug, Error)]
#[error("there is no connection to Redis")]
struct NotConnected;

#[derive(Debug, Error)]
#[error("Redis did not answer in time")]
struct NoAnswer;

/// Is told of each command that was sent to Redis, in order to count it: the name of the command, such as `GET`, and how
/// long it took until Redis answered or the command failed.
pub type CommandObserver = dyn Fn(&str, Duration) + Send + Sync;

/// What Redis says about itself. The figures are about all its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedisFigures {
    /// How many look-ups of keys have found the key.
    pub hits: u64,
    /// How many look-ups of keys have not found the key.
    pub misses: u64,
    /// How many bytes of memory Redis uses.
    pub memory_used: u64,
    /// How many bytes of memory Redis may use. The memory of the machine if Redis has no limit.
    pub memory_max: u64,
}

#[derive(Debug, Error)]
#[error("Redis does not say its {0}")]
struct NoFigure(&'static str);

/// The name under which a script is counted.
const SCRIPT: &str = "EVALSHA";

/// A connection to Redis that is opened again when it is lost. A clone shares the connection.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    client: Client,
    options: RedisOptions,
    link: Mutex<Link>,
    observer: OnceLock<Box<CommandObserver>>,
}

struct Link {
    connection: Option<MultiplexedConnection>,
    /// The number of the current connection, so that a late failure on an earlier connection does not close this one.
    number: u64,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis")
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}

impl Redis {
    /// Connects to Redis.
    ///
    /// # Errors
    /// When the URL is not a Redis URL, or no server answers at that URL.
    pub async fn connect(url: &str, options: RedisOptions) -> Result<Self, ConnectError> {
        let client = Client::open(url).map_err(ConnectError::Url)?;
        let connection = open(&client, &options).await.map_err(ConnectError::Unreachable)?;
        Ok(Self::over(client, options, Some(connection)))
    }

    /// Connects to Redis if a server answers at once. If none does, a task tries again until one answers; requests
    /// fail until then.
    ///
    /// # Errors
    /// When the URL is not a Redis URL.
    pub async fn connect_or_retry(url: &str, options: RedisOptions) -> Result<Self, ConnectError> {
        let client = Client::open(url).map_err(ConnectError::Url)?;
        let connection = open(&client, &options).await.inspect_err(|error| {
            let error = error as &dyn std::error::Error;
            warn!(error, "Redis does not answer; requests that need it fail until it does");
        });
        let redis = Self::over(client, options, connection.ok());
        if redis.0.link().connection.is_none() {
            tokio::spawn(reconnect(Arc::downgrade(&redis.0)));
        }
        Ok(redis)
    }

    fn over(client: Client, options: RedisOptions, connection: Option<MultiplexedConnection>) -> Self {
        let link = Mutex::new(Link { connection, number: 0 });
        Self(Arc::new(Shared {
            client,
            options,
            link,
            observer: OnceLock::new(),
        }))
    }

    /// Returns how long Redis takes to answer a ping.
    ///
    /// # Errors
    /// When Redis does not answer in time.
    pub async fn ping(&self) -> Result<Duration, StoreError> {
        let began = Instant::now();
        self.ask(&redis::cmd("PING")).await.map(|_: String| began.elapsed())
    }

    /// Makes the connection tell an observer of each command. Does nothing if it tells one already.
    pub fn observe(&self, observer: impl Fn(&str, Duration) + Send + Sync + 'static) {
        // `set` refuses a second observer.
        _ = self.0.observer.set(Box::new(observer));
    }

    /// Returns whether there is a connection to Redis now.
    pub fn is_connected(&self) -> bool {
        self.0.link().connection.is_some()
    }

    /// Asks Redis for its figures.
    ///
    /// # Errors
    /// When Redis does not answer in time, or does not say one of the figures.
    pub async fn figures(&self) -> Result<RedisFigures, StoreError> {
        let said: InfoDict = self.ask(&redis::cmd("INFO")).await?;
        let figure = |name| {
            said.get::<u64>(name)
                .ok_or_else(|| StoreError::unavailable(NoFigure(name)))
        };
        let limit = figure("maxmemory")?;
        Ok(RedisFigures {
            hits: figure("keyspace_hits")?,
            misses: figure("keyspace_misses")?,
            memory_used: figure("used_memory")?,
            memory_max: if limit == 0 {
                figure("total_system_memory")?
            } else {
                limit
            },
        })
    }

    pub(crate) fn key(&self, kind: &str, parts: &[&str]) -> String {
        format!("{}{kind}:{}", self.0.options.prefix, parts.join(":"))
    }

    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreError> {
        let name = command.args_iter().next();
        let name = match &name {
            Some(redis::Arg::Simple(name)) => std::str::from_utf8(name).unwrap_or_default(),
            _ => "",
        };
        self.with(name, |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    pub(crate) async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        self.with(SCRIPT, |mut connection| async move {
            script.invoke_async(&mut connection).await
        })
        .await
    }

    async fn with<T, F: Future<Output = RedisResult<T>>>(
        &self,
        name: &str,
        work: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, StoreError> {
        let (connection, number) = {
            let link = self.0.link();
            let connection = link
                .connection
                .clone()
                .ok_or_else(|| StoreError::unavailable(NotConnected))?;
            (connection, link.number)
        };
        let began = Instant::now();
        let answer = tokio::time::timeout(self.0.options.timeout, work(connection)).await;
        if let Some(observer) = self.0.observer.get() {
            observer(name, began.elapsed());
        }
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                if error.is_unrecoverable_error() || error.is_io_error() {
                    self.lost(number);
                }
                Err(StoreError::unavailable(error))
            }
            Err(_) => {
                self.lost(number);
                Err(StoreError::unavailable(NoAnswer))
            }
        }
    }

    fn lost(&self, number: u64) {
        let mut link = self.0.link();
        if link.number == number && link.connection.take().is_some() {
            warn!("the connection to Redis is lost; requests fail until it is open again");
            tokio::spawn(reconnect(Arc::downgrade(&self.0)));
        }
    }
}

impl Shared {
    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().expect("no code panics while it holds the connection")
    }
}

/// Tries to connect until a try succeeds, or all clones of the connection are dropped.
async fn reconnect(shared: Weak<Shared>) {
    while let Some(alive) = shared.upgrade() {
        let pause = alive.options.retry;
        if let Ok(connection) = open(&alive.client, &alive.options).await {
            let mut link = alive.link();
            link.connection = Some(connection);
            link.number += 1;
            info!("connected to Redis");
            return;
        }
        drop(alive);
        tokio::time::sleep(pause).await;
    }
}

async fn open(client: &Client, options: &RedisOptions) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(options.timeout))
        .set_response_timeout(Some(options.timeout));
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    // A Redis server that is still loading its data accepts connections but refuses commands, so a PING is needed to
    // tell.
    redis::cmd("PING").query_async::<String>(&mut connection).await?;
    Ok(connection)
}
