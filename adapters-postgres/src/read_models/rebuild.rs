//! Rebuilds the read models: a second set of tables (the *twin*) is filled, and then takes the place of the tables
//! that readers see.
//!
//! The process that rebuilds holds an advisory lock on a connection of its own. If the process dies, PostgreSQL frees
//! the lock, and the next rebuild removes the tables that the dead process has left.

use sqlx::postgres::PgPool;
use sqlx::postgres::types::Oid;
use sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};
use ticketing_ports::vocabulary::errors::StoreError;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::errors::failed;

/// The PostgreSQL schema with the tables that readers see.
const LIVE: &str = "read_models";
/// What the name of the schema of a twin begins with; a number that is different for each rebuild follows.
const TWIN: &str = "read_models_rebuild_";
/// What the schema of the old tables is called while the new tables take its name, within one transaction.
const OLD: &str = "read_models_old";
/// The tables of the read models, in the order in which a switch locks them. The checkpoint comes first because the
/// projector updates it first too: while a switch runs, the projector waits there and has no lock on another table.
const TABLES: [&str; 9] = [
    "checkpoint",
    "reservations",
    "payments",
    "sales",
    "sale_lines",
    "holds",
    "further_holds",
    "sections",
    "events",
];
/// The number of the advisory lock that the rebuilding process holds. No other code uses this number.
const LOCK: i64 = 0x0072_6562_7569_6c64;
/// How long a new rebuild waits for the lock of a rebuild whose process died, since the server needs a moment to
/// notice that the connection of that process is gone.
const PATIENCE_WITH_THE_DEAD: &str = "2s";
/// How long a switch waits for the lock of a table. A switch and a reader can each wait for a lock that the other
/// holds. PostgreSQL would fail one of the two after a second (`deadlock_timeout`); the switch gives up all its locks
/// before that, so that no reader fails.
const PATIENCE_WITH_READERS: &str = "150ms";
/// How many times a switch tries to lock the tables at most before it fails.
const ATTEMPTS: usize = 200;

/// The twin: a second set of tables beside the tables that readers see, with the connection whose lock gives the
/// right to fill them.
#[derive(Debug)]
pub(super) struct Twin {
    pub(super) schema: String,
    /// The PostgreSQL object id of the twin's schema, which stays the same when the schema is renamed.
    identity: Oid,
    /// The versions of the migrations that had been applied to the live tables when their structure was copied.
    migrations: Vec<i64>,
    connection: Mutex<PgConnection>,
}

impl Twin {
    /// Makes the empty tables of a twin, and removes the tables of earlier rebuilds whose processes have died.
    pub(super) async fn begin(pool: &PgPool) -> Result<Self, StoreError> {
        // This is not a connection of the pool, since a connection that returns to the pool would go on holding the
        // lock.
        let mut connection = connect(pool).await?;
        take_the_right_to_rebuild(&mut connection).await?;
        let migrations = migrations(&mut connection).await?;
        let leftovers: Vec<String> =
            sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, $1)")
                .bind(TWIN)
                .fetch_all(&mut connection)
                .await
                .map_err(failed)?;
        // The name of the schema ends with the id of a transaction, which no other rebuild has. So a rebuild that has
        // lost its lock cannot write into the tables of a later rebuild.
        let number: String = sqlx::query_scalar("SELECT pg_current_xact_id()::text")
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
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

    /// Puts the rebuilt tables in the place of the live tables, and removes the old tables.
    ///
    /// Every statement reads either the old tables or the new tables. The switch waits until running statements have
    /// ended, and later statements find the new tables under the old names.
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
        // Without statistics PostgreSQL would plan the first queries badly.
        execute(connection, format!("ANALYZE {}", every(schema))).await?;
        // This lock keeps VACUUM, which could hold the switch up, off the tables. It does not conflict with reads and
        // writes.
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

    /// Returns whether the switch has happened, after the answer to it was lost. The function first takes the rebuild
    /// lock. The server frees that lock only when it has ended the connection of the switch, so that the result can
    /// no longer change.
    async fn was_switched_to(&self, pool: &PgPool) -> Result<bool, StoreError> {
        let mut connection = connect(pool).await?;
        take_the_right_to_rebuild(&mut connection).await?;
        Ok(identity_of(LIVE, &mut connection).await? == self.identity)
    }
}

/// Opens the connection that holds the rebuild lock. The connection may be idle for long, and the server ends it
/// within half a minute if the host of this process is gone.
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
        .map_err(failed)
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
        taken => taken.map(drop).map_err(failed),
    }
}

/// Returns the statements that give a copy of the live tables the same keys, indexes and storage parameters.
///
/// `CREATE TABLE … LIKE` would give the indexes other names, which later migrations could not find, and would leave
/// the storage parameters out.
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
    .map_err(failed)
}

/// Locks all tables against readers, or none of them. Between two tries the function gives up these locks, so that
/// readers and the projector can go on.
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
            locked => return locked.map(drop).map_err(failed),
        }
    }
    Err(StoreError::unavailable(
        "queries used the read models without a break, so that the rebuilt tables could not take their place",
    ))
}

/// Returns the versions of the migrations that were applied.
async fn migrations(connection: &mut PgConnection) -> Result<Vec<i64>, StoreError> {
    sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
        .fetch_all(connection)
        .await
        .map_err(failed)
}

async fn identity_of(schema: &str, connection: &mut PgConnection) -> Result<Oid, StoreError> {
    sqlx::query_scalar("SELECT oid FROM pg_namespace WHERE nspname = $1")
        .bind(schema)
        .fetch_one(connection)
        .await
        .map_err(failed)
}

/// Returns whether a statement failed because it could not get a lock in time: `lock_not_available`, 55P03.
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
        .map_err(failed)
}
