//! An event store in memory: the log, its deadlines, recorded answers and snapshots under one lock.
//!
//! The durable adapters have to behave as this store does. It also serves tests, simulations and benchmarks. No
//! result depends on the order of a hash map, so that a run with a given random seed can be repeated exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{
    CausedDeadline, DeadlineCount, DeadlineKey, DeadlineKind, DeadlineStore, DeadlineWrite,
};
use ticketing_ports::log::event_store::{Append, Commit, CommitError, CommitReceipt, EventStore, Memory};
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencyStore};
use ticketing_ports::log::identity::{Incarnation, Landmark, LogIdentity, SchemaGeneration};
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::snapshots::Snapshot;
use ticketing_ports::log::streams::{Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{CommitId, LogId};
use uuid::Uuid;

/// An event store that keeps everything in memory, and loses it when the store is dropped.
#[derive(Debug)]
pub struct InMemoryEventStore {
    log: Mutex<Log>,
}

#[derive(Debug, Clone)]
pub(crate) struct Log {
    identity: LogIdentity,
    schema_floor: SchemaGeneration,
    /// The facts. The fact at position *p* has the index *p* - 1.
    events: Vec<RecordedEvent>,
    /// For each stream, the indices of its facts in `events`. The fact of version *v* is the entry *v* - 1.
    streams: BTreeMap<StreamId, Vec<usize>>,
    /// The positions of the first and the last fact of each commit.
    commits: BTreeMap<CommitId, (Position, Position)>,
    deadlines: BTreeMap<DeadlineKey, Pending>,
    /// The keys of `deadlines` with the times when they are due, the earliest first.
    due: BTreeSet<(Timestamp, DeadlineKey)>,
    answers: BTreeMap<IdempotencyKey, IdempotencyRecord>,
    /// The snapshots, by stream and format.
    pub(crate) snapshots: BTreeMap<(StreamId, u16), Snapshot>,
}

#[derive(Debug, Clone)]
struct Pending {
    caused: CausedDeadline,
    leased_until: Option<Timestamp>,
}

impl InMemoryEventStore {
    /// Makes an empty log with a new random id.
    #[expect(
        clippy::disallowed_methods,
        reason = "no decision depends on the log's id; a caller who has to repeat a run exactly passes one to `of`"
    )]
    pub fn new() -> Self {
        Self::of(LogId::new(Uuid::new_v4()))
    }

    /// Makes an empty log with the given id, so that a run can be repeated exactly.
    pub fn of(log: LogId) -> Self {
        Self {
            log: Mutex::new(Log::of(log)),
        }
    }

    /// Returns a backup: a copy of everything in the log, including its identity.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            log: Mutex::new(self.log().clone()),
        }
    }

    /// Replaces the content of this store by a backup. Facts that are newer than the backup are lost, and no reader
    /// is told.
    pub fn put_back(&self, backup: &Self) {
        let restored = backup.log().clone();
        *self.log() = restored;
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        // A lock that was poisoned by a panic is used all the same: a commit is checked as a whole before its first
        // row is written, so that a panic leaves no half of a commit behind.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for InMemoryEventStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl EventStore for InMemoryEventStore {
    async fn commit(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        self.log().commit(commit)
    }

    async fn find_commit(&self, id: CommitId) -> Result<Option<CommitReceipt>, StoreError> {
        let log = self.log();
        Ok(log.commits.get(&id).map(|landed| log.receipt(*landed)))
    }

    async fn read_stream(
        &self,
        stream: StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        Ok(self.log().stream_after(stream, after).take(limit).cloned().collect())
    }

    async fn read_streams(
        &self,
        streams: &[(StreamId, Version)],
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let log = self.log();
        let events = streams
            .iter()
            .flat_map(|(stream, after)| log.stream_after(*stream, *after));
        Ok(events.take(limit).cloned().collect())
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        let log = self.log();
        Ok(tail(&log.events, after.0).iter().take(limit).cloned().collect())
    }

    async fn head(&self) -> Result<Position, StoreError> {
        Ok(self.log().head())
    }

    async fn check_memory(&self, seen: &[(StreamId, Version)], landmarks: &[Landmark]) -> Result<Memory, StoreError> {
        let log = self.log();
        if log.check_past(landmarks).is_err() {
            return Ok(Memory::OfALostPast);
        }
        let elsewhere = seen.iter().filter(|(stream, version)| log.version(stream) != *version);
        let stale: Vec<_> = elsewhere.map(|(stream, _)| *stream).collect();
        Ok(Memory::with_stale(stale))
    }

    async fn identity(&self) -> Result<LogIdentity, StoreError> {
        Ok(self.log().identity)
    }

    async fn commit_at(&self, position: Position) -> Result<Option<CommitId>, StoreError> {
        Ok(self.log().commit_at(position))
    }

    async fn raise_incarnation(&self, seen: Incarnation) -> Result<Incarnation, StoreError> {
        let incarnation = &mut self.log().identity.incarnation;
        *incarnation = seen.next().max(*incarnation);
        Ok(*incarnation)
    }

    async fn schema_floor(&self) -> Result<SchemaGeneration, StoreError> {
        Ok(self.log().schema_floor)
    }

    async fn raise_schema_floor(&self, to: SchemaGeneration) -> Result<SchemaGeneration, StoreError> {
        let floor = &mut self.log().schema_floor;
        *floor = to.max(*floor);
        Ok(*floor)
    }
}

#[async_trait]
impl DeadlineStore for InMemoryEventStore {
    async fn lease_due(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<CausedDeadline>, StoreError> {
        Ok(self.log().lease_due(now, lease, limit))
    }

    async fn count_deadlines(&self, now: Timestamp) -> Result<BTreeMap<DeadlineKind, DeadlineCount>, StoreError> {
        let mut counts = BTreeMap::<_, DeadlineCount>::new();
        for (due_at, key) in &self.log().due {
            let count = counts.entry(key.kind).or_default();
            *if *due_at > now {
                &mut count.ahead
            } else {
                &mut count.due
            } += 1;
        }
        Ok(counts)
    }
}

#[async_trait]
impl IdempotencyStore for InMemoryEventStore {
    async fn find_answers(&self, keys: &[IdempotencyKey]) -> Result<Vec<IdempotencyRecord>, StoreError> {
        let log = self.log();
        let keys: BTreeSet<_> = keys.iter().collect();
        Ok(keys
            .into_iter()
            .filter_map(|key| log.answers.get(key))
            .cloned()
            .collect())
    }

    async fn forget_answers(&self, before: Timestamp) -> Result<u64, StoreError> {
        let answers = &mut self.log().answers;
        let known = answers.len();
        answers.retain(|_, record| record.recorded_at >= before);
        Ok((known - answers.len()) as u64)
    }
}

impl Log {
    fn of(log: LogId) -> Self {
        Self {
            identity: LogIdentity {
                log,
                incarnation: Incarnation::FIRST,
            },
            schema_floor: SchemaGeneration::FIRST,
            events: Vec::new(),
            streams: BTreeMap::new(),
            commits: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            due: BTreeSet::new(),
            answers: BTreeMap::new(),
            snapshots: BTreeMap::new(),
        }
    }

    fn receipt(&self, (first, last): (Position, Position)) -> CommitReceipt {
        let incarnation = self.identity.incarnation;
        CommitReceipt {
            first,
            last,
            incarnation,
        }
    }

    pub(crate) fn stream_after(&self, stream: StreamId, after: Version) -> impl Iterator<Item = &RecordedEvent> {
        let indices = self.streams.get(&stream).map_or(&[][..], Vec::as_slice);
        tail(indices, after.0).iter().map(|index| &self.events[*index])
    }

    fn commit(&mut self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        if let Some(landed) = self.commits.get(&commit.id) {
            return Ok(self.receipt(*landed));
        }
        self.check_past(&commit.landmarks)?;
        self.check_keys(&commit.idempotency)?;
        self.check_versions(&commit.appends)?;

        let before = self.head();
        for append in commit.appends {
            self.append(commit.id, commit.lane, commit.at, append);
        }
        for write in commit.deadlines {
            self.write_deadline(write);
        }
        for record in commit.idempotency {
            self.answers.insert(record.key.clone(), record);
        }
        let last = self.head();
        let landed = if last == before {
            (Position::START, Position::START)
        } else {
            (before.plus(1), last)
        };
        self.commits.insert(commit.id, landed);
        Ok(self.receipt(landed))
    }

    fn check_past(&self, landmarks: &[Landmark]) -> Result<(), CommitError> {
        let is_there = |landmark: &Landmark| self.commit_at(landmark.position) == Some(landmark.commit);
        if landmarks.iter().all(is_there) {
            Ok(())
        } else {
            Err(CommitError::LostPast)
        }
    }

    fn check_keys(&self, records: &[IdempotencyRecord]) -> Result<(), CommitError> {
        let mut in_this_commit = BTreeSet::new();
        let taken = records
            .iter()
            .find(|record| self.answers.contains_key(&record.key) || !in_this_commit.insert(&record.key));
        match taken {
            Some(record) => Err(CommitError::KeyTaken {
                key: record.key.clone(),
            }),
            None => Ok(()),
        }
    }

    fn check_versions(&self, appends: &[Append]) -> Result<(), CommitError> {
        let streams: Vec<StreamId> = appends
            .iter()
            .filter(|append| append.expected != self.version(&append.stream))
            .map(|append| append.stream)
            .collect();
        if streams.is_empty() {
            Ok(())
        } else {
            Err(CommitError::Conflict { streams })
        }
    }

    fn append(&mut self, commit_id: CommitId, lane: LaneId, at: Timestamp, append: Append) {
        let indices = self.streams.entry(append.stream).or_default();
        for new in append.events {
            let index = self.events.len();
            indices.push(index);
            self.events.push(RecordedEvent {
                position: Position(index as u64 + 1),
                stream: append.stream,
                version: Version(indices.len() as u64),
                lane,
                commit_id,
                event_type: new.event_type,
                event_version: new.event_version,
                data: new.data,
                metadata: new.metadata,
                recorded_at: at,
            });
        }
    }

    fn write_deadline(&mut self, write: DeadlineWrite) {
        let key = write.key();
        if let Some(old) = self.deadlines.remove(&key) {
            self.due.remove(&(old.caused.deadline.due_at, key));
        }
        if let DeadlineWrite::Set(caused) = write {
            self.due.insert((caused.deadline.due_at, key));
            let pending = Pending {
                caused,
                leased_until: None,
            };
            self.deadlines.insert(key, pending);
        }
    }

    fn lease_due(&mut self, now: Timestamp, lease: Duration, limit: usize) -> Vec<CausedDeadline> {
        let until = TimeDelta::from_std(lease)
            .ok()
            .and_then(|lease| now.checked_add_signed(lease))
            .unwrap_or(Timestamp::MAX_UTC);
        let mut leased = Vec::new();
        for (_, key) in self.due.iter().take_while(|(due_at, _)| *due_at <= now) {
            if leased.len() == limit {
                break;
            }
            let pending = self
                .deadlines
                .get_mut(key)
                .expect("every key in `due` is also in `deadlines`");
            if pending.leased_until.is_none_or(|end| end <= now) {
                pending.leased_until = Some(until);
                leased.push(pending.caused.clone());
            }
        }
        leased
    }

    fn commit_at(&self, position: Position) -> Option<CommitId> {
        let before = position.0.checked_sub(1)?;
        let event = tail(&self.events, before).first()?;
        Some(event.commit_id)
    }

    fn version(&self, stream: &StreamId) -> Version {
        Version(self.streams.get(stream).map_or(0, Vec::len) as u64)
    }

    fn head(&self) -> Position {
        Position(self.events.len() as u64)
    }
}

/// Returns the entries that come after the first `after` entries; none if there are fewer.
fn tail<T>(all: &[T], after: u64) -> &[T] {
    usize::try_from(after)
        .ok()
        .and_then(|after| all.get(after..))
        .unwrap_or(&[])
}
