//! Hands out deadlines whose time has come. Each is leased to the task that delivers it, so that nobody else delivers
//! it meanwhile. Deadlines are set and cleared by commits.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{
    CausedDeadline, Deadline, DeadlineCount, DeadlineKey, DeadlineKind, DeadlineStore,
};
use ticketing_ports::vocabulary::errors::StoreError;

use crate::SqliteStore;
use crate::cells::{Cells, limit};
use crate::commit_check::kind_of;
use crate::result_code::failed;

#[async_trait]
impl DeadlineStore for SqliteStore {
    async fn lease_due(&self, now: Timestamp, lease: Duration, most: usize) -> Result<Vec<CausedDeadline>, StoreError> {
        let until = TimeDelta::from_std(lease)
            .ok()
            .and_then(|lease| now.checked_add_signed(lease))
            .unwrap_or(Timestamp::MAX_UTC);
        self.writer
            .run(move |connection| Box::pin(lease_rows(connection, now, until, most)))
            .await
    }

    async fn count_deadlines(&self, now: Timestamp) -> Result<BTreeMap<DeadlineKind, DeadlineCount>, StoreError> {
        let rows = sqlx::query(
            "SELECT kind, count(*) FILTER (WHERE due_at > ?1) AS ahead, count(*) FILTER (WHERE due_at <= ?1) AS due
             FROM deadlines
             GROUP BY kind",
        )
        .bind(now.timestamp_micros())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.iter().map(count_from).collect()
    }
}

fn count_from(row: &SqliteRow) -> Result<(DeadlineKind, DeadlineCount), StoreError> {
    let cells = Cells {
        row,
        table: "deadlines",
        key: "kind",
    };
    let count = DeadlineCount {
        ahead: cells.count("ahead")?,
        due: cells.count("due")?,
    };
    Ok((cells.parse("kind", kind_of)?, count))
}

async fn lease_rows(
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
    .map_err(failed)?;
    let mut leased: Vec<CausedDeadline> = rows.iter().map(deadline_from).collect::<Result<_, _>>()?;
    // RETURNING gives the rows in no order, so they are sorted here.
    leased.sort_unstable_by_key(|CausedDeadline { deadline, .. }| (deadline.due_at, deadline.key));
    Ok(leased)
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
