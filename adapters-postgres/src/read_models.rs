//! The read models: rows derived from the log, written in the same transaction as the checkpoint.
//!
//! A rebuild fills a copy of the tables in another schema, and then gives that schema the name of the live schema.
//! From then on the same statements use the new tables, in every connection of every process.

mod events;
mod folded;
mod queries;
mod rebuild;
mod sales;
mod stored_sale;
mod write;
mod write_sales;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgPool, PgRow};
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::read_models::store::{ApplyError, ProjectedBatch, ProjectionStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{CommitId, LogId};

use crate::cells::{Cells, bound};
use crate::database::Database;
use crate::errors::failed;
use folded::Folded;
use rebuild::Twin;

/// The store of read models and dead letters.
#[derive(Debug, Clone)]
pub struct PostgresReadModels {
    pub(crate) pool: PgPool,
    /// The tables that a rebuild fills through this store; `None` in the store that readers use.
    twin: Option<Arc<Twin>>,
}

impl PostgresReadModels {
    /// Uses the database of [`Purpose::Projections`](crate::Purpose::Projections), which has been migrated.
    pub fn new(database: &Database) -> Self {
        Self {
            pool: database.pool().clone(),
            twin: None,
        }
    }

    /// Takes a statement that names the live tables, and returns it with the names of the tables of this store.
    fn sql(&self, statement: &'static str) -> AssertSqlSafe<String> {
        let statement = match &self.twin {
            None => statement.to_owned(),
            Some(twin) => statement.replace("read_models.", &format!("{}.", twin.schema)),
        };
        AssertSqlSafe(statement)
    }
}

#[async_trait]
impl ProjectionStore for PostgresReadModels {
    async fn checkpoint(&self) -> Result<Mark, StoreError> {
        let row = sqlx::query(self.sql("SELECT position, log_id, commit_id FROM read_models.checkpoint WHERE id"))
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        mark_of(row.as_ref())
    }

    async fn apply(&self, batch: ProjectedBatch) -> Result<(), ApplyError> {
        let ProjectedBatch { after, upto, changes } = batch;
        let folded = Folded::of(changes)?;
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        let advanced = sqlx::query(self.sql(
            "UPDATE read_models.checkpoint SET position = $4, log_id = $5, commit_id = $6
             WHERE id AND position = $1 AND log_id = $2 AND commit_id = $3",
        ))
        .bind(bound(after.position.0))
        .bind(after.log.uuid())
        .bind(after.commit.uuid())
        .bind(bound(upto.position.0))
        .bind(upto.log.uuid())
        .bind(upto.commit.uuid())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        if advanced.rows_affected() == 0 {
            drop(transaction);
            let checkpoint = self.checkpoint().await?;
            if checkpoint == upto {
                return Ok(());
            }
            return Err(ApplyError::OutOfOrder { checkpoint, after });
        }
        self.write(&mut transaction, &folded).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(())
    }

    async fn begin_rebuild(&self) -> Result<Arc<dyn ProjectionStore>, StoreError> {
        let twin = Twin::begin(&self.pool).await?;
        Ok(Arc::new(Self {
            pool: self.pool.clone(),
            twin: Some(Arc::new(twin)),
        }))
    }

    async fn switch_to(&self, rebuilt: Arc<dyn ProjectionStore>) -> Result<(), StoreError> {
        let rebuilt: Arc<dyn std::any::Any + Send + Sync> = rebuilt;
        let rebuilt = rebuilt.downcast::<Self>().ok();
        let twin = rebuilt.as_ref().and_then(|rebuilt| rebuilt.twin.as_ref());
        match twin {
            Some(twin) => twin.switch(&self.pool).await,
            None => Err(StoreError::unavailable(
                "the rebuilt read models are those of another store",
            )),
        }
    }
}

fn mark_of(row: Option<&PgRow>) -> Result<Mark, StoreError> {
    let Some(row) = row else {
        return Err(StoreError::Inconsistent {
            table: "checkpoint",
            column: "id",
            row: "true".to_owned(),
        });
    };
    let cells = Cells {
        row,
        table: "checkpoint",
        key: "position",
    };
    Ok(Mark {
        log: LogId::new(cells.get("log_id")?),
        position: Position(cells.count("position")?),
        commit: CommitId::new(cells.get("commit_id")?),
    })
}
