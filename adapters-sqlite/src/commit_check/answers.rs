//! Looks up and writes the idempotency records of a group of commits.

use std::collections::HashSet;

use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments, SqliteConnection};
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord};
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};
use ticketing_ports::vocabulary::ids::UserId;

use crate::bulk::Bulk;
use crate::cells::Cells;

pub(crate) const FIND_KEYS: Bulk = Bulk {
    head: "SELECT user_id, key FROM idempotency_records WHERE (user_id, key) IN (VALUES ",
    row: "(?, ?)",
    tail: ")",
};

/// Returns those of the keys for which an answer is recorded already.
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
    rows.iter().map(|row| Ok(key_from(&cells_of(row))?)).collect()
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
            arguments.add(record.request_hash.as_slice())?;
            arguments.add(record.answer.as_slice())?;
            arguments.add(record.recorded_at.timestamp_micros())
        })
        .await
}

pub(crate) fn key_from(cells: &Cells<'_>) -> Result<IdempotencyKey, StoreError> {
    Ok(IdempotencyKey {
        user_id: UserId::new(cells.uuid("user_id")?),
        key: cells.get("key")?,
    })
}

pub(crate) fn cells_of(row: &SqliteRow) -> Cells<'_> {
    Cells {
        row,
        table: "idempotency_records",
        key: "user_id",
    }
}
