//! The one connection to Redis, which all requests share.
//!
//! While there is no connection, requests fail at once instead of waiting for a service that is down. One task tries
//! to connect again until it is successful.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, RedisError, RedisResult, ScriptInvocation};
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

/// A connection to Redis that is opened again when it is lost. A clone shares the connection.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    client: Client,
    options: RedisOptions,
    link: Mutex<Link>,
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
        Self(Arc::new(Shared { client, options, link }))
    }

    /// Returns how long Redis takes to answer a ping.
    ///
    /// # Errors
    /// When Redis does not answer in time.
    pub async fn ping(&self) -> Result<Duration, StoreError> {
        let began = Instant::now();
        self.ask(&redis::cmd("PING")).await.map(|_: String| began.elapsed())
    }

    pub(crate) fn key(&self, kind: &str, parts: &[&str]) -> String {
        format!("{}{kind}:{}", self.0.options.prefix, parts.join(":"))
    }

    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreError> {
        self.with(|mut connection| async move { command.query_async(&mut connection).await })
            .await
    }

    pub(crate) async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        self.with(|mut connection| async move { script.invoke_async(&mut connection).await })
            .await
    }

    async fn with<T, F: Future<Output = RedisResult<T>>>(
        &self,
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
        match tokio::time::timeout(self.0.options.timeout, work(connection)).await {
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
