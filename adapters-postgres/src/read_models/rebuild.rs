//! A second set of tables, and changing it for the first.

use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};
use ticketing_ports::errors::StoreError;
use tokio::sync::Mutex;

use super::LIVE;

/// The schema of the tables that are being filled.
pub(super) const TWIN: &str = "read_models_rebuild";
/// The schema of the tables that were changed for newer ones.
const OLD: &str = "read_models_old";
const TABLES: [&str; 6] = ["checkpoint", "events", "sections", "reservations", "payments", "sales"];
/// Whoever rebuilds holds this advisory lock: any number that nobody else uses.
const LOCK: i64 = 0x0072_6562_7569_6c64;

/// The right to rebuild. It ends with its connection, so also with its process.
#[derive(Debug)]
pub(super) struct Twin {
    connection: Mutex<PgConnection>,
}

impl Twin {
    /// Makes empty tables, and removes what a rebuild that died has left.
    pub(super) async fn begin(pool: &PgPool) -> Result<Self, StoreError> {
        // A connection of its own: one that went back to the pool would keep the lock.
        let mut connection = PgConnection::connect_with(&pool.connect_options())
            .await
            .map_err(StoreError::unavailable)?;
        let alone: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut connection)
            .await
            .map_err(StoreError::unavailable)?;
        if !alone {
            return Err(StoreError::unavailable("another rebuild of the read models is running"));
        }
        let mut script = format!("DROP SCHEMA IF EXISTS {TWIN} CASCADE; DROP SCHEMA IF EXISTS {OLD} CASCADE;");
        script += &format!("CREATE SCHEMA {TWIN};");
        for table in TABLES {
            script += &format!("CREATE TABLE {TWIN}.{table} (LIKE {LIVE}.{table} INCLUDING ALL);");
        }
        script += &format!("INSERT INTO {TWIN}.checkpoint (position) VALUES (0);");
        execute(&mut connection, script).await?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Gives the rebuilt tables the name of the live ones.
    pub(super) async fn switch(&self, pool: &PgPool) -> Result<(), StoreError> {
        let mut connection = self.connection.lock().await;
        // A batch that is being applied is waited for; the next one meets the new checkpoint.
        let script = format!(
            "BEGIN;
             LOCK TABLE {LIVE}.checkpoint IN ACCESS EXCLUSIVE MODE;
             ALTER SCHEMA {LIVE} RENAME TO {OLD};
             ALTER SCHEMA {TWIN} RENAME TO {LIVE};
             COMMIT;"
        );
        if let Err(error) = execute(&mut connection, script).await {
            // Leaves the failed transaction, if there is one.
            drop(execute(&mut connection, "ROLLBACK".to_owned()).await);
            return Err(error);
        }
        drop(connection);
        // Who still reads the old tables may get in the way; what is left is removed by the next rebuild.
        let drop_old = AssertSqlSafe(format!("DROP SCHEMA IF EXISTS {OLD} CASCADE"));
        if let Err(error) = raw_sql(drop_old).execute(pool).await {
            tracing::warn!(%error, "the tables that were replaced are still there; the next rebuild removes them");
        }
        Ok(())
    }
}

async fn execute(connection: &mut PgConnection, script: String) -> Result<(), StoreError> {
    raw_sql(AssertSqlSafe(script))
        .execute(connection)
        .await
        .map(drop)
        .map_err(StoreError::unavailable)
}
