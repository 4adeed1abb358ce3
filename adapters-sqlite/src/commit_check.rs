//! Decides which commits of a group are refused, before the first row is written, and then writes the others.
//!
//! This module reads only what these decisions need. The reads that callers of the store ask for are in other
//! modules.

mod answers;
mod deadlines;

use std::collections::{HashMap, HashSet};

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, SqliteConnection};
use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt};
use ticketing_ports::log::idempotency::IdempotencyKey;
use ticketing_ports::log::identity::{Incarnation, Landmark};
use ticketing_ports::log::streams::{NewEvent, Position, StreamId, Version};
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};
use ticketing_ports::vocabulary::ids::CommitId;

use crate::bulk::Bulk;
use crate::cells::{Cells, bound, written};

#[cfg(test)]
pub(crate) use answers::FIND_KEYS;
pub(crate) use answers::{cells_of, key_from};
#[cfg(test)]
pub(crate) use deadlines::CLEAR;
pub(crate) use deadlines::kind_of;

/// Where a commit landed in the log: the positions of its first and of its last event.
pub(crate) type Landed = (Position, Position);

/// What the log has recorded about the streams, ids and keys that a group of commits uses. Each accepted commit
/// updates these data, so that the next commit is checked against the log as it will be after the accepted commits.
pub(crate) struct CommitCheck {
    head: Position,
    incarnation: Incarnation,
    commits: HashMap<CommitId, Landed>,
    taken: HashSet<IdempotencyKey>,
    versions: HashMap<StreamId, Version>,
    /// For the position of each landmark of the group, the commit that wrote the fact there.
    landmarks: HashMap<Position, CommitId>,
}

/// A row to be written into the table `events`.
struct NewRow<'c> {
    position: Position,
    stream: StreamId,
    version: Version,
    event: &'c NewEvent,
    commit: &'c Commit,
}

impl CommitCheck {
    /// Checks the commits one after another, each as if the accepted commits before it were written already, and then
    /// writes the commits that were not refused.
    pub(crate) async fn write(
        connection: &mut SqliteConnection,
        commits: &[Commit],
    ) -> Result<Vec<Result<CommitReceipt, CommitError>>, BoxError> {
        let mut check = Self::read(connection, commits).await?;
        let mut outcomes = Vec::with_capacity(commits.len());
        let mut accepted = Vec::with_capacity(commits.len());
        let mut rows = Vec::new();
        for commit in commits {
            let known = check.commits.get(&commit.id).copied();
            outcomes.push(match known {
                Some(landed) => Ok(check.receipt(landed)),
                None => check.check(commit).map(|()| {
                    let landed = check.accept(commit, &mut rows);
                    accepted.push((commit, landed));
                    check.receipt(landed)
                }),
            });
        }
        insert_events(connection, &rows).await?;
        insert_commits(connection, &accepted).await?;
        let accepted = accepted.into_iter().map(|(commit, _)| commit);
        deadlines::change(connection, accepted.clone().flat_map(|commit| &commit.deadlines)).await?;
        answers::record(connection, accepted.flat_map(|commit| &commit.idempotency)).await?;
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
            taken: answers::taken(connection, &keys).await?,
            versions: find_versions(connection, &streams).await?,
            landmarks: find_landmarks(connection, commits.iter().flat_map(|commit| &commit.landmarks)).await?,
        })
    }

    /// Checks one commit. If its idempotency key is taken and its streams have changed too, the taken key is
    /// reported: the caller then gets the recorded answer, and need not decide again.
    fn check(&self, commit: &Commit) -> Result<(), CommitError> {
        let is_there = |landmark: &Landmark| self.landmarks.get(&landmark.position) == Some(&landmark.commit);
        if !commit.landmarks.iter().all(is_there) {
            return Err(CommitError::LostPast);
        }
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

pub(crate) async fn find_versions(
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

/// Reads which commits wrote the facts at the positions of landmarks. One query for each landmark is cheap enough: a
/// commit needs landmarks only if other processes write to the log, and a file has one writing process.
pub(crate) async fn find_landmarks(
    connection: &mut SqliteConnection,
    landmarks: impl Iterator<Item = &Landmark>,
) -> Result<HashMap<Position, CommitId>, BoxError> {
    let mut found = HashMap::new();
    for landmark in landmarks {
        let row = sqlx::query("SELECT position, commit_id FROM events WHERE position = ?")
            .bind(bound(landmark.position.0))
            .fetch_optional(&mut *connection)
            .await?;
        if let Some(row) = row {
            let cells = event_cells(&row);
            found.insert(landmark.position, CommitId::new(cells.uuid("commit_id")?));
        }
    }
    Ok(found)
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

pub(crate) fn commit_from(row: &SqliteRow) -> Result<(CommitId, Landed), StoreError> {
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

pub(crate) fn incarnation_from(row: &SqliteRow) -> Result<Incarnation, StoreError> {
    let number = |number: i64| number.try_into().ok();
    log_cells(row).parse("incarnation", number).map(Incarnation)
}

pub(crate) fn log_cells(row: &SqliteRow) -> Cells<'_> {
    Cells {
        row,
        table: "log",
        key: "id",
    }
}

pub(crate) fn event_cells(row: &SqliteRow) -> Cells<'_> {
    Cells {
        row,
        table: "events",
        key: "position",
    }
}
