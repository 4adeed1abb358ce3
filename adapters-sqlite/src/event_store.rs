//! The log: what a commit is checked against, the rows it becomes, and reading them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, SqliteConnection};
use ticketing_ports::errors::{BoxError, StoreError};
use ticketing_ports::event_store::{Commit, CommitError, CommitReceipt, EventStore};
use ticketing_ports::idempotency::IdempotencyKey;
use ticketing_ports::ids::{CommitId, LogId};
use ticketing_ports::logs::{Incarnation, LogIdentity, SchemaGeneration};
use ticketing_ports::streams::{NewEvent, Position, RecordedEvent, StreamId, Version};

use crate::bulk::Bulk;
use crate::cells::{Cells, bound, limit, written};
use crate::{SqliteStore, deadlines, idempotency};

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
        .map_err(StoreError::unavailable)?;
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
        .map_err(StoreError::unavailable)?;
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
            .map_err(StoreError::unavailable)?;
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
        .map_err(StoreError::unavailable)?;
        rows.iter().map(event_from).collect()
    }

    async fn head(&self) -> Result<Position, StoreError> {
        let row = sqlx::query("SELECT IFNULL(MAX(position), 0) AS position FROM events")
            .fetch_one(&self.readers)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(Position(event_cells(&row).count("position")?))
    }

    async fn moved_on(&self, seen: &[(StreamId, Version)]) -> Result<Vec<StreamId>, StoreError> {
        let seen = seen.to_vec();
        self.writer
            .run(move |connection| {
                Box::pin(async move {
                    let streams: Vec<StreamId> = seen.iter().map(|(stream, _)| *stream).collect();
                    let versions = find_versions(connection, &streams)
                        .await
                        .map_err(StoreError::unavailable)?;
                    let elsewhere = seen
                        .iter()
                        .filter(|(stream, version)| versions.get(stream).copied().unwrap_or_default() != *version);
                    Ok(elsewhere.map(|(stream, _)| *stream).collect())
                })
            })
            .await
    }

    async fn identity(&self) -> Result<LogIdentity, StoreError> {
        let row = sqlx::query("SELECT id, log_id, incarnation FROM log")
            .fetch_one(&self.readers)
            .await
            .map_err(StoreError::unavailable)?;
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
            .map_err(StoreError::unavailable)?;
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
                        .map_err(StoreError::unavailable)?;
                    incarnation_from(&row)
                })
            })
            .await
    }

    async fn schema_floor(&self) -> Result<SchemaGeneration, StoreError> {
        let row = sqlx::query("SELECT id, schema_floor FROM log")
            .fetch_one(&self.readers)
            .await
            .map_err(StoreError::unavailable)?;
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
                        .map_err(StoreError::unavailable)?;
                    generation_from(&row)
                })
            })
            .await
    }

    /// The file is locked: it belongs to one process.
    fn is_shared(&self) -> bool {
        false
    }
}

/// The positions of a commit's first and last event.
type Landed = (Position, Position);

/// What is known, in the writer's transaction, about everything that a group of commits touches.
pub(crate) struct Books {
    head: Position,
    incarnation: Incarnation,
    commits: HashMap<CommitId, Landed>,
    taken: HashSet<IdempotencyKey>,
    versions: HashMap<StreamId, Version>,
}

/// A new row of `events`.
struct NewRow<'c> {
    position: Position,
    stream: StreamId,
    version: Version,
    event: &'c NewEvent,
    commit: &'c Commit,
}

impl Books {
    /// Writes the commits that are not refused, in their order, each seeing those before it.
    pub(crate) async fn write(
        connection: &mut SqliteConnection,
        commits: &[Commit],
    ) -> Result<Vec<Result<CommitReceipt, CommitError>>, BoxError> {
        let mut books = Self::read(connection, commits).await?;
        let mut outcomes = Vec::with_capacity(commits.len());
        let mut accepted = Vec::with_capacity(commits.len());
        let mut rows = Vec::new();
        for commit in commits {
            let known = books.commits.get(&commit.id).copied();
            outcomes.push(match known {
                Some(landed) => Ok(books.receipt(landed)),
                None => books.check(commit).map(|()| {
                    let landed = books.accept(commit, &mut rows);
                    accepted.push((commit, landed));
                    books.receipt(landed)
                }),
            });
        }
        insert_events(connection, &rows).await?;
        insert_commits(connection, &accepted).await?;
        let accepted = accepted.into_iter().map(|(commit, _)| commit);
        deadlines::change(connection, accepted.clone().flat_map(|commit| &commit.deadlines)).await?;
        idempotency::record(connection, accepted.flat_map(|commit| &commit.idempotency)).await?;
        Ok(outcomes)
    }

    async fn read(connection: &mut SqliteConnection, commits: &[Commit]) -> Result<Self, BoxError> {
        let mut streams: Vec<StreamId> = commits
            .iter()
            .flat_map(|commit| &commit.appends)
            .map(|append| append.stream)
            .collect();
        streams.sort_unstable();
        streams.dedup();
        let keys: Vec<&IdempotencyKey> = commits
            .iter()
            .flat_map(|commit| &commit.idempotency)
            .map(|record| &record.key)
            .collect();
        let (head, incarnation) = read_head(connection).await?;
        Ok(Self {
            head,
            incarnation,
            commits: find_commits(connection, commits).await?,
            taken: idempotency::taken(connection, &keys).await?,
            versions: find_versions(connection, &streams).await?,
        })
    }

    /// A taken key goes first: who lost that race wants the recorded answer, not another decision.
    fn check(&self, commit: &Commit) -> Result<(), CommitError> {
        let mut in_this_commit = HashSet::new();
        for record in &commit.idempotency {
            if self.taken.contains(&record.key) || !in_this_commit.insert(&record.key) {
                return Err(CommitError::KeyTaken {
                    key: record.key.clone(),
                });
            }
        }
        let streams: Vec<StreamId> = commit
            .appends
            .iter()
            .filter(|append| append.expected != self.version(append.stream))
            .map(|append| append.stream)
            .collect();
        if streams.is_empty() {
            Ok(())
        } else {
            Err(CommitError::Conflict { streams })
        }
    }

    fn accept<'c>(&mut self, commit: &'c Commit, rows: &mut Vec<NewRow<'c>>) -> Landed {
        let before = self.head;
        for append in &commit.appends {
            let mut version = append.expected;
            for event in &append.events {
                version = version.next();
                self.head = self.head.plus(1);
                rows.push(NewRow {
                    position: self.head,
                    stream: append.stream,
                    version,
                    event,
                    commit,
                });
            }
            self.versions.insert(append.stream, version);
        }
        let keys = commit.idempotency.iter().map(|record| record.key.clone());
        self.taken.extend(keys);
        let landed = if self.head == before {
            (Position::START, Position::START)
        } else {
            (before.plus(1), self.head)
        };
        self.commits.insert(commit.id, landed);
        landed
    }

    fn receipt(&self, (first, last): Landed) -> CommitReceipt {
        let incarnation = self.incarnation;
        CommitReceipt {
            first,
            last,
            incarnation,
        }
    }

    fn version(&self, stream: StreamId) -> Version {
        self.versions.get(&stream).copied().unwrap_or(Version::NONE)
    }
}

async fn read_head(connection: &mut SqliteConnection) -> Result<(Position, Incarnation), BoxError> {
    let row = sqlx::query("SELECT id, incarnation, (SELECT IFNULL(MAX(position), 0) FROM events) AS position FROM log")
        .fetch_one(connection)
        .await?;
    Ok((Position(event_cells(&row).count("position")?), incarnation_from(&row)?))
}

/// What is asked comes as one list, so that one text serves any number of streams. Versions have no gaps, so how many
/// events each stream adds is known before one is read, and none is read that is not returned.
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

pub(crate) const FIND_COMMITS: Bulk = Bulk {
    head: "SELECT commit_id, first_position, last_position FROM commits WHERE commit_id IN (",
    row: "?",
    tail: ")",
};

async fn find_commits(
    connection: &mut SqliteConnection,
    commits: &[Commit],
) -> Result<HashMap<CommitId, Landed>, BoxError> {
    let rows = FIND_COMMITS
        .fetch(connection, commits, |arguments, commit| {
            arguments.add(commit.id.uuid().as_bytes().as_slice())
        })
        .await?;
    rows.iter().map(|row| Ok(commit_from(row)?)).collect()
}

pub(crate) const FIND_VERSIONS: Bulk = Bulk {
    head: "WITH wanted (id, type) AS (VALUES ",
    row: "(?, ?)",
    tail: ") SELECT newest.position, aggregate_id, aggregate_type, version
           FROM wanted CROSS JOIN events AS newest
           ON aggregate_id = id AND aggregate_type = type
           AND version = (SELECT MAX(version) FROM events WHERE aggregate_id = id AND aggregate_type = type)",
};

async fn find_versions(
    connection: &mut SqliteConnection,
    streams: &[StreamId],
) -> Result<HashMap<StreamId, Version>, BoxError> {
    let rows = FIND_VERSIONS
        .fetch(connection, streams, |arguments, stream| {
            arguments.add(stream.id.as_bytes().as_slice())?;
            arguments.add(stream.aggregate.number())
        })
        .await?;
    let version_of = |row| {
        let cells = event_cells(row);
        Ok((cells.stream()?, Version(cells.count("version")?)))
    };
    rows.iter().map(version_of).collect()
}

async fn insert_events(connection: &mut SqliteConnection, rows: &[NewRow<'_>]) -> Result<(), BoxError> {
    const INSERT: Bulk = Bulk {
        head: "INSERT INTO events (position, aggregate_type, aggregate_id, version, event_type, event_version,
                                   event_data, metadata, commit_id, recorded_at, lane_kind, lane_id) VALUES ",
        row: "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tail: "",
    };
    Ok(INSERT.execute(connection, rows, bind_event).await?)
}

fn bind_event(arguments: &mut SqliteArguments, row: &NewRow<'_>) -> Result<(), BoxError> {
    arguments.add(bound(row.position.0))?;
    arguments.add(row.stream.aggregate.number())?;
    arguments.add(row.stream.id.as_bytes().as_slice())?;
    arguments.add(bound(row.version.0))?;
    arguments.add(&*row.event.event_type)?;
    arguments.add(row.event.event_version)?;
    arguments.add(row.event.data.as_slice())?;
    arguments.add(written(&row.event.metadata)?)?;
    arguments.add(row.commit.id.uuid().as_bytes().as_slice())?;
    arguments.add(row.commit.at.timestamp_micros())?;
    arguments.add(row.commit.lane.kind.number())?;
    arguments.add(row.commit.lane.id.as_bytes().as_slice())
}

async fn insert_commits(connection: &mut SqliteConnection, commits: &[(&Commit, Landed)]) -> Result<(), BoxError> {
    const INSERT: Bulk = Bulk {
        head: "INSERT INTO commits (commit_id, first_position, last_position) VALUES ",
        row: "(?, ?, ?)",
        tail: "",
    };
    INSERT
        .execute(connection, commits, |arguments, (commit, (first, last))| {
            arguments.add(commit.id.uuid().as_bytes().as_slice())?;
            arguments.add(bound(first.0))?;
            arguments.add(bound(last.0))
        })
        .await?;
    Ok(())
}

fn commit_from(row: &SqliteRow) -> Result<(CommitId, Landed), StoreError> {
    let cells = Cells {
        row,
        table: "commits",
        key: "commit_id",
    };
    let landed = (
        Position(cells.count("first_position")?),
        Position(cells.count("last_position")?),
    );
    Ok((CommitId::new(cells.uuid("commit_id")?), landed))
}

fn incarnation_from(row: &SqliteRow) -> Result<Incarnation, StoreError> {
    let number = |number: i64| number.try_into().ok();
    log_cells(row).parse("incarnation", number).map(Incarnation)
}

fn generation_from(row: &SqliteRow) -> Result<SchemaGeneration, StoreError> {
    let number = |number: i64| number.try_into().ok();
    log_cells(row).parse("schema_floor", number).map(SchemaGeneration)
}

fn log_cells(row: &SqliteRow) -> Cells<'_> {
    Cells {
        row,
        table: "log",
        key: "id",
    }
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

fn event_cells(row: &SqliteRow) -> Cells<'_> {
    Cells {
        row,
        table: "events",
        key: "position",
    }
}
