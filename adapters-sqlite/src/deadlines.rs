//! Deadlines: changed by commits, leased to who claims them.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments, SqliteConnection};
use ticketing_ports::Timestamp;
use ticketing_ports::deadlines::{CausedDeadline, Deadline, DeadlineKey, DeadlineKind, DeadlineStore, DeadlineWrite};
use ticketing_ports::errors::StoreError;

use crate::SqliteStore;
use crate::bulk::Bulk;
use crate::cells::{Cells, limit, written};

#[async_trait]
impl DeadlineStore for SqliteStore {
    async fn claim_due(&self, now: Timestamp, lease: Duration, most: usize) -> Result<Vec<CausedDeadline>, StoreError> {
        let until = TimeDelta::from_std(lease)
            .ok()
            .and_then(|lease| now.checked_add_signed(lease))
            .unwrap_or(Timestamp::MAX_UTC);
        self.writer
            .run(move |connection| Box::pin(claim(connection, now, until, most)))
            .await
    }
}

async fn claim(
    connection: &mut SqliteConnection,
    now: Timestamp,
    until: Timestamp,
    most: usize,
) -> Result<Vec<CausedDeadline>, StoreError> {
    let rows = sqlx::query(
        "UPDATE deadlines
         SET leased_until = ?2
         WHERE (aggregate_id, aggregate_type, kind) IN (
             SELECT aggregate_id, aggregate_type, kind
             FROM deadlines
             WHERE due_at <= ?1 AND (leased_until IS NULL OR leased_until <= ?1)
             ORDER BY due_at
             LIMIT ?3
         )
         RETURNING aggregate_id, aggregate_type, kind, due_at, lane_kind, lane_id, cause",
    )
    .bind(now.timestamp_micros())
    .bind(until.timestamp_micros())
    .bind(limit(most))
    .fetch_all(connection)
    .await
    .map_err(StoreError::unavailable)?;
    let mut claimed: Vec<CausedDeadline> = rows.iter().map(deadline_from).collect::<Result<_, _>>()?;
    // The rows of RETURNING come in no particular order.
    claimed.sort_unstable_by_key(|CausedDeadline { deadline, .. }| (deadline.due_at, deadline.key));
    Ok(claimed)
}

pub(crate) const CLEAR: Bulk = Bulk {
    head: "DELETE FROM deadlines WHERE (aggregate_id, aggregate_type, kind) IN (VALUES ",
    row: "(?, ?, ?)",
    tail: ")",
};

/// Applies the changes in their order: the last one of a key counts.
pub(crate) async fn change(
    connection: &mut SqliteConnection,
    writes: impl Iterator<Item = &DeadlineWrite>,
) -> Result<(), sqlx::Error> {
    const SET: Bulk = Bulk {
        head: "INSERT INTO deadlines (aggregate_id, aggregate_type, kind, due_at, lane_kind, lane_id, cause) VALUES ",
        row: "(?, ?, ?, ?, ?, ?, ?)",
        tail: " ON CONFLICT (aggregate_id, aggregate_type, kind)
                DO UPDATE SET due_at = excluded.due_at, lane_kind = excluded.lane_kind, lane_id = excluded.lane_id,
                              cause = excluded.cause, leased_until = NULL",
    };
    let mut last = BTreeMap::new();
    for write in writes {
        match write {
            DeadlineWrite::Set(caused) => last.insert(caused.deadline.key, Some(caused)),
            DeadlineWrite::Clear(key) => last.insert(*key, None),
        };
    }
    let cleared: Vec<DeadlineKey> = last
        .iter()
        .filter(|(_, set)| set.is_none())
        .map(|(key, _)| *key)
        .collect();
    let set: Vec<&CausedDeadline> = last.into_values().flatten().collect();
    CLEAR
        .execute(connection, &cleared, |arguments, key| {
            arguments.add(key.stream.id.as_bytes().as_slice())?;
            arguments.add(key.stream.aggregate.number())?;
            arguments.add(kind_number(key.kind))
        })
        .await?;
    SET.execute(connection, &set, |arguments, CausedDeadline { deadline, cause }| {
        arguments.add(deadline.key.stream.id.as_bytes().as_slice())?;
        arguments.add(deadline.key.stream.aggregate.number())?;
        arguments.add(kind_number(deadline.key.kind))?;
        arguments.add(deadline.due_at.timestamp_micros())?;
        arguments.add(deadline.lane.kind.number())?;
        arguments.add(deadline.lane.id.as_bytes().as_slice())?;
        arguments.add(written(cause)?)
    })
    .await
}

fn deadline_from(row: &SqliteRow) -> Result<CausedDeadline, StoreError> {
    let cells = Cells {
        row,
        table: "deadlines",
        key: "aggregate_id",
    };
    Ok(CausedDeadline {
        deadline: Deadline {
            key: DeadlineKey {
                stream: cells.stream()?,
                kind: cells.parse("kind", kind_of)?,
            },
            due_at: cells.time("due_at")?,
            lane: cells.lane()?,
        },
        cause: cells.metadata("cause")?,
    })
}

/// The numbers are part of the file format.
fn kind_number(kind: DeadlineKind) -> i64 {
    match kind {
        DeadlineKind::HoldExpiry => 1,
        DeadlineKind::GatewayRetry => 2,
        DeadlineKind::CancellationChunk => 3,
        DeadlineKind::EventStart => 4,
    }
}

fn kind_of(number: i64) -> Option<DeadlineKind> {
    DeadlineKind::ALL.into_iter().find(|kind| kind_number(*kind) == number)
}
