//! Finds the answers that earlier commits have recorded for repeated requests, and deletes old answers.

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use ticketing_ports::Timestamp;
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencyStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use uuid::Uuid;

use crate::PostgresEventStore;
use crate::cells::Cells;
use crate::errors::failed;

#[async_trait]
impl IdempotencyStore for PostgresEventStore {
    async fn find_answers(&self, keys: &[IdempotencyKey]) -> Result<Vec<IdempotencyRecord>, StoreError> {
        let users: Vec<Uuid> = keys.iter().map(|key| key.user_id.uuid()).collect();
        let names: Vec<&str> = keys.iter().map(|key| &*key.key).collect();
        let rows = sqlx::query("SELECT user_id, key, fingerprint, answer, recorded_at FROM find_answers_v1($1, $2)")
            .bind(users)
            .bind(names)
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter().map(record_from).collect()
    }

    async fn forget_answers(&self, before: Timestamp) -> Result<u64, StoreError> {
        sqlx::query("DELETE FROM idempotency_records WHERE recorded_at < $1")
            .bind(before)
            .execute(&self.pool)
            .await
            .map(|done| done.rows_affected())
            .map_err(failed)
    }
}

fn record_from(row: &PgRow) -> Result<IdempotencyRecord, StoreError> {
    let cells = Cells {
        row,
        table: "idempotency_records",
        key: "user_id",
    };
    Ok(IdempotencyRecord {
        key: IdempotencyKey {
            user_id: UserId::new(cells.get("user_id")?),
            key: cells.get("key")?,
        },
        request_hash: cells.parse("fingerprint", |bytes: &[u8]| bytes.try_into().ok())?,
        answer: cells.get("answer")?,
        recorded_at: cells.get("recorded_at")?,
    })
}
