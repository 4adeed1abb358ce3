//! The log in PostgreSQL. Each commit is written by one call of the database function `write_commit_v4`.

mod arguments;
mod writer_turns;

use std::borrow::Cow;

use async_trait::async_trait;
use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};
use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt, EventStore, Memory};
use ticketing_ports::log::identity::{Incarnation, Landmark, LogIdentity, SchemaGeneration};
use ticketing_ports::log::streams::{Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{CommitId, LogId};
use uuid::Uuid;

use crate::cells::{Cells, bound, limit};
use crate::database::Database;
use crate::errors::failed;
use arguments::Arguments;
use writer_turns::wait_for_turn;

/// The store of the log, of the deadlines and idempotency records that its commits write, and of snapshots.
#[derive(Debug, Clone)]
pub struct PostgresEventStore {
    pub(crate) pool: PgPool,
    /// An id that tells this process from the other processes that write to the same log.
    writer: Uuid,
}

impl PostgresEventStore {
    /// Uses the database of [`Purpose::Events`](crate::Purpose::Events), which has been migrated.
    pub fn new(database: &Database) -> Self {
        Self {
            pool: database.pool().clone(),
            writer: database.client(),
        }
    }
}

#[async_trait]
impl EventStore for PostgresEventStore {
    async fn commit(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        if let Some(key) = repeated_key(&commit) {
            return Err(CommitError::KeyTaken { key });
        }
        // If no connection can be had, the statement is not sent, so nothing was written.
        let mut connection = self
            .pool
            .acquire()
            .await
            .map_err(|error| CommitError::Unavailable(error.into()))?;
        let row = Arguments::of(&commit)
            .query(self.writer)
            .fetch_one(&mut *connection)
            .await
            .map_err(failure)?;
        drop(connection);
        match outcome(&row, &commit)? {
            Verdict::Written(receipt) => Ok(receipt),
            Verdict::OthersGoFirst { streams } => {
                wait_for_turn(&self.pool, self.writer, &streams).await;
                Err(CommitError::Conflict { streams })
            }
        }
    }

    async fn find_commit(&self, id: CommitId) -> Result<Option<CommitReceipt>, StoreError> {
        let row = sqlx::query(
            "SELECT commit_id, first_position, last_position, incarnation
             FROM commits, log_head
             WHERE commit_id = $1",
        )
        .bind(id.uuid())
        .fetch_optional(&self.pool)
        .await
        .map_err(failed)?;
        let receipt = |row: &PgRow| {
            let cells = Cells {
                row,
                table: "commits",
                key: "commit_id",
            };
            Ok(CommitReceipt {
                first: Position(cells.count("first_position")?),
                last: Position(cells.count("last_position")?),
                incarnation: cells.parse("incarnation", incarnation)?,
            })
        };
        row.as_ref().map(receipt).transpose()
    }

    async fn read_stream(
        &self,
        stream: StreamId,
        after: Version,
        most: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let rows = sqlx::query(
            "SELECT position, aggregate_type, stream_id, version, event_type, event_version, event_data, metadata,
                    commit_id, recorded_at, lane_kind, lane_id
             FROM events
             WHERE stream_id = $1 AND aggregate_type = $2 AND version > $3
             ORDER BY version
             LIMIT $4",
        )
        .bind(stream.id)
        .bind(stream.aggregate.number())
        .bind(bound(after.0))
        .bind(limit(most))
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter().map(event_from).collect()
    }

    async fn read_streams(
        &self,
        streams: &[(StreamId, Version)],
        most: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let (types, ids, versions) = columns(streams);
        let rows = sqlx::query(
            "SELECT position, aggregate_type, stream_id, version, event_type, event_version, event_data, metadata,
                    commit_id, recorded_at, lane_kind, lane_id
             FROM read_streams_v1($1, $2, $3, $4)",
        )
        .bind(types)
        .bind(ids)
        .bind(versions)
        .bind(limit(most))
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter().map(event_from).collect()
    }

    async fn read_all(&self, after: Position, most: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        let rows = sqlx::query(
            "SELECT position, aggregate_type, stream_id, version, event_type, event_version, event_data, metadata,
                    commit_id, recorded_at, lane_kind, lane_id
             FROM events
             WHERE position > $1
             ORDER BY position
             LIMIT $2",
        )
        .bind(bound(after.0))
        .bind(limit(most))
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter().map(event_from).collect()
    }

    async fn head(&self) -> Result<Position, StoreError> {
        let row = sqlx::query("SELECT position FROM log_head WHERE id")
            .fetch_one(&self.pool)
            .await
            .map_err(failed)?;
        Ok(Position(head_cells(&row).count("position")?))
    }

    async fn check_memory(&self, seen: &[(StreamId, Version)], landmarks: &[Landmark]) -> Result<Memory, StoreError> {
        let (types, ids, versions) = columns(seen);
        let positions: Vec<_> = landmarks.iter().map(|landmark| bound(landmark.position.0)).collect();
        let commits: Vec<_> = landmarks.iter().map(|landmark| landmark.commit.uuid()).collect();
        let (moved, lost): (Option<Vec<i64>>, bool) =
            sqlx::query_as("SELECT moved, lost FROM check_memory_v1($1, $2, $3, $4, $5)")
                .bind(types)
                .bind(ids)
                .bind(versions)
                .bind(positions)
                .bind(commits)
                .fetch_one(&self.pool)
                .await
                .map_err(failed)?;
        if lost {
            return Ok(Memory::OfALostPast);
        }
        let place = |place: i64| usize::try_from(place - 1).ok();
        let moved = moved.unwrap_or_default().into_iter().filter_map(place);
        let stale: Vec<_> = moved
            .filter_map(|place| seen.get(place))
            .map(|(stream, _)| *stream)
            .collect();
        Ok(Memory::with_stale(stale))
    }

    async fn identity(&self) -> Result<LogIdentity, StoreError> {
        let row = sqlx::query("SELECT position, log_id, incarnation FROM log_head WHERE id")
            .fetch_one(&self.pool)
            .await
            .map_err(failed)?;
        let cells = head_cells(&row);
        Ok(LogIdentity {
            log: LogId::new(cells.get("log_id")?),
            incarnation: cells.parse("incarnation", incarnation)?,
        })
    }

    async fn commit_at(&self, position: Position) -> Result<Option<CommitId>, StoreError> {
        let commit: Option<Uuid> = sqlx::query_scalar("SELECT commit_id FROM events WHERE position = $1")
            .bind(bound(position.0))
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        Ok(commit.map(CommitId::new))
    }

    async fn raise_incarnation(&self, seen: Incarnation) -> Result<Incarnation, StoreError> {
        let row = sqlx::query(
            "UPDATE log_head SET incarnation = greatest(incarnation, $1) WHERE id RETURNING position, incarnation",
        )
        .bind(i32::try_from(seen.next().0).unwrap_or(i32::MAX))
        .fetch_one(&self.pool)
        .await
        .map_err(failed)?;
        head_cells(&row).parse("incarnation", incarnation)
    }

    async fn schema_floor(&self) -> Result<SchemaGeneration, StoreError> {
        let row = sqlx::query("SELECT position, schema_floor FROM log_head WHERE id")
            .fetch_one(&self.pool)
            .await
            .map_err(failed)?;
        head_cells(&row).parse("schema_floor", generation)
    }

    async fn raise_schema_floor(&self, to: SchemaGeneration) -> Result<SchemaGeneration, StoreError> {
        let row = sqlx::query(
            "UPDATE log_head SET schema_floor = greatest(schema_floor, $1) WHERE id RETURNING position, schema_floor",
        )
        .bind(i32::try_from(to.0).unwrap_or(i32::MAX))
        .fetch_one(&self.pool)
        .await
        .map_err(failed)?;
        head_cells(&row).parse("schema_floor", generation)
    }
}

/// What the database answered to a commit if it neither found a conflict nor refused the commit for another reason.
enum Verdict {
    Written(CommitReceipt),
    /// Nothing was written, because other writers have the turn to commit next on these streams.
    OthersGoFirst {
        streams: Vec<StreamId>,
    },
}

/// Returns a key that the commit has in two idempotency records, if there is one. The table would refuse such
/// records.
fn repeated_key(commit: &Commit) -> Option<ticketing_ports::log::idempotency::IdempotencyKey> {
    let mut seen = std::collections::HashSet::new();
    let repeated = commit.idempotency.iter().find(|record| !seen.insert(&record.key))?;
    Some(repeated.key.clone())
}

fn outcome(row: &PgRow, commit: &Commit) -> Result<Verdict, CommitError> {
    // If the answer cannot be read, it is unknown whether the commit was written.
    let unreadable = |error: sqlx::Error| CommitError::Unknown(error.into());
    let verdict: &str = row.try_get("verdict").map_err(unreadable)?;
    let refused: Option<Vec<i64>> = row.try_get("refused").map_err(unreadable)?;
    let places = refused
        .into_iter()
        .flatten()
        .filter_map(|place| usize::try_from(place - 1).ok());
    match verdict {
        "written" => {
            let position = |column| {
                let position: i64 = row.try_get(column).map_err(unreadable)?;
                let position = u64::try_from(position).map_err(|error| CommitError::Unknown(error.into()))?;
                Ok(Position(position))
            };
            Ok(Verdict::Written(CommitReceipt {
                first: position("first_position")?,
                last: position("last_position")?,
                incarnation: row.try_get("incarnation").ok().and_then(incarnation).ok_or_else(|| {
                    CommitError::Unknown(
                        "the incarnation in the database's answer to a commit is negative or missing".into(),
                    )
                })?,
            }))
        }
        "claimed" => Ok(Verdict::OthersGoFirst {
            streams: places
                .filter_map(|place| commit.appends.get(place))
                .map(|append| append.stream)
                .collect(),
        }),
        "conflict" => Err(CommitError::Conflict {
            streams: places
                .filter_map(|place| commit.appends.get(place))
                .map(|append| append.stream)
                .collect(),
        }),
        "lost_past" => Err(CommitError::LostPast),
        "key_taken" => places
            .filter_map(|place| commit.idempotency.get(place))
            .map(|record| record.key.clone())
            .next()
            .map_or_else(
                || {
                    Err(CommitError::Unknown(
                        "the database says that an idempotency key is taken, but not which key".into(),
                    ))
                },
                |key| Err(CommitError::KeyTaken { key }),
            ),
        other => Err(CommitError::Unknown(
            format!("the database answers a commit with the unknown verdict {other:?}").into(),
        )),
    }
}

/// Returns the error of a failed commit: `Unknown` if the commit may have been written all the same, `Unavailable` if
/// it was not.
fn failure(error: sqlx::Error) -> CommitError {
    match &error {
        // If the server answers with an error, it has rolled the transaction back. But if it is shutting down (57P)
        // or the connection broke (08), the commit may be on disk already, and only the confirmation is missing.
        sqlx::Error::Database(answered) => match answered.code() {
            Some(code) if code.starts_with("57P") || code.starts_with("08") => CommitError::Unknown(error.into()),
            _ => CommitError::Unavailable(error.into()),
        },
        sqlx::Error::Encode(_) => CommitError::Unavailable(error.into()),
        _ => CommitError::Unknown(error.into()),
    }
}

/// Returns streams with their versions as three arrays, one for each column: types, ids and versions.
fn columns(streams: &[(StreamId, Version)]) -> (Vec<i16>, Vec<Uuid>, Vec<i64>) {
    let types = streams.iter().map(|(stream, _)| stream.aggregate.number());
    let ids = streams.iter().map(|(stream, _)| stream.id);
    let versions = streams.iter().map(|(_, version)| bound(version.0));
    (types.collect(), ids.collect(), versions.collect())
}

fn incarnation(number: i32) -> Option<Incarnation> {
    number.try_into().ok().map(Incarnation)
}

fn generation(number: i32) -> Option<SchemaGeneration> {
    number.try_into().ok().map(SchemaGeneration)
}

fn head_cells(row: &PgRow) -> Cells<'_> {
    Cells {
        row,
        table: "log_head",
        key: "position",
    }
}

fn event_from(row: &PgRow) -> Result<RecordedEvent, StoreError> {
    let cells = Cells {
        row,
        table: "events",
        key: "position",
    };
    Ok(RecordedEvent {
        position: Position(cells.count("position")?),
        stream: cells.stream()?,
        version: Version(cells.count("version")?),
        lane: cells.lane()?,
        commit_id: CommitId::new(cells.get("commit_id")?),
        event_type: Cow::Owned(cells.get("event_type")?),
        event_version: cells.parse("event_version", |version: i32| version.try_into().ok())?,
        data: cells.get("event_data")?,
        metadata: cells.metadata("metadata")?,
        recorded_at: cells.get("recorded_at")?,
    })
}
