use std::borrow::Cow;
use std::time::Duration;

use chrono::{TimeDelta, TimeZone, Utc};
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{CausedDeadline, Deadline, DeadlineKey, DeadlineKind, DeadlineWrite};
use ticketing_ports::log::event_store::{Append, Commit, CommitError, CommitReceipt};
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord};
use ticketing_ports::log::identity::{Incarnation, Landmark, LogIdentity};
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::{CorrelationId, Metadata, NewEvent, Position, RecordedEvent, StreamId, Version};
use ticketing_ports::people::erase::Person;
use ticketing_ports::vocabulary::ids::{CommitId, EventId, LogId, ReservationId, UserId};
use ticketing_ports::vocabulary::secrets::SecretDigest;
use ticketing_ports::vocabulary::trace_context::TraceContext;
use uuid::Uuid;

use super::{Backend, Broken};

pub(super) fn commit_id(number: usize) -> CommitId {
    CommitId::new(Uuid::from_u128(0xC0_0000_0000 + number as u128))
}

pub(super) fn stream(number: usize) -> StreamId {
    ReservationId::new(Uuid::from_u128(0x50_0000_0000 + number as u128)).into()
}

/// Returns the lane of the made-up event with that number.
pub(super) fn lane(number: usize) -> LaneId {
    EventId::new(Uuid::from_u128(0xE0_0000_0000 + number as u128)).into()
}

/// Returns the identity of a made-up log, which tests of a bus name as the origin of the facts that they publish.
pub(super) fn log_identity(number: u32) -> LogIdentity {
    LogIdentity {
        log: LogId::new(Uuid::from_u128(0x10_0000_0000 + u128::from(number))),
        incarnation: Incarnation(number),
    }
}

pub(super) fn user(number: usize) -> UserId {
    UserId::new(Uuid::from_u128(0xA0_0000_0000 + number as u128))
}

/// Returns a person whom a test erases, and whose e-mail address is not known.
pub(super) fn person(number: usize) -> Person {
    Person {
        id: user(number),
        email: None,
    }
}

pub(super) fn digest(number: usize) -> SecretDigest {
    let mut bytes = [0xD1; 32];
    bytes[24..].copy_from_slice(&(number as u64).to_be_bytes());
    SecretDigest::from_bytes(bytes)
}

/// Returns the time that is this many seconds after noon of a fixed day, plus a fraction of a second that only a
/// store with microseconds can keep.
pub(super) fn at(seconds: i64) -> Timestamp {
    let noon = Utc.with_ymd_and_hms(2027, 3, 14, 12, 0, 0).single();
    noon.expect("noon of this day exists once in UTC") + TimeDelta::seconds(seconds) + TimeDelta::microseconds(123_457)
}

pub(super) fn event(data: impl Into<Vec<u8>>) -> NewEvent {
    NewEvent {
        event_type: Cow::Borrowed("seats_held"),
        event_version: 1,
        data: data.into(),
        metadata: Metadata::default(),
    }
}

/// Returns the trace context of a request whose `tracestate` header has these values.
pub(super) fn trace(states: &[&str]) -> Option<TraceContext> {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    TraceContext::parse(parent, states.iter().copied())
}

/// Returns metadata with a value in every field.
pub(super) fn full_metadata() -> Metadata {
    Metadata {
        correlation_id: CorrelationId::parse("req-42"),
        actor: Some(user(7)),
        trace: trace(&["rojo=00f067aa0ba902b7", "congo=t61rcWkgMzE"]),
    }
}

/// Returns a fact as a log would return it.
pub(super) fn recorded(stream: StreamId, version: u64, position: u64) -> RecordedEvent {
    RecordedEvent {
        position: Position(position),
        stream,
        version: Version(version),
        lane: lane(1),
        commit_id: commit_id(position as usize),
        event_type: Cow::Borrowed("seats_held"),
        event_version: 1,
        data: format!(r#"{{"position":{position}}}"#).into_bytes(),
        metadata: Metadata::default(),
        recorded_at: at(position as i64),
    }
}

/// Returns `count` events with different payloads.
pub(super) fn events(count: usize) -> Vec<NewEvent> {
    (1..=count)
        .map(|number| event(format!(r#"{{"number":{number}}}"#)))
        .collect()
}

pub(super) fn deadline(number: usize, due_at: Timestamp) -> Deadline {
    Deadline {
        key: DeadlineKey {
            stream: stream(number),
            kind: DeadlineKind::HoldExpiry,
        },
        due_at,
        lane: lane(number),
    }
}

pub(super) fn key(user_number: usize, key: &str) -> IdempotencyKey {
    IdempotencyKey {
        user_id: user(user_number),
        key: key.to_owned(),
    }
}

pub(super) fn answer(key: IdempotencyKey, answer: &str, recorded_at: Timestamp) -> IdempotencyRecord {
    IdempotencyRecord {
        key,
        request_hash: [0xF1; 32],
        answer: answer.as_bytes().to_vec(),
        recorded_at,
    }
}

/// Builds a commit: `write(1).append(stream(1), 0, events(2)).to(backend).await?`.
#[derive(Debug, Clone)]
pub(super) struct Draft(Commit);

/// Begins a commit whose id is made from `number`.
pub(super) fn write(number: usize) -> Draft {
    Draft(Commit {
        id: commit_id(number),
        lane: lane(1),
        at: at(0),
        appends: Vec::new(),
        deadlines: Vec::new(),
        idempotency: Vec::new(),
        landmarks: Vec::new(),
    })
}

impl Draft {
    pub(super) fn at(mut self, time: Timestamp) -> Self {
        self.0.at = time;
        self
    }

    pub(super) fn append(mut self, stream: StreamId, expected: u64, events: Vec<NewEvent>) -> Self {
        self.0.appends.push(Append {
            stream,
            expected: Version(expected),
            events,
        });
        self
    }

    /// Adds a landmark: the commit of that number wrote the fact at that position.
    pub(super) fn remembers(mut self, position: u64, number: usize) -> Self {
        self.0.landmarks.push(Landmark {
            position: Position(position),
            commit: commit_id(number),
        });
        self
    }

    pub(super) fn of(mut self, lane: LaneId) -> Self {
        self.0.lane = lane;
        self
    }

    pub(super) fn set(self, deadline: Deadline) -> Self {
        self.set_because(deadline, Metadata::default())
    }

    pub(super) fn set_because(mut self, deadline: Deadline, cause: Metadata) -> Self {
        let caused = CausedDeadline { deadline, cause };
        self.0.deadlines.push(DeadlineWrite::Set(caused));
        self
    }

    pub(super) fn clear(mut self, key: DeadlineKey) -> Self {
        self.0.deadlines.push(DeadlineWrite::Clear(key));
        self
    }

    pub(super) fn answer(mut self, record: IdempotencyRecord) -> Self {
        self.0.idempotency.push(record);
        self
    }

    pub(super) async fn to(self, backend: &Backend) -> Result<CommitReceipt, CommitError> {
        backend.store.commit(self.0).await
    }

    /// Sends the commit, which must end in a conflict, and returns the streams of the conflict, sorted.
    pub(super) async fn conflicts_at(self, backend: &Backend) -> Result<Vec<StreamId>, Broken> {
        match self.to(backend).await {
            Err(CommitError::Conflict { mut streams }) => {
                streams.sort();
                Ok(streams)
            }
            other => Err(Broken::because(format!("{other:?} instead of a conflict"))),
        }
    }
}

pub(super) async fn whole_log(backend: &Backend) -> Result<Vec<RecordedEvent>, Broken> {
    Ok(backend.store.read_all(Position::START, usize::MAX).await?)
}

pub(super) async fn whole_stream(backend: &Backend, stream: StreamId) -> Result<Vec<RecordedEvent>, Broken> {
    Ok(backend.store.read_stream(stream, Version::NONE, usize::MAX).await?)
}

/// Returns the answer that is recorded under a key; `None` if there is none.
pub(super) async fn found_answer(backend: &Backend, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, Broken> {
    let mut found = backend.idempotency.find_answers(std::slice::from_ref(key)).await?;
    match (found.pop(), found.pop()) {
        (found, None) => Ok(found),
        more => Err(Broken::because(format!("one key has more than one answer: {more:?}"))),
    }
}

/// Leases deadlines and returns them without their causes.
pub(super) async fn leased(
    backend: &Backend,
    now: Timestamp,
    lease: Duration,
    limit: usize,
) -> Result<Vec<Deadline>, Broken> {
    let leased = backend.deadlines.lease_due(now, lease, limit).await?;
    Ok(leased.into_iter().map(|caused| caused.deadline).collect())
}

pub(super) fn payloads(events: &[RecordedEvent]) -> Vec<&[u8]> {
    events.iter().map(|event| event.data.as_slice()).collect()
}
