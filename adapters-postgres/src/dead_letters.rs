//! Keeps the facts that could not be projected (dead letters), in the same database as the read models that lack
//! these facts.

use std::borrow::Cow;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use ticketing_ports::log::dead_letters::{DeadLetter, DeadLetterStore};
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::{Aggregate, Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::CommitId;

use crate::PostgresReadModels;
use crate::cells::{Cells, bound, limit};
use crate::errors::failed;

#[async_trait]
impl DeadLetterStore for PostgresReadModels {
    async fn park(&self, letter: DeadLetter) -> Result<(), StoreError> {
        let event = letter.event;
        sqlx::query(
            "INSERT INTO dead_letters (projection, position, stream_id, aggregate_type, version, event_type,
                                       event_version, event_data, metadata, commit_id, recorded_at, reason, parked_at,
                                       lane)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             ON CONFLICT DO NOTHING",
        )
        .bind(letter.projection)
        .bind(bound(event.position.0))
        .bind(event.stream.id)
        .bind(event.stream.aggregate.as_str())
        .bind(bound(event.version.0))
        .bind(&*event.event_type)
        .bind(i32::from(event.event_version))
        .bind(event.data)
        .bind(Json(event.metadata))
        .bind(event.commit_id.uuid())
        .bind(event.recorded_at)
        .bind(letter.reason.into_bytes())
        .bind(letter.parked_at)
        .bind(event.lane.to_string())
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(failed)
    }

    async fn is_parked(&self, projection: &str, stream: StreamId) -> Result<bool, StoreError> {
        sqlx::query_scalar(
            "SELECT EXISTS (
                 SELECT FROM dead_letters WHERE projection = $1 AND stream_id = $2 AND aggregate_type = $3
             )",
        )
        .bind(projection)
        .bind(stream.id)
        .bind(stream.aggregate.as_str())
        .fetch_one(&self.pool)
        .await
        .map_err(failed)
    }

    async fn letters(&self, projection: &str, after: Position, most: usize) -> Result<Vec<DeadLetter>, StoreError> {
        let rows = sqlx::query(
            "SELECT projection, position, stream_id, aggregate_type, version, event_type, event_version, event_data,
                    metadata, commit_id, recorded_at, reason, parked_at, lane
             FROM dead_letters
             WHERE projection = $1 AND position > $2
             ORDER BY position
             LIMIT $3",
        )
        .bind(projection)
        .bind(bound(after.0))
        .bind(limit(most))
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter().map(letter_from).collect()
    }

    async fn remove(&self, projection: &str, position: Position) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM dead_letters WHERE projection = $1 AND position = $2")
            .bind(projection)
            .bind(bound(position.0))
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(done.rows_affected() == 1)
    }
}

fn letter_from(row: &PgRow) -> Result<DeadLetter, StoreError> {
    let cells = Cells {
        row,
        table: "dead_letters",
        key: "position",
    };
    let Json(metadata) = cells.get("metadata")?;
    Ok(DeadLetter {
        projection: cells.get("projection")?,
        event: RecordedEvent {
            position: Position(cells.count("position")?),
            stream: StreamId::new(
                cells.parse("aggregate_type", Aggregate::parse)?,
                cells.get("stream_id")?,
            ),
            version: Version(cells.count("version")?),
            lane: cells.parse("lane", LaneId::parse)?,
            commit_id: CommitId::new(cells.get("commit_id")?),
            event_type: Cow::Owned(cells.get("event_type")?),
            event_version: cells.parse("event_version", |version: i32| version.try_into().ok())?,
            data: cells.get("event_data")?,
            metadata,
            recorded_at: cells.get("recorded_at")?,
        },
        reason: cells.parse("reason", |bytes: Vec<u8>| String::from_utf8(bytes).ok())?,
        parked_at: cells.get("parked_at")?,
    })
}
