//! Keeps which process runs each follower of the log (its turn), and how far the follower has come (its mark).

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::log::followers::{FollowerId, FollowerStore};
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{CommitId, WorkerId};
use uuid::Uuid;

use crate::PostgresEventStore;
use crate::cells::{Cells, bound};
use crate::errors::failed;

#[async_trait]
impl FollowerStore for PostgresEventStore {
    async fn take_turn(
        &self,
        follower: FollowerId,
        worker: WorkerId,
        now: Timestamp,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let until = TimeDelta::from_std(lease)
            .ok()
            .and_then(|lease| now.checked_add_signed(lease))
            .unwrap_or(Timestamp::MAX_UTC);
        let taken = sqlx::query(
            "INSERT INTO followers AS follower (log_id, name, generation, worker, turn_ends_at)
             VALUES ($1, $2, $3, $4, $6)
             ON CONFLICT (log_id, name, generation) DO UPDATE SET worker = $4, turn_ends_at = $6
             WHERE follower.worker IS NULL OR follower.worker = $4 OR follower.turn_ends_at <= $5",
        )
        .bind(follower.log.uuid())
        .bind(follower.name)
        .bind(i32::from(follower.edition))
        .bind(worker.uuid())
        .bind(now)
        .bind(until)
        .execute(&self.pool)
        .await
        .map_err(failed)?;
        Ok(taken.rows_affected() == 1)
    }

    async fn give_back(&self, follower: FollowerId, worker: WorkerId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE followers SET worker = NULL, turn_ends_at = NULL
             WHERE log_id = $1 AND name = $2 AND generation = $3 AND worker = $4",
        )
        .bind(follower.log.uuid())
        .bind(follower.name)
        .bind(i32::from(follower.edition))
        .bind(worker.uuid())
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(failed)
    }

    async fn mark(&self, follower: FollowerId) -> Result<Option<Mark>, StoreError> {
        let row = sqlx::query(
            "SELECT position, commit_id FROM followers
             WHERE log_id = $1 AND name = $2 AND generation = $3 AND position IS NOT NULL",
        )
        .bind(follower.log.uuid())
        .bind(follower.name)
        .bind(i32::from(follower.edition))
        .fetch_optional(&self.pool)
        .await
        .map_err(failed)?;
        let Some(row) = row else {
            return Ok(None);
        };
        let cells = Cells {
            row: &row,
            table: "followers",
            key: "position",
        };
        Ok(Some(Mark {
            log: follower.log,
            position: Position(cells.count("position")?),
            commit: CommitId::new(cells.get("commit_id")?),
        }))
    }

    async fn move_mark(&self, follower: FollowerId, before: Option<Mark>, mark: Mark) -> Result<bool, StoreError> {
        let position = before.map(|before| bound(before.position.0));
        let commit: Option<Uuid> = before.map(|before| before.commit.uuid());
        let moved = sqlx::query(
            "INSERT INTO followers AS follower (log_id, name, generation, position, commit_id)
             SELECT $1, $2, $3, $6, $7
             WHERE $4::bigint IS NULL OR EXISTS (
                 SELECT FROM followers WHERE log_id = $1 AND name = $2 AND generation = $3
             )
             ON CONFLICT (log_id, name, generation) DO UPDATE SET position = $6, commit_id = $7
             WHERE follower.position IS NOT DISTINCT FROM $4 AND follower.commit_id IS NOT DISTINCT FROM $5",
        )
        .bind(follower.log.uuid())
        .bind(follower.name)
        .bind(i32::from(follower.edition))
        .bind(position)
        .bind(commit)
        .bind(bound(mark.position.0))
        .bind(mark.commit.uuid())
        .execute(&self.pool)
        .await
        .map_err(failed)?;
        Ok(moved.rows_affected() == 1)
    }
}
