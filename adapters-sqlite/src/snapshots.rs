//! Keeps snapshots, in the same file as the events that the snapshots are made of.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use ticketing_ports::log::snapshots::{Snapshot, SnapshotStore};
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::CommitId;

use crate::SqliteStore;
use crate::cells::{Cells, bound};
use crate::result_code::failed;

#[async_trait]
impl SnapshotStore for SqliteStore {
    async fn keep(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO snapshots AS kept (aggregate_id, aggregate_type, format, version, commit_id, state)
                         VALUES (?, ?, ?, ?, ?, ?)
                         ON CONFLICT (aggregate_id, aggregate_type, format) DO UPDATE
                         SET version = excluded.version, commit_id = excluded.commit_id, state = excluded.state
                         WHERE kept.version <= excluded.version OR NOT EXISTS (
                             SELECT 1 FROM events AS newest
                             WHERE newest.aggregate_id = kept.aggregate_id
                               AND newest.aggregate_type = kept.aggregate_type
                               AND newest.version = kept.version AND newest.commit_id = kept.commit_id
                         )",
                    )
                    .bind(snapshot.stream.id.as_bytes().as_slice())
                    .bind(snapshot.stream.aggregate.number())
                    .bind(snapshot.format)
                    .bind(bound(snapshot.version.0))
                    .bind(snapshot.commit.uuid().as_bytes().as_slice())
                    .bind(snapshot.state)
                    .execute(connection)
                    .await
                    .map(drop)
                    .map_err(failed)
                })
            })
            .await
    }

    async fn latest(&self, of: &[(StreamId, u16)]) -> Result<Vec<Snapshot>, StoreError> {
        let asked: Vec<(String, i16, u16)> = of
            .iter()
            .map(|(stream, format)| (stream.id.simple().to_string(), stream.aggregate.number(), *format))
            .collect();
        let rows = sqlx::query(
            "WITH asked (id, type, format) AS (
                 SELECT unhex(value ->> 0), value ->> 1, value ->> 2 FROM json_each(?)
             )
             SELECT kept.aggregate_id, kept.aggregate_type, kept.format, kept.version, kept.commit_id, kept.state
             FROM asked
             CROSS JOIN snapshots AS kept
             ON kept.aggregate_id = asked.id AND kept.aggregate_type = asked.type AND kept.format = asked.format
             CROSS JOIN events AS newest
             ON newest.aggregate_id = kept.aggregate_id AND newest.aggregate_type = kept.aggregate_type
                AND newest.version = kept.version AND newest.commit_id = kept.commit_id",
        )
        .bind(sqlx::types::Json(asked))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.iter().map(snapshot_from).collect()
    }

    async fn drop_all(&self) -> Result<(), StoreError> {
        self.writer
            .run(|connection| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM snapshots")
                        .execute(connection)
                        .await
                        .map(drop)
                        .map_err(failed)
                })
            })
            .await
    }
}

fn snapshot_from(row: &SqliteRow) -> Result<Snapshot, StoreError> {
    let cells = Cells {
        row,
        table: "snapshots",
        key: "aggregate_id",
    };
    Ok(Snapshot {
        stream: cells.stream()?,
        version: Version(cells.count("version")?),
        commit: CommitId::new(cells.uuid("commit_id")?),
        format: cells.parse("format", |format: i64| format.try_into().ok())?,
        state: cells.get("state")?,
    })
}
