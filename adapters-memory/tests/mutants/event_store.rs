//! The working store in memory, behind a wrapper that makes one mistake on purpose, so that a conformance rule must
//! fail.

mod answers;
mod deadlines;
mod lies;
mod log;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use adapters_memory::InMemoryEventStore;
use chrono::{DateTime, SubsecRound as _};
use ticketing_ports::log::deadlines::{DeadlineKey, DeadlineKind, DeadlineWrite};
use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt, EventStore as _};
use ticketing_ports::log::idempotency::IdempotencyKey;
use ticketing_ports::log::identity::{Incarnation, SchemaGeneration};
use ticketing_ports::log::streams::{Aggregate, Metadata, Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, UserId};
use uuid::Uuid;

pub(crate) use lies::{ANSWERS_BROKEN_BY, BROKEN_BY, DEADLINES_BROKEN_BY, Lie};

/// A store that makes the mistake `lie` on purpose and otherwise does what the working store `inner` does.
#[derive(Debug)]
pub(crate) struct Mutant {
    inner: InMemoryEventStore,
    lie: Lie,
    floor: Mutex<SchemaGeneration>,
    /// A counter from which `made_up_id` derives the next commit id.
    made_up: AtomicU64,
    refused: AtomicU64,
    refused_ids: Mutex<BTreeSet<CommitId>>,
    known_deadlines: Mutex<BTreeSet<DeadlineKey>>,
    /// How many deadlines were leased.
    leased: AtomicU64,
    shown: Mutex<BTreeSet<Position>>,
}

impl Mutant {
    pub(crate) fn new(lie: Lie) -> Self {
        Self {
            inner: InMemoryEventStore::new(),
            lie,
            floor: Mutex::new(SchemaGeneration::FIRST),
            made_up: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            refused_ids: Mutex::default(),
            known_deadlines: Mutex::default(),
            leased: AtomicU64::new(0),
            shown: Mutex::default(),
        }
    }

    fn made_up_id(&self) -> CommitId {
        CommitId::new(Uuid::from_u64_pair(
            u64::MAX,
            self.made_up.fetch_add(1, Ordering::SeqCst),
        ))
    }

    async fn version(&self, stream: StreamId) -> Version {
        let events = self.inner.read_stream(stream, Version::NONE, usize::MAX).await;
        events
            .expect("a store in memory can always be read")
            .last()
            .map_or(Version::NONE, |event| event.version)
    }

    /// Changes a commit before it is written, if the lie is one about what is written.
    fn distort(&self, commit: &mut Commit) {
        match self.lie {
            Lie::SortsAppends => commit.appends.sort_by_key(|append| append.stream),
            Lie::CutsPayloadsAt64Kib => {
                let events = commit.appends.iter_mut().flat_map(|append| &mut append.events);
                events.for_each(|event| event.data.truncate(1 << 16));
            }
            Lie::CutsCommitsAt4096Events => {
                let mut room = 4096_usize;
                for append in &mut commit.appends {
                    append.events.truncate(room);
                    room -= append.events.len();
                }
            }
            Lie::MixesUpAggregates => {
                let streams = commit.appends.iter_mut().map(|append| &mut append.stream);
                streams.for_each(|stream| stream.aggregate = Aggregate::Catalog);
            }
            Lie::DropsDeadlines => commit.deadlines.clear(),
            Lie::NeverClearsDeadlines => {
                commit
                    .deadlines
                    .retain(|change| matches!(change, DeadlineWrite::Set(_)));
            }
            Lie::ClearsEveryKind => {
                let of_every_kind = |change: &DeadlineWrite| match change {
                    DeadlineWrite::Set(_) => vec![change.clone()],
                    DeadlineWrite::Clear(key) => DeadlineKind::ALL
                        .map(|kind| DeadlineWrite::Clear(DeadlineKey { kind, ..*key }))
                        .to_vec(),
                };
                commit.deadlines = commit.deadlines.iter().flat_map(of_every_kind).collect();
            }
            Lie::KeepsTheFirstDeadline => {
                let mut known = self
                    .known_deadlines
                    .lock()
                    .expect("no code panics while it holds this lock");
                commit.deadlines.retain(|change| match change {
                    DeadlineWrite::Set(caused) => known.insert(caused.deadline.key),
                    DeadlineWrite::Clear(key) => known.remove(key),
                });
            }
            Lie::FirstChangeWins => commit.deadlines.reverse(),
            Lie::ForgetsTheLaneOfADeadline | Lie::ForgetsTheCauseOfADeadline => {
                for write in &mut commit.deadlines {
                    if let DeadlineWrite::Set(caused) = write {
                        match self.lie {
                            Lie::ForgetsTheCauseOfADeadline => caused.cause = Metadata::default(),
                            _ => caused.deadline.lane = EventId::new(Uuid::nil()).into(),
                        }
                    }
                }
            }
            Lie::DropsAnswers => commit.idempotency.clear(),
            Lie::ForgetsFingerprints => {
                commit
                    .idempotency
                    .iter_mut()
                    .for_each(|record| record.request_hash = [0; 32]);
            }
            Lie::IgnoresTheUserOfAKey | Lie::FoldsKeys => {
                commit
                    .idempotency
                    .iter_mut()
                    .for_each(|record| self.distort_key(&mut record.key));
            }
            Lie::WritesOnALostPast => commit.landmarks.clear(),
            Lie::LooksAtOneLandmark => commit.landmarks.truncate(1),
            Lie::KeepsOneOfTwoAnswers => {
                let mut seen = BTreeSet::new();
                commit.idempotency.retain(|record| seen.insert(record.key.clone()));
            }
            _ => {}
        }
    }

    fn distort_key(&self, key: &mut IdempotencyKey) {
        match self.lie {
            Lie::IgnoresTheUserOfAKey => key.user_id = UserId::new(Uuid::nil()),
            Lie::FoldsKeys => key.key = key.key.trim().to_lowercase(),
            _ => {}
        }
    }

    /// Changes the expected versions of a commit, so that the commit is accepted although it should be a conflict.
    async fn forgive(&self, commit: &mut Commit) {
        for append in &mut commit.appends {
            let version = self.version(append.stream).await;
            let forgiven = match self.lie {
                Lie::AcceptsStaleVersions => append.expected < version,
                Lie::AcceptsFutureVersions => append.expected > version,
                Lie::CreatesStreamsTwice => append.expected == Version::NONE,
                _ => false,
            };
            if forgiven {
                append.expected = version;
            }
        }
    }

    /// Writes a commit. If the lie is one about writing, the commit is written in a way that breaks the contract.
    async fn commit_badly(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        let broken = || CommitError::Unavailable("the mutant does not want to".into());
        match self.lie {
            Lie::WritesStreamByStream => self.commit_stream_by_stream(commit).await,
            Lie::AcceptsStaleVersions | Lie::AcceptsFutureVersions | Lie::CreatesStreamsTwice => {
                self.commit_forgiven(commit).await
            }
            Lie::IgnoresTakenKeys => match self.inner.commit(commit.clone()).await {
                Err(CommitError::KeyTaken { .. }) => {
                    let idempotency = Vec::new();
                    self.inner.commit(Commit { idempotency, ..commit }).await
                }
                outcome => outcome,
            },
            Lie::RefusesRepeatedCommits
                if self
                    .inner
                    .find_commit(commit.id)
                    .await
                    .is_ok_and(|found| found.is_some()) =>
            {
                Err(broken())
            }
            Lie::AppliesDeadlinesOfRepeatedCommits => {
                let again = Commit {
                    id: self.made_up_id(),
                    appends: Vec::new(),
                    idempotency: Vec::new(),
                    ..commit.clone()
                };
                self.inner.commit(again).await?;
                self.inner.commit(commit).await
            }
            Lie::RefusesCommitsWithoutEvents if commit.appends.is_empty() => Err(broken()),
            Lie::RefusesToClearUnknownDeadlines => {
                let mut known = self
                    .known_deadlines
                    .lock()
                    .expect("no code panics while it holds this lock")
                    .clone();
                for change in &commit.deadlines {
                    match change {
                        DeadlineWrite::Set(caused) => _ = known.insert(caused.deadline.key),
                        DeadlineWrite::Clear(key) if known.remove(key) => {}
                        DeadlineWrite::Clear(_) => return Err(broken()),
                    }
                }
                *self
                    .known_deadlines
                    .lock()
                    .expect("no code panics while it holds this lock") = known;
                self.inner.commit(commit).await
            }
            _ => self.inner.commit(commit).await,
        }
    }

    /// Writes each stream of a commit by a commit of its own.
    async fn commit_stream_by_stream(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        let mut rest = commit.clone();
        let last = rest.appends.pop();
        for append in rest.appends.drain(..) {
            let part = Commit {
                id: self.made_up_id(),
                appends: vec![append],
                deadlines: Vec::new(),
                idempotency: Vec::new(),
                landmarks: Vec::new(),
                ..commit
            };
            self.inner.commit(part).await?;
        }
        rest.appends.extend(last);
        let last = self.inner.commit(rest).await?;
        let events: usize = commit.appends.iter().map(|append| append.events.len()).sum();
        Ok(CommitReceipt {
            first: Position(last.last.0 + 1 - events.max(1) as u64),
            ..last
        })
    }

    /// Writes a commit that should be a conflict.
    async fn commit_forgiven(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        // When several writers race, all may find that the stream does not exist, and all but one conflict.
        // Each of these tries again, and then finds the stream that the first writer has made.
        for _ in 0..100 {
            let mut forgiven = commit.clone();
            self.forgive(&mut forgiven).await;
            match self.inner.commit(forgiven).await {
                Err(CommitError::Conflict { .. }) => {}
                outcome => return outcome,
            }
        }
        self.inner.commit(commit).await
    }

    /// Changes the answer to a commit, if the lie is one about answers.
    fn distort_outcome(
        &self,
        asked: &Commit,
        outcome: Result<CommitReceipt, CommitError>,
    ) -> Result<CommitReceipt, CommitError> {
        if outcome.is_err() {
            self.refused.fetch_add(1, Ordering::SeqCst);
            self.refused_ids
                .lock()
                .expect("no code panics while it holds this lock")
                .insert(asked.id);
        }
        match (self.lie, outcome) {
            (Lie::BlamesEveryStream, Err(CommitError::Conflict { .. })) => Err(CommitError::Conflict {
                streams: asked.appends.iter().map(|append| append.stream).collect(),
            }),
            (Lie::BlamesOneStream, Err(CommitError::Conflict { mut streams })) => {
                streams.truncate(1);
                Err(CommitError::Conflict { streams })
            }
            (Lie::ReceiptsAreOffByOne, Ok(receipt)) => Ok(CommitReceipt {
                first: receipt.first.plus(1),
                ..receipt
            }),
            (Lie::ReceiptsForgetTheIncarnation, Ok(receipt)) => Ok(CommitReceipt {
                incarnation: Incarnation::FIRST,
                ..receipt
            }),
            (_, Ok(receipt)) => Ok(CommitReceipt {
                first: self.distort_position(receipt.first),
                last: self.distort_position(receipt.last),
                ..receipt
            }),
            (_, outcome) => outcome,
        }
    }

    fn distort_position(&self, position: Position) -> Position {
        match self.lie {
            Lie::LeavesGapsBetweenPositions => position.plus(position.0 / 4),
            Lie::UsesUpPositionsOfRefusedCommits if position > Position::START => {
                position.plus(self.refused.load(Ordering::SeqCst))
            }
            _ => position,
        }
    }

    /// Changes facts that are read from the log, if the lie is one about reading.
    fn distort_events(&self, events: &mut [RecordedEvent]) {
        for event in events {
            event.position = self.distort_position(event.position);
            match self.lie {
                Lie::CountsVersionsFromZero => event.version.0 -= 1,
                Lie::RewritesHistory if !self.first_time(event.position) => event.data.reverse(),
                Lie::ForgetsWhichCommitItWas => event.commit_id = CommitId::new(Uuid::nil()),
                Lie::ForgetsTheLane => event.lane = EventId::new(Uuid::nil()).into(),
                Lie::ForgetsTheEventType => event.event_type = Cow::Borrowed("event"),
                Lie::PayloadsAreText => event.data = String::from_utf8_lossy(&event.data).into_owned().into_bytes(),
                Lie::SchemaVersionsAreBytes => event.event_version &= 0xFF,
                Lie::ForgetsTheActor => event.metadata.actor = None,
                Lie::InventsAnActor => {
                    event.metadata.actor.get_or_insert(UserId::new(Uuid::nil()));
                }
                Lie::ForgetsTheTrace => event.metadata.trace = None,
                Lie::TimesAreMilliseconds => event.recorded_at = event.recorded_at.trunc_subsecs(3),
                Lie::TimesStartIn1970 => event.recorded_at = event.recorded_at.max(DateTime::UNIX_EPOCH),
                _ => {}
            }
        }
    }

    /// Returns whether the fact at that position is read for the first time.
    fn first_time(&self, position: Position) -> bool {
        self.shown
            .lock()
            .expect("no code panics while it holds this lock")
            .insert(position)
    }

    fn distort_limit(&self, limit: usize) -> usize {
        match self.lie {
            Lie::LimitsAreOffByOne => limit.saturating_add(1),
            _ => limit,
        }
    }
}
