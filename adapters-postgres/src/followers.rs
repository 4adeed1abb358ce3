//! Turns and positions of those who follow the log.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::errors::StoreError;
use ticketing_ports::followers::FollowerStore;
use ticketing_ports::ids::WorkerId;
use ticketing_ports::streams::Position;

use crate::PostgresEventStore;
use crate::cells::{Cells, bound};

#[async_trait]
impl FollowerStore for PostgresEventStore {
    async fn take_turn(
        &self,
        follower: &str,
        worker: WorkerId,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Position>, StoreError> {
        let until = TimeDelta::from_std(lease)
            .ok()
            .and_then(|lease| now.checked_add_signed(lease))
            .unwrap_or(Timestamp::MAX_UTC);
        let row = sqlx::query(
            "INSERT INTO followers AS follower (name, worker, turn_ends_at)
             VALUES ($1, $2, $4)
             ON CONFLICT (name) DO UPDATE SET worker = $2, turn_ends_at = $4
             WHERE follower.worker IS NULL OR follower.worker = $2 OR follower.turn_ends_at <= $3
             RETURNING position",
        )
        .bind(follower)
        .bind(worker.uuid())
        .bind(now)
        .bind(until)
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::unavailable)?;
        let Some(row) = row else {
            return Ok(None);
        };
        let cells = Cells {
            row: &row,
            table: "followers",
            key: "position",
        };
        Ok(Some(Position(cells.count("position")?)))
    }

    async fn give_back(&self, follower: &str, worker: WorkerId) -> Result<(), StoreError> {
        sqlx::query("UPDATE followers SET worker = NULL, turn_ends_at = NULL WHERE name = $1 AND worker = $2")
            .bind(follower)
            .bind(worker.uuid())
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(StoreError::unavailable)
    }

    async fn advance(&self, follower: &str, position: Position) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO followers AS follower (name, position)
             VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET position = $2
             WHERE follower.position < $2",
        )
        .bind(follower)
        .bind(bound(position.0))
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(StoreError::unavailable)
    }

    async fn position(&self, follower: &str) -> Result<Position, StoreError> {
        let position: Option<i64> = sqlx::query_scalar("SELECT position FROM followers WHERE name = $1")
            .bind(follower)
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(Position(position.unwrap_or_default().unsigned_abs()))
    }
}
