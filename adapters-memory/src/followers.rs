//! Keeps in memory which process runs each follower (its turn), and how far the follower has come (its mark).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::log::followers::{FollowerId, FollowerStore};
use ticketing_ports::log::identity::Mark;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::WorkerId;

#[derive(Debug, Default)]
pub struct InMemoryFollowerStore {
    followers: Mutex<HashMap<FollowerId, Follower>>,
}

#[derive(Debug, Default)]
struct Follower {
    mark: Option<Mark>,
    turn: Option<(WorkerId, Timestamp)>,
}

impl InMemoryFollowerStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn followers(&self) -> MutexGuard<'_, HashMap<FollowerId, Follower>> {
        self.followers.lock().expect("no code panics while it holds this lock")
    }

    fn with<T>(&self, follower: FollowerId, work: impl FnOnce(&mut Follower) -> T) -> T {
        work(self.followers().entry(follower).or_default())
    }
}

#[async_trait]
impl FollowerStore for InMemoryFollowerStore {
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
        Ok(self.with(follower, |follower| {
            let turn = follower.turn;
            let taken = turn.is_some_and(|(holder, ends)| holder != worker && now < ends);
            if !taken {
                follower.turn = Some((worker, until));
            }
            !taken
        }))
    }

    async fn give_back(&self, follower: FollowerId, worker: WorkerId) -> Result<(), StoreError> {
        self.with(follower, |follower| {
            follower.turn.take_if(|(holder, _)| *holder == worker)
        });
        Ok(())
    }

    async fn mark(&self, follower: FollowerId) -> Result<Option<Mark>, StoreError> {
        Ok(self.with(follower, |follower| follower.mark))
    }

    async fn move_mark(&self, follower: FollowerId, before: Option<Mark>, mark: Mark) -> Result<bool, StoreError> {
        Ok(self.with(follower, |follower| {
            let moves = follower.mark == before;
            if moves {
                follower.mark = Some(mark);
            }
            moves
        }))
    }
}
