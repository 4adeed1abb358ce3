//! PostgreSQL: one server that tests share, and private ones for tests that stop or kill theirs.

mod server;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::finding::{self, Found, Source};
use crate::kind::Kind;
use crate::own_process::OwnProcess;
use crate::service::Service;
use crate::small_disk::SmallDisk;
use crate::url;
use server::{Durability, Places};

/// How old a database of an earlier test run must be, in seconds, before it is dropped from a server that outlives the
/// run.
const STALE_AFTER_SECONDS: i64 = 24 * 3_600;
const TO_CONNECT: Duration = Duration::from_secs(30);

static SHARED: OnceCell<Result<Postgres, String>> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The server that the tests of this process share. Each test uses a database of its own.
#[derive(Debug, Clone)]
pub struct Postgres {
    found: Arc<Found>,
}

/// Finds or starts the shared server. All calls in one process return the same one.
///
/// # Errors
/// Fails if the server that an environment variable names does not answer, or if no server is found and none can be
/// started.
pub async fn postgres() -> Result<Postgres> {
    finding::once(&SHARED, find()).await
}

async fn find() -> Result<Postgres> {
    let found = finding::find(&SERVICE).await?;
    drop_stale(&found.address)
        .await
        .context("cannot drop the databases of earlier runs")?;
    Ok(Postgres { found: Arc::new(found) })
}

pub(crate) static SERVICE: Service = Service {
    kind: Kind::Postgres,
    plan: || server::plan(Durability::ForgottenByACrash, &Places::default()),
    plan_durable: || server::plan(Durability::Kept, &Places::default()),
    ask: |url| Box::pin(ask(url)),
};

async fn ask(url: &str) -> Result<String> {
    let mut connection = connect(url).await?;
    let version: String = sqlx::query_scalar("SHOW server_version")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    // Debian adds the name of its package after the version number, so only the first word is used.
    let number = version.split(' ').next().unwrap_or_default();
    Ok(format!("PostgreSQL {number}"))
}

/// Drops the databases that earlier test runs have left on a server that outlives them.
async fn drop_stale(url: &str) -> Result<()> {
    let mut connection = connect(url).await?;
    let stale: Vec<String> = sqlx::query_scalar(
        "SELECT datname::text
           FROM pg_database
          WHERE datname ~ '^box_office_test_[0-9]+_'
            AND split_part(datname::text, '_', 4)::bigint < extract(epoch FROM now())::bigint - $1
            AND NOT EXISTS (SELECT FROM pg_stat_activity AS activity WHERE activity.datname = pg_database.datname)",
    )
    .bind(STALE_AFTER_SECONDS)
    .fetch_all(&mut connection)
    .await?;
    for name in stale {
        sqlx::query(AssertSqlSafe(format!("DROP DATABASE IF EXISTS \"{name}\"")))
            .execute(&mut connection)
            .await?;
    }
    connection.close().await?;
    Ok(())
}

async fn connect(url: &str) -> Result<PgConnection> {
    timeout(TO_CONNECT, PgConnection::connect(url))
        .await
        .with_context(|| format!("PostgreSQL has accepted no connection within {TO_CONNECT:?}"))?
        .context("cannot connect to PostgreSQL")
}

/// Creates an empty database and returns its URL.
async fn create_database(url: &str, name_hint: &str) -> Result<String> {
    let hint: String = name_hint.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    let mut connection = connect(url).await?;
    let now: i64 = sqlx::query_scalar("SELECT extract(epoch FROM now())::bigint")
        .fetch_one(&mut connection)
        .await?;
    let name = format!(
        "box_office_test_{now}_{}_{}_{}",
        std::process::id(),
        DATABASES.fetch_add(1, Ordering::Relaxed),
        hint.to_lowercase()
    );
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE \"{name}\" TEMPLATE template0")))
        .execute(&mut connection)
        .await
        .with_context(|| format!("cannot create the database {name}"))?;
    connection.close().await?;
    url::with_path(url, &name)
}

/// Creates a database unless it exists.
pub(crate) async fn ensure_database(url: &str, name: &str) -> Result<()> {
    let mut connection = connect(url).await?;
    let created = sqlx::query(AssertSqlSafe(format!("CREATE DATABASE \"{name}\" TEMPLATE template0")))
        .execute(&mut connection)
        .await;
    connection.close().await?;
    match created {
        // 42P04 is the code of `duplicate_database`.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04") => Ok(()),
        created => created
            .map(drop)
            .with_context(|| format!("cannot create the database {name}")),
    }
}

impl Postgres {
    /// Creates an empty database and returns its URL. The hint becomes a part of the name, so that people can recognise
    /// the database.
    ///
    /// # Errors
    /// Fails if the server does not answer or does not permit creating databases.
    pub async fn fresh_database(&self, name_hint: &str) -> Result<String> {
        create_database(&self.found.address, name_hint).await
    }

    /// Returns the URL of the maintenance database of the server.
    pub fn url(&self) -> &str {
        &self.found.address
    }

    pub fn source(&self) -> Source {
        self.found.source
    }

    /// The name and version of the service.
    pub fn version(&self) -> &str {
        &self.found.name
    }
}

/// A server that one test alone uses, and may stop and kill. Committed data survive, as on a production server.
#[derive(Debug, Clone)]
pub struct OwnedPostgres {
    url: String,
    process: OwnProcess,
}

impl OwnedPostgres {
    /// Starts a server without data on a free port. It ends when the last clone is dropped.
    ///
    /// # Errors
    /// Fails if PostgreSQL is not installed or does not start.
    pub async fn start() -> Result<Self> {
        Self::start_in(Places::default()).await
    }

    /// Starts a server of which only the tables are on `disk`.
    ///
    /// # Errors
    /// Fails if PostgreSQL is not installed or does not start.
    pub async fn start_with_tables_on(disk: &SmallDisk) -> Result<Self> {
        Self::start_in(Places {
            tables: Some(disk.path().to_owned()),
            log: None,
        })
        .await
    }

    /// Starts a server of which only the write-ahead log is on `disk`.
    ///
    /// # Errors
    /// Fails if PostgreSQL is not installed or does not start.
    pub async fn start_with_log_on(disk: &SmallDisk) -> Result<Self> {
        Self::start_in(Places {
            tables: None,
            log: Some(disk.path().to_owned()),
        })
        .await
    }

    async fn start_in(places: Places) -> Result<Self> {
        let (address, process) = OwnProcess::start(move || server::plan(Durability::Kept, &places)).await?;
        let url = Kind::Postgres.url(address);
        Ok(Self { url, process })
    }

    /// Returns the URL of the maintenance database of the server. It is the same after every start.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Creates an empty database and returns its URL.
    ///
    /// # Errors
    /// Fails if the server is down.
    pub async fn fresh_database(&self, name_hint: &str) -> Result<String> {
        create_database(&self.url, name_hint).await
    }
}

impl Deref for OwnedPostgres {
    type Target = OwnProcess;

    fn deref(&self) -> &OwnProcess {
        &self.process
    }
}
