//! Keeps snapshots, in the same database as the events that the snapshots are made of.

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use ticketing_ports::log::snapshots::{Snapshot, SnapshotStore};
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::CommitId;
use uuid::Uuid;

use crate::PostgresEventStore;
use crate::cells::{Cells, bound};
use crate::errors::failed;

#[async_trait]
impl SnapshotStore for PostgresEventStore {
    async fn keep(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        sqlx::query("SELECT keep_snapshot_v1($1, $2, $3, $4, $5, $6)")
            .bind(snapshot.stream.aggregate.number())
            .bind(snapshot.stream.id)
            .bind(i32::from(snapshot.format))
            .bind(bound(snapshot.version.0))
            .bind(snapshot.commit.uuid())
            .bind(snapshot.state)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(failed)
    }

    async fn latest(&self, of: &[(StreamId, u16)]) -> Result<Vec<Snapshot>, StoreError> {
        let types: Vec<i16> = of.iter().map(|(stream, _)| stream.aggregate.number()).collect();
        let ids: Vec<Uuid> = of.iter().map(|(stream, _)| stream.id).collect();
        let formats: Vec<i32> = of.iter().map(|(_, format)| i32::from(*format)).collect();
        let rows = sqlx::query(
            "SELECT aggregate_type, stream_id, format, version, commit_id, state
             FROM latest_snapshots_v1($1, $2, $3)",
        )
        .bind(types)
        .bind(ids)
        .bind(formats)
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter().map(snapshot_from).collect()
    }

    async fn drop_all(&self) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM snapshots")
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(failed)
    }
}

fn snapshot_from(row: &PgRow) -> Result<Snapshot, StoreError> {
    let cells = Cells {
        row,
        table: "snapshots",
        key: "stream_id",
    };
    Ok(Snapshot {
        stream: cells.stream()?,
        version: Version(cells.count("version")?),
        commit: CommitId::new(cells.get("commit_id")?),
        format: cells.parse("format", |format: i32| format.try_into().ok())?,
        state: cells.get("state")?,
    })
}
