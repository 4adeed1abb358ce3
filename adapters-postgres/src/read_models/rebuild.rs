//! A second set of tables, and changing it for the first.
//!
//! Whoever rebuilds holds an advisory lock on a connection of its own, so the right to rebuild ends with the process.
//! What a dead one has left is removed by the next.

use sqlx::postgres::PgPool;
use sqlx::postgres::types::Oid;
use sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};
use ticketing_ports::vocabulary::errors::StoreError;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::LIVE;

/// The schema of a twin has this name and a number of its own.
const TWIN: &str = "read_models_rebuild_";
/// The tables that are being changed for newer ones, for the length of a transaction.
const OLD: &str = "read_models_old";
/// The checkpoint comes first: whoever has locked it keeps the projector out.
const TABLES: [&str; 7] = [
    "checkpoint",
    "reservations",
    "payments",
    "sales",
    "holds",
    "sections",
    "events",
];
/// Whoever rebuilds holds this advisory lock: any number that nobody else uses.
const LOCK: i64 = 0x0072_6562_7569_6c64;
/// The server needs a moment to notice that the connection of an abandoned rebuild is gone.
const PATIENCE_WITH_THE_DEAD: &str = "2s";
/// A switch and a reader that hold a lock each and want the other's are a deadlock. The server looks for one after a
/// second and fails whoever noticed; by then the switch has given up all its locks.
const PATIENCE_WITH_READERS: &str = "150ms";
const ATTEMPTS: usize = 200;

/// Empty tables beside those that readers see, and the right to fill them.
#[derive(Debug)]
pub(super) struct Twin {
    pub(super) schema: String,
    /// Stays the same when the schema is renamed.
    identity: Oid,
    /// Those that the live tables had when they were copied.
    migrations: Vec<i64>,
    connection: Mutex<PgConnection>,
}

impl Twin {
    /// Makes empty tables, and removes what a rebuild that died has left.
    pub(super) async fn begin(pool: &PgPool) -> Result<Self, StoreError> {
        // A connection of its own: one that went back to the pool would keep the lock.
        let mut connection = connect(pool).await?;
        take_the_right_to_rebuild(&mut connection).await?;
        let migrations = migrations(&mut connection).await?;
        let leftovers: Vec<String> =
            sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, $1)")
                .bind(TWIN)
                .fetch_all(&mut connection)
                .await
                .map_err(StoreError::unavailable)?;
        // A number that was never given out before: a rebuild that lost its lock cannot write into the next one's twin.
        let number: String = sqlx::query_scalar("SELECT pg_current_xact_id()::text")
            .fetch_one(&mut connection)
            .await
            .map_err(StoreError::unavailable)?;
        let schema = format!("{TWIN}{number}");
        let mut script: String = leftovers
            .iter()
            .map(|leftover| format!("DROP SCHEMA {leftover} CASCADE;"))
            .collect();
        script += &format!("CREATE SCHEMA {schema};");
        for table in TABLES {
            script += &format!("CREATE TABLE {schema}.{table} (LIKE {LIVE}.{table} INCLUDING ALL EXCLUDING INDEXES);");
        }
        script += &format!("INSERT INTO {schema}.checkpoint (position) VALUES (0);");
        for statement in what_a_copy_lacks(&mut connection, &schema).await? {
            script += &format!("{statement};");
        }
        execute(&mut connection, script).await?;
        Ok(Self {
            identity: identity_of(&schema, &mut connection).await?,
            migrations,
            schema,
            connection: Mutex::new(connection),
        })
    }

    /// Gives the rebuilt tables the name of the live ones, which are removed.
    ///
    /// A reader sees the ones or the others: a statement that has begun is waited for, and one that begins later finds
    /// the new tables under the names.
    pub(super) async fn switch(&self, pool: &PgPool) -> Result<(), StoreError> {
        let mut connection = self.connection.lock().await;
        let Err(error) = self.try_to_switch(&mut connection).await else {
            return Ok(());
        };
        let alive = execute(&mut connection, "ROLLBACK".to_owned()).await.is_ok();
        if alive || !self.was_switched_to(pool).await.unwrap_or(false) {
            return Err(error);
        }
        Ok(())
    }

    async fn try_to_switch(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        let schema = &self.schema;
        let every = |schema: &str| TABLES.map(|table| format!("{schema}.{table}")).join(", ");
        // Without statistics the first queries would be planned badly.
        execute(connection, format!("ANALYZE {}", every(schema))).await?;
        // Vacuuming gives way to this lock, and readers don't notice it.
        execute(
            connection,
            format!("BEGIN; LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE", every(LIVE)),
        )
        .await?;
        lock_readers_out(connection, &every(LIVE)).await?;
        if migrations(connection).await? != self.migrations {
            return Err(StoreError::unavailable(
                "the tables of the read models were migrated during the rebuild",
            ));
        }
        execute(
            connection,
            format!(
                "ALTER SCHEMA {LIVE} RENAME TO {OLD};
                 ALTER SCHEMA {schema} RENAME TO {LIVE};
                 DROP SCHEMA {OLD} CASCADE;
                 COMMIT"
            ),
        )
        .await
    }

    /// Whether only the answer was lost. The right to rebuild is free when the connection that asked for the switch is
    /// gone for good, so nothing can change afterwards.
    async fn was_switched_to(&self, pool: &PgPool) -> Result<bool, StoreError> {
        let mut connection = connect(pool).await?;
        take_the_right_to_rebuild(&mut connection).await?;
        Ok(identity_of(LIVE, &mut connection).await? == self.identity)
    }
}

/// A connection that may be quiet for long, and that is given up soon when its host is gone, the lock with it.
async fn connect(pool: &PgPool) -> Result<PgConnection, StoreError> {
    let options = pool.connect_options().as_ref().clone().options([
        ("idle_session_timeout", "0"),
        ("statement_timeout", "0"),
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
    ]);
    let patience = pool.options().get_acquire_timeout();
    timeout(patience, PgConnection::connect_with(&options))
        .await
        .map_err(StoreError::unavailable)?
        .map_err(StoreError::unavailable)
}

async fn take_the_right_to_rebuild(connection: &mut PgConnection) -> Result<(), StoreError> {
    execute(connection, format!("SET lock_timeout = '{PATIENCE_WITH_THE_DEAD}'")).await?;
    let taken = sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(connection)
        .await;
    match taken {
        Err(error) if gave_up_on_a_lock(&error) => {
            Err(StoreError::unavailable("another rebuild of the read models is running"))
        }
        taken => taken.map(drop).map_err(StoreError::unavailable),
    }
}

/// Keys, indexes under their own names, and storage parameters.
///
/// `LIKE` leaves the last out and makes names up, so that the next migration would look for an index in vain.
async fn what_a_copy_lacks(connection: &mut PgConnection, schema: &str) -> Result<Vec<String>, StoreError> {
    sqlx::query_scalar(
        "SELECT format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $2, relname, conname,
                       pg_get_constraintdef(pg_constraint.oid))
         FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
         WHERE connamespace = $1::regnamespace AND contype IN ('p', 'u', 'x')
         UNION ALL
         SELECT replace(pg_get_indexdef(indexrelid), format(' ON %I.', $1), format(' ON %I.', $2))
         FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
         WHERE relnamespace = $1::regnamespace
           AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
         UNION ALL
         SELECT format('ALTER TABLE %I.%I SET (%s)', $2, relname, array_to_string(reloptions, ', '))
         FROM pg_class
         WHERE relnamespace = $1::regnamespace AND relkind = 'r' AND reloptions IS NOT NULL",
    )
    .bind(LIVE)
    .bind(schema)
    .fetch_all(connection)
    .await
    .map_err(StoreError::unavailable)
}

/// Locks all tables or none, and lets everybody pass before it tries again.
async fn lock_readers_out(connection: &mut PgConnection, tables: &str) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        let attempt = format!(
            "SAVEPOINT before;
             SET LOCAL lock_timeout = '{PATIENCE_WITH_READERS}';
             LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"
        );
        match raw_sql(AssertSqlSafe(attempt)).execute(&mut *connection).await {
            Err(error) if gave_up_on_a_lock(&error) => {
                execute(connection, "ROLLBACK TO SAVEPOINT before".to_owned()).await?;
            }
            locked => return locked.map(drop).map_err(StoreError::unavailable),
        }
    }
    Err(StoreError::unavailable(
        "the read models are never without a long query; they were not changed for the rebuilt ones",
    ))
}

/// The migrations that the database has.
async fn migrations(connection: &mut PgConnection) -> Result<Vec<i64>, StoreError> {
    sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
        .fetch_all(connection)
        .await
        .map_err(StoreError::unavailable)
}

async fn identity_of(schema: &str, connection: &mut PgConnection) -> Result<Oid, StoreError> {
    sqlx::query_scalar("SELECT oid FROM pg_namespace WHERE nspname = $1")
        .bind(schema)
        .fetch_one(connection)
        .await
        .map_err(StoreError::unavailable)
}

/// 55P03 is lock_not_available.
fn gave_up_on_a_lock(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.code().as_deref() == Some("55P03"))
}

async fn execute(connection: &mut PgConnection, script: String) -> Result<(), StoreError> {
    raw_sql(AssertSqlSafe(script))
        .execute(connection)
        .await
        .map(drop)
        .map_err(StoreError::unavailable)
}
