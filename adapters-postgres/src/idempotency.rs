//! Answers already given: recorded by commits, found and forgotten here.

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::errors::StoreError;
use ticketing_ports::idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencyStore};

use crate::PostgresEventStore;
use crate::cells::Cells;

#[async_trait]
impl IdempotencyStore for PostgresEventStore {
    async fn find_answer(&self, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError> {
        let row = sqlx::query(
            "SELECT user_id, fingerprint, answer, recorded_at
             FROM idempotency_records
             WHERE user_id = $1 AND key = $2",
        )
        .bind(key.user_id.uuid())
        .bind(&key.key)
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::unavailable)?;
        let Some(row) = row else {
            return Ok(None);
        };
        let cells = Cells {
            row: &row,
            table: "idempotency_records",
            key: "user_id",
        };
        Ok(Some(IdempotencyRecord {
            key: key.clone(),
            fingerprint: cells.parse("fingerprint", |bytes: &[u8]| bytes.try_into().ok())?,
            answer: cells.get("answer")?,
            recorded_at: cells.get("recorded_at")?,
        }))
    }

    async fn forget_answers(&self, before: Timestamp) -> Result<u64, StoreError> {
        sqlx::query("DELETE FROM idempotency_records WHERE recorded_at < $1")
            .bind(before)
            .execute(&self.pool)
            .await
            .map(|done| done.rows_affected())
            .map_err(StoreError::unavailable)
    }
}
