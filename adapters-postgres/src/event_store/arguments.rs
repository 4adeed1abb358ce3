//! A commit as arguments of `write_commit_v4`: arrays, which PostgreSQL unnests into rows.

use std::collections::BTreeMap;

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{CausedDeadline, DeadlineKey, DeadlineWrite};
use ticketing_ports::log::event_store::Commit;
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::{Metadata, StreamId};
use uuid::Uuid;

use crate::cells::bound;

pub(super) struct Arguments<'c> {
    commit: &'c Commit,
    landmarks: Vec<i64>,
    landmark_commits: Vec<Uuid>,
    expected: Streams,
    expected_versions: Vec<i64>,
    events: Events<'c>,
    cleared: Streams,
    cleared_kinds: Vec<&'static str>,
    set: Streams,
    set_kinds: Vec<&'static str>,
    set_due: Vec<Timestamp>,
    set_lanes: Vec<LaneId>,
    set_causes: Vec<Option<String>>,
}

/// The two columns that together name a stream: the type of its aggregate, and its id.
#[derive(Default)]
struct Streams {
    types: Vec<i16>,
    ids: Vec<Uuid>,
}

impl Extend<StreamId> for Streams {
    fn extend<I: IntoIterator<Item = StreamId>>(&mut self, streams: I) {
        for stream in streams {
            self.types.push(stream.aggregate.number());
            self.ids.push(stream.id);
        }
    }
}

impl FromIterator<StreamId> for Streams {
    fn from_iter<I: IntoIterator<Item = StreamId>>(streams: I) -> Self {
        let mut columns = Self::default();
        columns.extend(streams);
        columns
    }
}

#[derive(Default)]
struct Events<'c> {
    streams: Streams,
    versions: Vec<i64>,
    types: Vec<&'c str>,
    schema_versions: Vec<i32>,
    payloads: Vec<&'c [u8]>,
    metadata: Vec<Option<String>>,
}

impl<'c> Arguments<'c> {
    pub(super) fn of(commit: &'c Commit) -> Self {
        let mut last_change = BTreeMap::new();
        for write in &commit.deadlines {
            match write {
                DeadlineWrite::Set(caused) => last_change.insert(caused.deadline.key, Some(caused)),
                DeadlineWrite::Clear(key) => last_change.insert(*key, None),
            };
        }
        let cleared: Vec<DeadlineKey> = last_change
            .iter()
            .filter(|(_, set)| set.is_none())
            .map(|(key, _)| *key)
            .collect();
        let set: Vec<&CausedDeadline> = last_change.into_values().flatten().collect();
        let landmarks = commit.landmarks.iter();
        Self {
            commit,
            landmarks: landmarks.clone().map(|landmark| bound(landmark.position.0)).collect(),
            landmark_commits: landmarks.map(|landmark| landmark.commit.uuid()).collect(),
            expected: commit.appends.iter().map(|append| append.stream).collect(),
            expected_versions: commit.appends.iter().map(|append| bound(append.expected.0)).collect(),
            events: Events::of(commit),
            cleared: cleared.iter().map(|key| key.stream).collect(),
            cleared_kinds: cleared.iter().map(|key| key.kind.as_str()).collect(),
            set: set.iter().map(|caused| caused.deadline.key.stream).collect(),
            set_kinds: set.iter().map(|caused| caused.deadline.key.kind.as_str()).collect(),
            set_due: set.iter().map(|caused| caused.deadline.due_at).collect(),
            set_lanes: set.iter().map(|caused| caused.deadline.lane).collect(),
            set_causes: set.iter().map(|caused| written(&caused.cause)).collect(),
        }
    }

    /// Returns the call of `write_commit_v4`, with the arguments in the order of that function's parameters.
    pub(super) fn query(self, writer: Uuid) -> Query<'c, Postgres, PgArguments> {
        let records = &self.commit.idempotency;
        sqlx::query(
            "SELECT verdict, first_position, last_position, refused, incarnation
             FROM write_commit_v4($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                               $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)",
        )
        .bind(self.landmarks)
        .bind(self.landmark_commits)
        .bind(self.commit.id.uuid())
        .bind(writer)
        .bind(self.commit.lane.kind.number())
        .bind(self.commit.lane.id)
        .bind(self.commit.at)
        .bind(self.expected.types)
        .bind(self.expected.ids)
        .bind(self.expected_versions)
        .bind(self.events.streams.types)
        .bind(self.events.streams.ids)
        .bind(self.events.versions)
        .bind(self.events.types)
        .bind(self.events.schema_versions)
        .bind(self.events.payloads)
        .bind(self.events.metadata)
        .bind(self.cleared.types)
        .bind(self.cleared.ids)
        .bind(self.cleared_kinds)
        .bind(self.set.types)
        .bind(self.set.ids)
        .bind(self.set_kinds)
        .bind(self.set_due)
        .bind(self.set_lanes.iter().map(|lane| lane.kind.number()).collect::<Vec<_>>())
        .bind(self.set_lanes.iter().map(|lane| lane.id).collect::<Vec<_>>())
        .bind(self.set_causes)
        .bind(
            records
                .iter()
                .map(|record| record.key.user_id.uuid())
                .collect::<Vec<_>>(),
        )
        .bind(records.iter().map(|record| record.key.key.as_str()).collect::<Vec<_>>())
        .bind(
            records
                .iter()
                .map(|record| record.request_hash.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(
            records
                .iter()
                .map(|record| record.answer.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(records.iter().map(|record| record.recorded_at).collect::<Vec<_>>())
    }
}

impl<'c> Events<'c> {
    fn of(commit: &'c Commit) -> Self {
        let mut columns = Self::default();
        for append in &commit.appends {
            for (event, place) in append.events.iter().zip(1_i64..) {
                columns.streams.extend([append.stream]);
                columns.versions.push(bound(append.expected.0).saturating_add(place));
                columns.types.push(&event.event_type);
                columns.schema_versions.push(event.event_version.into());
                columns.payloads.push(&event.data);
                columns.metadata.push(written(&event.metadata));
            }
        }
        columns
    }
}

/// Returns metadata as JSON; `None` if it is empty.
fn written(metadata: &Metadata) -> Option<String> {
    let says_something = *metadata != Metadata::default();
    says_something.then(|| {
        serde_json::to_string(metadata).expect("metadata consists of strings and ids, which JSON can always represent")
    })
}
