//! The log: what a commit is checked against, the rows it becomes, and reading them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, SqliteConnection};
use ticketing_ports::errors::{BoxError, StoreError};
use ticketing_ports::event_store::{Commit, CommitError, CommitReceipt, EventStore};
use ticketing_ports::idempotency::IdempotencyKey;
use ticketing_ports::ids::CommitId;
use ticketing_ports::streams::{Metadata, NewEvent, Position, RecordedEvent, StreamId, Version};

use crate::bulk::Bulk;
use crate::cells::{Cells, bound, limit, number_of};
use crate::{SqliteStore, deadlines, idempotency};

#[async_trait]
impl EventStore for SqliteStore {
    async fn commit(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        self.writer.commit(commit).await
    }

    async fn find_commit(&self, id: CommitId) -> Result<Option<CommitReceipt>, StoreError> {
        let row = sqlx::query("SELECT commit_id, first_position, last_position FROM commits WHERE commit_id = ?")
            .bind(id.uuid().as_bytes().as_slice())
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::unavailable)?;
        row.map(|row| Ok(commit_from(&row)?.1)).transpose()
    }

    async fn read_stream(
        &self,
        stream: StreamId,
        after: Version,
        most: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let rows = sqlx::query(
            "SELECT position, aggregate_type, aggregate_id, version, event_type, event_version, event_data, metadata,
                    commit_id, recorded_at
             FROM events
             WHERE aggregate_id = ? AND aggregate_type = ? AND version > ?
             ORDER BY version
             LIMIT ?",
        )
        .bind(stream.id.as_bytes().as_slice())
        .bind(number_of(stream.aggregate))
        .bind(bound(after.0))
        .bind(limit(most))
        .fetch_all(&self.readers)
        .await
        .map_err(StoreError::unavailable)?;
        rows.iter().map(event_from).collect()
    }

    async fn read_all(&self, after: Position, most: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        let rows = sqlx::query(
            "SELECT position, aggregate_type, aggregate_id, version, event_type, event_version, event_data, metadata,
                    commit_id, recorded_at
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

    /// The file is locked: it belongs to one process.
    fn is_shared(&self) -> bool {
        false
    }
}

/// What is known, in the writer's transaction, about everything that a group of commits touches.
pub(crate) struct Books {
    head: Position,
    commits: HashMap<CommitId, CommitReceipt>,
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
                Some(receipt) => Ok(receipt),
                None => books.check(commit).map(|()| {
                    let receipt = books.accept(commit, &mut rows);
                    accepted.push((commit, receipt));
                    receipt
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
        Ok(Self {
            head: read_head(connection).await?,
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

    fn accept<'c>(&mut self, commit: &'c Commit, rows: &mut Vec<NewRow<'c>>) -> CommitReceipt {
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
        let (first, last) = if self.head == before {
            (Position::START, Position::START)
        } else {
            (before.plus(1), self.head)
        };
        let receipt = CommitReceipt { first, last };
        self.commits.insert(commit.id, receipt);
        receipt
    }

    fn version(&self, stream: StreamId) -> Version {
        self.versions.get(&stream).copied().unwrap_or(Version::NONE)
    }
}

async fn read_head(connection: &mut SqliteConnection) -> Result<Position, BoxError> {
    let row = sqlx::query("SELECT IFNULL(MAX(position), 0) AS position FROM events")
        .fetch_one(connection)
        .await?;
    Ok(Position(event_cells(&row).count("position")?))
}

pub(crate) const FIND_COMMITS: Bulk = Bulk {
    head: "SELECT commit_id, first_position, last_position FROM commits WHERE commit_id IN (",
    row: "?",
    tail: ")",
};

async fn find_commits(
    connection: &mut SqliteConnection,
    commits: &[Commit],
) -> Result<HashMap<CommitId, CommitReceipt>, BoxError> {
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
            arguments.add(number_of(stream.aggregate))
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
                                   event_data, metadata, commit_id, recorded_at) VALUES ",
        row: "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tail: "",
    };
    Ok(INSERT.execute(connection, rows, bind_event).await?)
}

fn bind_event(arguments: &mut SqliteArguments, row: &NewRow<'_>) -> Result<(), BoxError> {
    let metadata = &row.event.metadata;
    let metadata = if *metadata == Metadata::default() {
        None
    } else {
        Some(serde_json::to_string(metadata)?)
    };
    arguments.add(bound(row.position.0))?;
    arguments.add(number_of(row.stream.aggregate))?;
    arguments.add(row.stream.id.as_bytes().as_slice())?;
    arguments.add(bound(row.version.0))?;
    arguments.add(&*row.event.event_type)?;
    arguments.add(row.event.event_version)?;
    arguments.add(row.event.data.as_slice())?;
    arguments.add(metadata)?;
    arguments.add(row.commit.id.uuid().as_bytes().as_slice())?;
    arguments.add(row.commit.at.timestamp_micros())
}

async fn insert_commits(
    connection: &mut SqliteConnection,
    commits: &[(&Commit, CommitReceipt)],
) -> Result<(), BoxError> {
    const INSERT: Bulk = Bulk {
        head: "INSERT INTO commits (commit_id, first_position, last_position) VALUES ",
        row: "(?, ?, ?)",
        tail: "",
    };
    INSERT
        .execute(connection, commits, |arguments, (commit, receipt)| {
            arguments.add(commit.id.uuid().as_bytes().as_slice())?;
            arguments.add(bound(receipt.first.0))?;
            arguments.add(bound(receipt.last.0))
        })
        .await?;
    Ok(())
}

fn commit_from(row: &SqliteRow) -> Result<(CommitId, CommitReceipt), StoreError> {
    let cells = Cells {
        row,
        table: "commits",
        key: "commit_id",
    };
    let receipt = CommitReceipt {
        first: Position(cells.count("first_position")?),
        last: Position(cells.count("last_position")?),
    };
    Ok((CommitId::new(cells.uuid("commit_id")?), receipt))
}

fn event_from(row: &SqliteRow) -> Result<RecordedEvent, StoreError> {
    let cells = event_cells(row);
    let metadata = cells.parse("metadata", |json: Option<&str>| match json {
        Some(json) => serde_json::from_str(json).ok(),
        None => Some(Metadata::default()),
    })?;
    Ok(RecordedEvent {
        position: Position(cells.count("position")?),
        stream: cells.stream()?,
        version: Version(cells.count("version")?),
        commit_id: CommitId::new(cells.uuid("commit_id")?),
        event_type: Cow::Owned(cells.get("event_type")?),
        event_version: cells.parse("event_version", |version: i64| version.try_into().ok())?,
        data: cells.get("event_data")?,
        metadata,
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
