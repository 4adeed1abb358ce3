//! Recorded answers: written by commits, found by user and key, forgotten by age.

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments, SqliteConnection};
use ticketing_ports::Timestamp;
use ticketing_ports::errors::{BoxError, StoreError};
use ticketing_ports::idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencyStore};
use ticketing_ports::ids::UserId;

use crate::SqliteStore;
use crate::bulk::Bulk;
use crate::cells::Cells;

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
            .map_err(StoreError::unavailable)?;
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
        .map_err(StoreError::unavailable)?;
    Ok(forgotten.rows_affected())
}

/// What is asked comes as one list, so that one text serves any number of keys.
pub(crate) const FIND_ANSWERS: &str = "
    SELECT user_id, key, fingerprint, answer, recorded_at
    FROM idempotency_records
    WHERE (user_id, key) IN (SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?1))";

pub(crate) const FIND_KEYS: Bulk = Bulk {
    head: "SELECT user_id, key FROM idempotency_records WHERE (user_id, key) IN (VALUES ",
    row: "(?, ?)",
    tail: ")",
};

/// Returns those of the keys that are recorded.
pub(crate) async fn taken(
    connection: &mut SqliteConnection,
    keys: &[&IdempotencyKey],
) -> Result<HashSet<IdempotencyKey>, BoxError> {
    let rows = FIND_KEYS
        .fetch(connection, keys, |arguments, key| {
            arguments.add(key.user_id.uuid().as_bytes().as_slice())?;
            arguments.add(&*key.key)
        })
        .await?;
    rows.iter().map(|row| Ok(key_from(&cells(row))?)).collect()
}

pub(crate) async fn record(
    connection: &mut SqliteConnection,
    records: impl Iterator<Item = &IdempotencyRecord>,
) -> Result<(), sqlx::Error> {
    const INSERT: Bulk = Bulk {
        head: "INSERT INTO idempotency_records (user_id, key, fingerprint, answer, recorded_at) VALUES ",
        row: "(?, ?, ?, ?, ?)",
        tail: "",
    };
    let records: Vec<&IdempotencyRecord> = records.collect();
    INSERT
        .execute(connection, &records, |arguments, record| {
            arguments.add(record.key.user_id.uuid().as_bytes().as_slice())?;
            arguments.add(&*record.key.key)?;
            arguments.add(record.fingerprint.as_slice())?;
            arguments.add(record.answer.as_slice())?;
            arguments.add(record.recorded_at.timestamp_micros())
        })
        .await
}

fn record_from(row: &SqliteRow) -> Result<IdempotencyRecord, StoreError> {
    let cells = cells(row);
    Ok(IdempotencyRecord {
        key: key_from(&cells)?,
        fingerprint: cells.parse("fingerprint", |bytes: &[u8]| bytes.try_into().ok())?,
        answer: cells.get("answer")?,
        recorded_at: cells.time("recorded_at")?,
    })
}

fn key_from(cells: &Cells<'_>) -> Result<IdempotencyKey, StoreError> {
    Ok(IdempotencyKey {
        user_id: UserId::new(cells.uuid("user_id")?),
        key: cells.get("key")?,
    })
}

fn cells(row: &SqliteRow) -> Cells<'_> {
    Cells {
        row,
        table: "idempotency_records",
        key: "user_id",
    }
}
