//! Hands out deadlines whose time has come. Each is leased to the process that delivers it, so that nobody else
//! delivers it meanwhile. Deadlines are set and cleared by commits.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use sqlx::postgres::PgRow;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{
    CausedDeadline, Deadline, DeadlineCount, DeadlineKey, DeadlineKind, DeadlineStore,
};
use ticketing_ports::vocabulary::errors::StoreError;

use crate::PostgresEventStore;
use crate::cells::{Cells, limit};
use crate::errors::failed;

#[async_trait]
impl DeadlineStore for PostgresEventStore {
    async fn lease_due(&self, now: Timestamp, lease: Duration, most: usize) -> Result<Vec<CausedDeadline>, StoreError> {
        let until = TimeDelta::from_std(lease)
            .ok()
            .and_then(|lease| now.checked_add_signed(lease))
            .unwrap_or(Timestamp::MAX_UTC);
        // Deadlines whose rows a commit or another process has locked are skipped, so that this call does not wait.
        let rows = sqlx::query(
            "UPDATE deadlines AS leased
             SET leased_until = $2
             FROM (
                 SELECT stream_id, aggregate_type, kind
                 FROM deadlines
                 WHERE due_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
                 ORDER BY due_at
                 LIMIT $3
                 FOR UPDATE SKIP LOCKED
             ) AS due
             WHERE leased.stream_id = due.stream_id
               AND leased.aggregate_type = due.aggregate_type
               AND leased.kind = due.kind
             RETURNING leased.stream_id, leased.aggregate_type, leased.kind, leased.due_at, leased.lane_kind,
                       leased.lane_id, leased.cause",
        )
        .bind(now)
        .bind(until)
        .bind(limit(most))
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        let mut leased: Vec<CausedDeadline> = rows.iter().map(deadline_from).collect::<Result<_, _>>()?;
        // RETURNING gives the rows in no order, so they are sorted here.
        leased.sort_unstable_by_key(|CausedDeadline { deadline, .. }| (deadline.due_at, deadline.key));
        Ok(leased)
    }

    async fn count_deadlines(&self, now: Timestamp) -> Result<BTreeMap<DeadlineKind, DeadlineCount>, StoreError> {
        let rows = sqlx::query(
            "SELECT kind, count(*) FILTER (WHERE due_at > $1) AS ahead, count(*) FILTER (WHERE due_at <= $1) AS due
             FROM deadlines
             GROUP BY kind",
        )
        .bind(now)
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter().map(count_from).collect()
    }
}

fn count_from(row: &PgRow) -> Result<(DeadlineKind, DeadlineCount), StoreError> {
    let cells = Cells {
        row,
        table: "deadlines",
        key: "kind",
    };
    let count = DeadlineCount {
        ahead: cells.count("ahead")?,
        due: cells.count("due")?,
    };
    Ok((cells.parse("kind", DeadlineKind::parse)?, count))
}

fn deadline_from(row: &PgRow) -> Result<CausedDeadline, StoreError> {
    let cells = Cells {
        row,
        table: "deadlines",
        key: "stream_id",
    };
    Ok(CausedDeadline {
        deadline: Deadline {
            key: DeadlineKey {
                stream: cells.stream()?,
                kind: cells.parse("kind", DeadlineKind::parse)?,
            },
            due_at: cells.get("due_at")?,
            lane: cells.lane()?,
        },
        cause: cells.metadata("cause")?,
    })
}
