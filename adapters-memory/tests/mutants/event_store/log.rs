//! How the broken store writes and reads its log.

use async_trait::async_trait;
use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt, EventStore, Memory};
use ticketing_ports::log::identity::{Incarnation, Landmark, LogIdentity, SchemaGeneration};
use ticketing_ports::log::streams::{Aggregate, Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{CommitId, LogId};

use super::{Lie, Mutant};

#[async_trait]
impl EventStore for Mutant {
    async fn commit(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        let mut distorted = commit.clone();
        self.distort(&mut distorted);
        let outcome = self.commit_badly(distorted).await;
        self.distort_outcome(&commit, outcome)
    }

    async fn find_commit(&self, id: CommitId) -> Result<Option<CommitReceipt>, StoreError> {
        let refused = self
            .refused_ids
            .lock()
            .expect("no code panics while it holds this lock")
            .contains(&id);
        match self.lie {
            Lie::ForgetsCommits => Ok(None),
            Lie::RemembersRefusedCommits if refused => Ok(Some(CommitReceipt {
                first: Position::START,
                last: Position::START,
                incarnation: Incarnation::FIRST,
            })),
            _ => self.inner.find_commit(id).await,
        }
    }

    async fn read_stream(
        &self,
        mut stream: StreamId,
        mut after: Version,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let version = self.version(stream).await;
        match self.lie {
            Lie::MixesUpAggregates => stream.aggregate = Aggregate::Catalog,
            Lie::StartsOverPastTheEnd if after > version => after = Version::NONE,
            Lie::AnswersForUnknownStreams if version == Version::NONE => {
                return self.inner.read_all(Position::START, limit).await;
            }
            _ => {}
        }
        let mut events = self.inner.read_stream(stream, after, self.distort_limit(limit)).await?;
        self.distort_events(&mut events);
        Ok(events)
    }

    async fn read_streams(
        &self,
        streams: &[(StreamId, Version)],
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let mut streams = streams.to_vec();
        if self.lie == Lie::SortsStreams {
            streams.sort_unstable();
        }
        if self.lie != Lie::LimitsEachStream {
            return self.inner.read_streams(&streams, self.distort_limit(limit)).await;
        }
        let mut events = Vec::new();
        for (stream, after) in streams {
            events.extend(self.inner.read_stream(stream, after, limit).await?);
        }
        Ok(events)
    }

    async fn read_all(&self, mut after: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        if self.lie == Lie::StartsOverPastTheEnd && after > self.inner.head().await? {
            after = Position::START;
        }
        let mut events = self.inner.read_all(after, self.distort_limit(limit)).await?;
        self.distort_events(&mut events);
        if self.lie == Lie::ShowsSomeEventsLate {
            events.retain(|event| event.position.0 % 7 != 0 || !self.first_time(event.position));
        }
        Ok(events)
    }

    async fn head(&self) -> Result<Position, StoreError> {
        let head = self.inner.head().await?;
        Ok(match self.lie {
            Lie::HeadLagsBehind => Position(head.0.saturating_sub(1)),
            _ => self.distort_position(head),
        })
    }

    async fn check_memory(&self, seen: &[(StreamId, Version)], landmarks: &[Landmark]) -> Result<Memory, StoreError> {
        let landmarks = match self.lie {
            Lie::ChecksOneLandmark => &landmarks[..landmarks.len().min(1)],
            _ => landmarks,
        };
        let mut memory = self.inner.check_memory(seen, landmarks).await?;
        if let (Lie::NamesOneMovedStream, Memory::Stale(streams)) = (self.lie, &mut memory) {
            streams.truncate(1);
        }
        Ok(memory)
    }

    async fn identity(&self) -> Result<LogIdentity, StoreError> {
        let mut identity = self.inner.identity().await?;
        match self.lie {
            Lie::MintsAnIdForEachQuestion => identity.log = LogId::new(self.made_up_id().uuid()),
            Lie::CountsIncarnationsFromZero => identity.incarnation.0 -= 1,
            _ => {}
        }
        Ok(identity)
    }

    async fn commit_at(&self, position: Position) -> Result<Option<CommitId>, StoreError> {
        let head = self.inner.head().await?;
        let position = match self.lie {
            Lie::NamesTheNextCommit => position.plus(1),
            Lie::NamesACommitPastTheEnd => position.min(head),
            _ => position,
        };
        self.inner.commit_at(position).await
    }

    async fn raise_incarnation(&self, seen: Incarnation) -> Result<Incarnation, StoreError> {
        let in_force = self.inner.identity().await?.incarnation;
        let seen = match self.lie {
            Lie::RaisesForEachWhoNotices => in_force,
            Lie::RaisesByOne => seen.min(in_force),
            _ => seen,
        };
        self.inner.raise_incarnation(seen).await
    }

    async fn schema_floor(&self) -> Result<SchemaGeneration, StoreError> {
        Ok(match self.lie {
            Lie::LowersTheFloor => *self.floor.lock().expect("no code panics while it holds this lock"),
            Lie::FloorsBeginWithNothing => SchemaGeneration(self.inner.schema_floor().await?.0 - 1),
            _ => self.inner.schema_floor().await?,
        })
    }

    async fn raise_schema_floor(&self, to: SchemaGeneration) -> Result<SchemaGeneration, StoreError> {
        if self.lie == Lie::LowersTheFloor {
            *self.floor.lock().expect("no code panics while it holds this lock") = to;
            return Ok(to);
        }
        self.inner.raise_schema_floor(to).await
    }
}
