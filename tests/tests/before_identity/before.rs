//! The rows of a log as an earlier build wrote them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row as _, SqliteConnection};
use ticketing_ports::log::deadlines::DeadlineKind;
use ticketing_ports::log::streams::Aggregate;
use uuid::Uuid;

type Fact = (Aggregate, Uuid, i64, String, i64, Vec<u8>, Value, Uuid, i64);
type Deadline = (Aggregate, Uuid, DeadlineKind, i64, Uuid);

/// The rows of the database before the migration.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// For each fact, by position: aggregate, stream, version, type, schema version, payload, metadata, commit, and
    /// time in microseconds.
    pub(crate) facts: Vec<Fact>,
    /// For each deadline: aggregate, stream, kind, due time in microseconds, and event on sale.
    pub(crate) deadlines: Vec<Deadline>,
    /// For each recorded answer: user, key, fingerprint and answer.
    pub(crate) answers: Vec<(Uuid, String, Vec<u8>, Vec<u8>)>,
}

pub(crate) async fn before_on_file(connection: &mut SqliteConnection) -> Before {
    let aggregate = |number: i64| Aggregate::ALL[usize::try_from(number - 1).unwrap()];
    let kinds = [
        DeadlineKind::HoldExpiry,
        DeadlineKind::GatewayRetry,
        DeadlineKind::CancellationChunk,
        DeadlineKind::EventStart,
    ];
    let uuid = |bytes: Vec<u8>| Uuid::from_slice(&bytes).unwrap();
    let facts = sqlx::query("SELECT * FROM events ORDER BY position").fetch_all(&mut *connection);
    let facts = facts.await.unwrap();
    let deadlines = sqlx::query("SELECT * FROM deadlines").fetch_all(&mut *connection);
    let deadlines = deadlines.await.unwrap();
    let answers = sqlx::query("SELECT * FROM idempotency_records").fetch_all(&mut *connection);
    let answers = answers.await.unwrap();
    Before {
        facts: facts
            .iter()
            .map(|row| {
                let metadata: Option<String> = row.get("metadata");
                (
                    aggregate(row.get("aggregate_type")),
                    uuid(row.get("aggregate_id")),
                    row.get("version"),
                    row.get("event_type"),
                    row.get("event_version"),
                    row.get("event_data"),
                    metadata.map_or(json!({}), |metadata| serde_json::from_str(&metadata).unwrap()),
                    uuid(row.get("commit_id")),
                    row.get("recorded_at"),
                )
            })
            .collect(),
        deadlines: deadlines
            .iter()
            .map(|row| {
                let kind: i64 = row.get("kind");
                (
                    aggregate(row.get("aggregate_type")),
                    uuid(row.get("aggregate_id")),
                    kinds[usize::try_from(kind - 1).unwrap()],
                    row.get("due_at"),
                    uuid(row.get("event_id")),
                )
            })
            .collect(),
        answers: answers
            .iter()
            .map(|row| {
                (
                    uuid(row.get("user_id")),
                    row.get("key"),
                    row.get("fingerprint"),
                    row.get("answer"),
                )
            })
            .collect(),
    }
}

pub(crate) async fn before_on_server(connection: &mut PgConnection) -> Before {
    let aggregate = |name: String| Aggregate::parse(&name).unwrap();
    let micros = |time: DateTime<Utc>| time.timestamp_micros();
    let facts = sqlx::query("SELECT *, aggregate_type::text AS aggregate FROM public.events ORDER BY position");
    let facts = facts.fetch_all(&mut *connection).await.unwrap();
    let deadlines = sqlx::query("SELECT *, aggregate_type::text AS aggregate FROM public.deadlines");
    let deadlines = deadlines.fetch_all(&mut *connection).await.unwrap();
    let answers = sqlx::query("SELECT * FROM public.idempotency_records");
    let answers = answers.fetch_all(&mut *connection).await.unwrap();
    Before {
        facts: facts
            .iter()
            .map(|row| {
                let schema: i32 = row.get("event_version");
                let metadata: Option<Value> = row.get("metadata");
                (
                    aggregate(row.get("aggregate")),
                    row.get("stream_id"),
                    row.get("version"),
                    row.get("event_type"),
                    schema.into(),
                    row.get("event_data"),
                    metadata.unwrap_or(json!({})),
                    row.get("commit_id"),
                    micros(row.get("recorded_at")),
                )
            })
            .collect(),
        deadlines: deadlines
            .iter()
            .map(|row| {
                let kind: String = row.get("kind");
                (
                    aggregate(row.get("aggregate")),
                    row.get("stream_id"),
                    DeadlineKind::parse(&kind).unwrap(),
                    micros(row.get("due_at")),
                    row.get("event_id"),
                )
            })
            .collect(),
        answers: answers
            .iter()
            .map(|row| {
                (
                    row.get("user_id"),
                    row.get("key"),
                    row.get("fingerprint"),
                    row.get("answer"),
                )
            })
            .collect(),
    }
}
