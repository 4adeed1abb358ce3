//! Connects to one of the four databases of the server, and migrates its schema.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, PgConnection};
use thiserror::Error;
use ticketing_ports::log::lanes::LaneKind;
use ticketing_ports::log::streams::Aggregate;
use ticketing_ports::vocabulary::errors::StoreError;
use uuid::Uuid;

use crate::errors::failed;

/// What one of the four databases is for. Each purpose has its own migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Keeps the log, deadlines, idempotency records, snapshots and the marks of followers.
    Events,
    /// Keeps the read models and dead letters.
    Projections,
    /// Keeps the checkpoint of an analytics follower.
    Analytics,
    /// Keeps users, their identities and their passkeys.
    Auth,
}

static EVENTS: Migrator = sqlx::migrate!("migrations/events");
static PROJECTIONS: Migrator = sqlx::migrate!("migrations/projections");
static ANALYTICS: Migrator = sqlx::migrate!("migrations/analytics");
static AUTH: Migrator = sqlx::migrate!("migrations/auth");

impl Purpose {
    pub const ALL: [Self; 4] = [Self::Events, Self::Projections, Self::Analytics, Self::Auth];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Projections => "projections",
            Self::Analytics => "analytics",
            Self::Auth => "auth",
        }
    }

    /// Returns how many migrations there are for this purpose.
    pub fn migrations(self) -> usize {
        self.migrator().iter().count()
    }

    fn migrator(self) -> &'static Migrator {
        match self {
            Self::Events => &EVENTS,
            Self::Projections => &PROJECTIONS,
            Self::Analytics => &ANALYTICS,
            Self::Auth => &AUTH,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseOptions {
    pub max_connections: u32,
    /// How long a request waits for a connection from the pool at most; then it fails.
    pub acquire_timeout: Duration,
    /// How long a statement may take before the server ends it.
    pub statement_timeout: Duration,
    /// How long a statement waits for a lock before the server ends it.
    pub lock_timeout: Duration,
    /// A connection that was idle for longer than this is tried before it is used. So nobody gets one that the server
    /// ended meanwhile, as when it was started again.
    pub ping_idle_after: Duration,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(15),
            lock_timeout: Duration::from_secs(5),
            ping_idle_after: Duration::from_secs(1),
        }
    }
}

#[derive(Debug, Error)]
pub enum DatabaseError {
    #[error("the URL is not a PostgreSQL URL of the form postgres://user:password@host:port/database")]
    Url(#[source] sqlx::Error),
    #[error("the {} database cannot be reached", .0.as_str())]
    Unreachable(Purpose, #[source] sqlx::Error),
    #[error("the {} database has an older schema than this server needs: run `app-server migrate`", .0.as_str())]
    OldSchema(Purpose),
    #[error("the {} database has a newer schema than this server knows: run a newer server", .0.as_str())]
    NewerSchema(Purpose),
    #[error("the {} database could not be migrated", .0.as_str())]
    Migration(Purpose, #[source] MigrateError),
}

impl DatabaseError {
    /// Returns whether waiting does not help: somebody has to change a setting or the database first. Unless the server
    /// lets this user in (SQLSTATE 28…) and has a database of that name (3D000), nothing will come of trying again.
    pub fn needs_a_change(&self) -> bool {
        match self {
            Self::Unreachable(_, sqlx::Error::Database(error)) => {
                let code = error.code();
                code.is_some_and(|code| code.starts_with("28") || code == "3D000")
            }
            Self::Unreachable(..) => false,
            Self::Url(_) | Self::OldSchema(_) | Self::NewerSchema(_) | Self::Migration(..) => true,
        }
    }
}

/// How many connections a pool has at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// How many connections are in use.
    pub active: u32,
    /// How many connections are open and not in use.
    pub idle: u32,
    /// How many connections the pool opens at most.
    pub max: u32,
}

/// A pool of connections to one database. A clone shares the pool.
#[derive(Debug, Clone)]
pub struct Database {
    purpose: Purpose,
    /// A random id that tells this process from the other processes that use the database.
    client: Uuid,
    connect: Arc<PgConnectOptions>,
    pool: PgPool,
}

impl Database {
    /// Returns whether the URL has the form of a PostgreSQL URL, without connecting to the server.
    pub fn understands(url: &str) -> bool {
        url.parse::<PgConnectOptions>().is_ok()
    }

    /// Opens one connection, to check that the database can be reached. Further connections are opened when they are
    /// needed.
    ///
    /// # Errors
    /// When the URL is not a PostgreSQL URL, or no server answers at that URL.
    pub async fn connect(purpose: Purpose, url: &str, options: &DatabaseOptions) -> Result<Self, DatabaseError> {
        let database = Self::connect_later(purpose, url, options)?;
        let reached = database.pool.acquire().await;
        reached.map_err(|error| DatabaseError::Unreachable(purpose, error))?;
        Ok(database)
    }

    /// Makes a pool without a connection. Every connection is opened when it is needed, so the database may be down
    /// now.
    ///
    /// # Errors
    /// When the URL is not a PostgreSQL URL.
    pub fn connect_later(purpose: Purpose, url: &str, options: &DatabaseOptions) -> Result<Self, DatabaseError> {
        let milliseconds = |duration: Duration| duration.as_millis().to_string();
        let connect = url
            .parse::<PgConnectOptions>()
            .map_err(DatabaseError::Url)?
            .application_name("box-office")
            .options([
                ("statement_timeout", milliseconds(options.statement_timeout)),
                ("lock_timeout", milliseconds(options.lock_timeout)),
                (
                    "idle_in_transaction_session_timeout",
                    milliseconds(options.statement_timeout),
                ),
                // The JIT compiler is off: compiling these short statements takes longer than it saves, and
                // PostgreSQL would choose which to compile by estimates that are far off while tables grow.
                ("jit", "off".to_owned()),
                ("client_min_messages", "warning".to_owned()),
            ]);
        let ping_idle_after = options.ping_idle_after;
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            // The pool does not test a connection before each use, which would cost a round trip. Under load a dead
            // connection shows when a statement fails.
            .test_before_acquire(false)
            .before_acquire(move |connection, use_before| {
                Box::pin(async move { Ok(use_before.idle_for <= ping_idle_after || connection.ping().await.is_ok()) })
            })
            .connect_lazy_with(connect.clone());
        #[expect(
            clippy::disallowed_methods,
            reason = "the id of a connected process is never written to the log, so a replay does not need it"
        )]
        let client = Uuid::new_v4();
        Ok(Self {
            purpose,
            client,
            connect: Arc::new(connect),
            pool,
        })
    }

    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    pub(crate) fn client(&self) -> Uuid {
        self.client
    }

    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Returns how many connections the pool has now.
    pub fn pool_use(&self) -> PoolUse {
        let open = self.pool.size();
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX).min(open);
        PoolUse {
            active: open - idle,
            idle,
            max: self.pool.options().get_max_connections(),
        }
    }

    /// Applies the missing migrations and returns how many there were. Two processes that migrate at once take turns.
    ///
    /// # Errors
    /// When a migration fails. The migrations before it stay applied.
    pub async fn migrate(&self) -> Result<usize, DatabaseError> {
        let not_migrated = |error| DatabaseError::Migration(self.purpose, error);
        let migrate = async {
            // A migration may take longer than other statements, so it has no timeouts.
            let patient = self
                .connect
                .as_ref()
                .clone()
                .options([("statement_timeout", "0"), ("lock_timeout", "0")]);
            let mut connection = PgConnection::connect_with(&patient).await?;
            let before = applied(&mut connection).await?;
            self.purpose.migrator().run(&mut connection).await?;
            if self.purpose == Purpose::Events {
                write_names(&mut connection).await?;
            }
            let after = applied(&mut connection).await?;
            connection.close().await?;
            Ok(after.len() - before.len())
        };
        migrate.await.map_err(not_migrated)
    }

    /// Checks that all migrations of this version were applied, and no others.
    ///
    /// # Errors
    /// When the schema is older or newer than this version needs, or the database does not answer.
    pub async fn check_schema(&self) -> Result<(), DatabaseError> {
        let unreachable = |error| DatabaseError::Unreachable(self.purpose, error);
        let mut connection = self.pool.acquire().await.map_err(unreachable)?;
        let applied = applied(&mut connection).await.map_err(unreachable)?;
        let known: BTreeSet<i64> = self
            .purpose
            .migrator()
            .iter()
            .map(|migration| migration.version)
            .collect();
        if !applied.is_subset(&known) {
            return Err(DatabaseError::NewerSchema(self.purpose));
        }
        if applied != known {
            return Err(DatabaseError::OldSchema(self.purpose));
        }
        Ok(())
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1")
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(failed)
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Fills the tables that say what the numbers for aggregates and kinds of lanes mean, for people who look at the
/// events database.
async fn write_names(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let aggregates = Aggregate::ALL.map(|aggregate| (aggregate.number(), aggregate.as_str()));
    let lanes = LaneKind::ALL.map(|kind| (kind.number(), kind.as_str()));
    for (sql, names) in [
        (
            "INSERT INTO aggregates SELECT * FROM unnest($1, $2) ON CONFLICT DO NOTHING",
            &aggregates[..],
        ),
        (
            "INSERT INTO lane_kinds SELECT * FROM unnest($1, $2) ON CONFLICT DO NOTHING",
            &lanes[..],
        ),
    ] {
        let (numbers, names): (Vec<i16>, Vec<&str>) = names.iter().copied().unzip();
        sqlx::query(sql)
            .bind(numbers)
            .bind(names)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Returns the versions of the migrations that were applied. The function only reads, so that it also works on a
/// read-only replica.
async fn applied(connection: &mut PgConnection) -> Result<BTreeSet<i64>, sqlx::Error> {
    let migrated: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !migrated {
        return Ok(BTreeSet::new());
    }
    let versions: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
        .fetch_all(connection)
        .await?;
    Ok(versions.into_iter().collect())
}
