//! Writes the changes that a group of commits makes to deadlines.

use std::collections::BTreeMap;

use sqlx::{Arguments, SqliteConnection};
use ticketing_ports::log::deadlines::{CausedDeadline, DeadlineKey, DeadlineKind, DeadlineWrite};

use crate::bulk::Bulk;
use crate::cells::written;

pub(crate) const CLEAR: Bulk = Bulk {
    head: "DELETE FROM deadlines WHERE (aggregate_id, aggregate_type, kind) IN (VALUES ",
    row: "(?, ?, ?)",
    tail: ")",
};

/// Applies the changes so that, of several changes to the deadline of one key, the last one counts.
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

/// Returns the number that stands for a kind of deadline in the file. The numbers must not change, since existing
/// files have them.
fn kind_number(kind: DeadlineKind) -> i64 {
    match kind {
        DeadlineKind::HoldExpiry => 1,
        DeadlineKind::GatewayRetry => 2,
        DeadlineKind::CancellationChunk => 3,
        DeadlineKind::EventStart => 4,
    }
}

pub(crate) fn kind_of(number: i64) -> Option<DeadlineKind> {
    DeadlineKind::ALL.into_iter().find(|kind| kind_number(*kind) == number)
}
