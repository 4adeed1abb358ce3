//! The log in a SQLite file. Commits go to the task that writes; reads use connections of their own.

use std::borrow::Cow;

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt, EventStore, Memory};
use ticketing_ports::log::identity::{Incarnation, Landmark, LogIdentity, SchemaGeneration};
use ticketing_ports::log::streams::{Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{CommitId, LogId};

use crate::SqliteStore;
use crate::cells::{bound, limit};
use crate::commit_check::{commit_from, event_cells, find_landmarks, find_versions, incarnation_from, log_cells};
use crate::result_code::failed;

#[async_trait]
impl EventStore for SqliteStore {
    async fn commit(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        self.writer.commit(commit).await
    }

    async fn find_commit(&self, id: CommitId) -> Result<Option<CommitReceipt>, StoreError> {
        let row = sqlx::query(
            "SELECT commit_id, first_position, last_position, incarnation FROM commits, log WHERE commit_id = ?",
        )
        .bind(id.uuid().as_bytes().as_slice())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        // The reader may still have a file open that was removed: a commit that is only there is lost.
        self.writer.check()?;
        let receipt = |row| {
            let (_, (first, last)) = commit_from(&row)?;
            Ok(CommitReceipt {
                first,
                last,
                incarnation: incarnation_from(&row)?,
            })
        };
        row.map(receipt).transpose()
    }

    async fn read_stream(
        &self,
        stream: StreamId,
        after: Version,
        most: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let rows = sqlx::query(
            "SELECT position, aggregate_type, aggregate_id, version, event_type, event_version, event_data, metadata,
                    commit_id, recorded_at, lane_kind, lane_id
             FROM events
             WHERE aggregate_id = ? AND aggregate_type = ? AND version > ?
             ORDER BY version
             LIMIT ?",
        )
        .bind(stream.id.as_bytes().as_slice())
        .bind(stream.aggregate.number())
        .bind(bound(after.0))
        .bind(limit(most))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.iter().map(event_from).collect()
    }

    async fn read_streams(
        &self,
        streams: &[(StreamId, Version)],
        most: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let asked: Vec<(String, i16, i64)> = streams
            .iter()
            .map(|(stream, after)| {
                (
                    stream.id.simple().to_string(),
                    stream.aggregate.number(),
                    bound(after.0),
                )
            })
            .collect();
        let rows = sqlx::query(READ_STREAMS)
            .bind(sqlx::types::Json(asked))
            .bind(limit(most))
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        rows.iter().map(event_from).collect()
    }

    async fn read_all(&self, after: Position, most: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        let rows = sqlx::query(
            "SELECT position, aggregate_type, aggregate_id, version, event_type, event_version, event_data, metadata,
                    commit_id, recorded_at, lane_kind, lane_id
             FROM events
             WHERE position > ?
             ORDER BY position
             LIMIT ?",
        )
        .bind(bound(after.0))
        .bind(limit(most))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.iter().map(event_from).collect()
    }

    async fn head(&self) -> Result<Position, StoreError> {
        let row = sqlx::query("SELECT IFNULL(MAX(position), 0) AS position FROM events")
            .fetch_one(&self.readers)
            .await
            .map_err(failed)?;
        Ok(Position(event_cells(&row).count("position")?))
    }

    async fn check_memory(&self, seen: &[(StreamId, Version)], landmarks: &[Landmark]) -> Result<Memory, StoreError> {
        let (seen, landmarks) = (seen.to_vec(), landmarks.to_vec());
        self.writer
            .run(move |connection| {
                Box::pin(async move {
                    let there = find_landmarks(connection, landmarks.iter())
                        .await
                        .map_err(StoreError::unavailable)?;
                    let is_lost = |landmark: &Landmark| there.get(&landmark.position) != Some(&landmark.commit);
                    if landmarks.iter().any(is_lost) {
                        return Ok(Memory::OfALostPast);
                    }
                    let streams: Vec<StreamId> = seen.iter().map(|(stream, _)| *stream).collect();
                    let versions = find_versions(connection, &streams)
                        .await
                        .map_err(StoreError::unavailable)?;
                    let elsewhere = seen
                        .iter()
                        .filter(|(stream, version)| versions.get(stream).copied().unwrap_or_default() != *version);
                    let stale: Vec<_> = elsewhere.map(|(stream, _)| *stream).collect();
                    Ok(Memory::with_stale(stale))
                })
            })
            .await
    }

    async fn identity(&self) -> Result<LogIdentity, StoreError> {
        let row = sqlx::query("SELECT id, log_id, incarnation FROM log")
            .fetch_one(&self.readers)
            .await
            .map_err(failed)?;
        Ok(LogIdentity {
            log: LogId::new(log_cells(&row).uuid("log_id")?),
            incarnation: incarnation_from(&row)?,
        })
    }

    async fn commit_at(&self, position: Position) -> Result<Option<CommitId>, StoreError> {
        let row = sqlx::query("SELECT position, commit_id FROM events WHERE position = ?")
            .bind(bound(position.0))
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        row.map(|row| Ok(CommitId::new(event_cells(&row).uuid("commit_id")?)))
            .transpose()
    }

    async fn raise_incarnation(&self, seen: Incarnation) -> Result<Incarnation, StoreError> {
        self.writer
            .run(move |connection| {
                Box::pin(async move {
                    let row = sqlx::query("UPDATE log SET incarnation = MAX(incarnation, ?) RETURNING id, incarnation")
                        .bind(seen.next().0)
                        .fetch_one(connection)
                        .await
                        .map_err(failed)?;
                    incarnation_from(&row)
                })
            })
            .await
    }

    async fn schema_floor(&self) -> Result<SchemaGeneration, StoreError> {
        let row = sqlx::query("SELECT id, schema_floor FROM log")
            .fetch_one(&self.readers)
            .await
            .map_err(failed)?;
        generation_from(&row)
    }

    async fn raise_schema_floor(&self, to: SchemaGeneration) -> Result<SchemaGeneration, StoreError> {
        self.writer
            .run(move |connection| {
                Box::pin(async move {
                    let raise = "UPDATE log SET schema_floor = MAX(schema_floor, ?) RETURNING id, schema_floor";
                    let row = sqlx::query(raise)
                        .bind(to.0)
                        .fetch_one(connection)
                        .await
                        .map_err(failed)?;
                    generation_from(&row)
                })
            })
            .await
    }

    /// Returns `false`, because the file is locked for this process.
    fn has_other_writers(&self) -> bool {
        false
    }
}

/// Reads the events of several streams, up to a limit in all. The streams are one JSON parameter, so that the same
/// statement serves any number of streams. Since versions have no gaps, the statement can compute how many events
/// each stream has after a version, and reads only events that it returns.
pub(crate) const READ_STREAMS: &str = "
    WITH asked (place, id, type, after) AS (
        SELECT key, unhex(value ->> 0), value ->> 1, value ->> 2 FROM json_each(?1)
    ),
    news (place, id, type, after, number) AS (
        SELECT place, id, type, after, MAX(0, IFNULL(
            (SELECT MAX(version) FROM events WHERE aggregate_id = id AND aggregate_type = type), 0
        ) - after)
        FROM asked
    ),
    shares (place, id, type, after, share) AS (
        SELECT place, id, type, after, MIN(number, ?2 - SUM(number) OVER (ORDER BY place) + number) FROM news
    )
    SELECT position, aggregate_type, aggregate_id, version, event_type, event_version, event_data, metadata, commit_id,
           recorded_at, lane_kind, lane_id
    FROM shares CROSS JOIN events
    ON aggregate_id = id AND aggregate_type = type AND version > after AND version <= after + share
    ORDER BY place, version";

fn generation_from(row: &SqliteRow) -> Result<SchemaGeneration, StoreError> {
    let number = |number: i64| number.try_into().ok();
    log_cells(row).parse("schema_floor", number).map(SchemaGeneration)
}

fn event_from(row: &SqliteRow) -> Result<RecordedEvent, StoreError> {
    let cells = event_cells(row);
    Ok(RecordedEvent {
        position: Position(cells.count("position")?),
        stream: cells.stream()?,
        version: Version(cells.count("version")?),
        lane: cells.lane()?,
        commit_id: CommitId::new(cells.uuid("commit_id")?),
        event_type: Cow::Owned(cells.get("event_type")?),
        event_version: cells.parse("event_version", |version: i64| version.try_into().ok())?,
        data: cells.get("event_data")?,
        metadata: cells.metadata("metadata")?,
        recorded_at: cells.time("recorded_at")?,
    })
}
