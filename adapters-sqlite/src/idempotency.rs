//! Finds the answers that earlier commits have recorded for repeated requests, by user and key, and deletes old
//! answers.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use ticketing_ports::Timestamp;
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencyStore};
use ticketing_ports::vocabulary::errors::StoreError;

use crate::SqliteStore;
use crate::commit_check::{cells_of, key_from};
use crate::result_code::failed;

#[async_trait]
impl IdempotencyStore for SqliteStore {
    async fn find_answers(&self, keys: &[IdempotencyKey]) -> Result<Vec<IdempotencyRecord>, StoreError> {
        let asked: Vec<(String, &str)> = keys
            .iter()
            .map(|key| (key.user_id.uuid().simple().to_string(), &*key.key))
            .collect();
        let rows = sqlx::query(FIND_ANSWERS)
            .bind(sqlx::types::Json(asked))
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        // The reader may still have a file open that was removed: an answer that is only there is lost.
        self.writer.check()?;
        rows.iter().map(record_from).collect()
    }

    async fn forget_answers(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .run(move |connection| Box::pin(forget(connection, before)))
            .await
    }
}

async fn forget(connection: &mut SqliteConnection, before: Timestamp) -> Result<u64, StoreError> {
    let forgotten = sqlx::query("DELETE FROM idempotency_records WHERE recorded_at < ?")
        .bind(before.timestamp_micros())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(forgotten.rows_affected())
}

/// The keys are one JSON parameter, so that the same statement serves any number of keys.
pub(crate) const FIND_ANSWERS: &str = "
    SELECT user_id, key, fingerprint, answer, recorded_at
    FROM idempotency_records
    WHERE (user_id, key) IN (SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?1))";

fn record_from(row: &SqliteRow) -> Result<IdempotencyRecord, StoreError> {
    let cells = cells_of(row);
    Ok(IdempotencyRecord {
        key: key_from(&cells)?,
        request_hash: cells.parse("fingerprint", |bytes: &[u8]| bytes.try_into().ok())?,
        answer: cells.get("answer")?,
        recorded_at: cells.time("recorded_at")?,
    })
}
