//! Turns and positions of followers within one process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::errors::StoreError;
use ticketing_ports::followers::FollowerStore;
use ticketing_ports::ids::WorkerId;
use ticketing_ports::streams::Position;

#[derive(Debug, Default)]
pub struct InMemoryFollowerStore {
    followers: Mutex<HashMap<String, Follower>>,
}

#[derive(Debug, Default)]
struct Follower {
    position: Position,
    turn: Option<(WorkerId, Timestamp)>,
}

impl InMemoryFollowerStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn followers(&self) -> MutexGuard<'_, HashMap<String, Follower>> {
        self.followers.lock().expect("no code panics while it holds this lock")
    }

    fn with<T>(&self, name: &str, work: impl FnOnce(&mut Follower) -> T) -> T {
        let mut followers = self.followers();
        work(followers.entry(name.to_owned()).or_default())
    }
}

#[async_trait]
impl FollowerStore for InMemoryFollowerStore {
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
        Ok(self.with(follower, |follower| {
            let taken = follower
                .turn
                .is_some_and(|(holder, ends)| holder != worker && now < ends);
            if taken {
                return None;
            }
            follower.turn = Some((worker, until));
            Some(follower.position)
        }))
    }

    async fn give_back(&self, follower: &str, worker: WorkerId) -> Result<(), StoreError> {
        self.with(follower, |follower| {
            follower.turn.take_if(|(holder, _)| *holder == worker)
        });
        Ok(())
    }

    async fn advance(&self, follower: &str, position: Position) -> Result<(), StoreError> {
        self.with(follower, |follower| follower.position = follower.position.max(position));
        Ok(())
    }

    async fn position(&self, follower: &str) -> Result<Position, StoreError> {
        Ok(self.with(follower, |follower| follower.position))
    }
}
