//! A follower of the log, such as the relay to the bus, runs in one process at a time. This module stores which
//! process may run it and until when (the lease), and how far the follower has come in the log (the mark).

use std::time::Duration;

use async_trait::async_trait;

use crate::log::identity::Mark;
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::{LogId, WorkerId};

/// Names one follower of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FollowerId {
    /// The log that the follower reads.
    pub log: LogId,
    /// The name of the follower.
    pub name: &'static str,
    /// The edition of the follower. A follower that handles facts in another way than before gets the next
    /// edition, and begins at the start of the log.
    pub edition: u16,
}

/// Keeps for each follower which worker has the turn to run it, and how far the follower has come in the log.
///
/// A turn is not a lock. A worker whose lease has ended may still finish what it has begun, while the next worker
/// does the same work again. So whatever a follower does must be harmless when it is done twice.
///
/// ```
/// use std::time::Duration;
///
/// use adapters_memory::InMemoryFollowerStore;
/// use chrono::DateTime;
/// use ticketing_ports::log::followers::{FollowerId, FollowerStore};
/// use ticketing_ports::vocabulary::ids::{LogId, WorkerId};
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let store = InMemoryFollowerStore::new();
/// let mails = FollowerId {
///     log: LogId::new(Uuid::from_u128(1)),
///     name: "mails",
///     edition: 1,
/// };
/// let (one, another) = (WorkerId::new(Uuid::from_u128(2)), WorkerId::new(Uuid::from_u128(3)));
/// let (now, lease) = (DateTime::UNIX_EPOCH, Duration::from_secs(10));
/// assert!(store.take_turn(mails, one, now, lease).await.unwrap());
/// assert!(!store.take_turn(mails, another, now, lease).await.unwrap());
/// assert!(store.take_turn(mails, another, now + lease, lease).await.unwrap());
/// # });
/// ```
///
/// **Contract**
/// - `one_worker_has_the_turn`, until its lease ends.
/// - `one_of_racing_workers_gets_the_turn`.
/// - `who_has_the_turn_may_renew_it`.
/// - `the_turn_passes_on_when_its_lease_ends`.
/// - `a_turn_that_is_given_back_passes_on_at_once`.
/// - `only_its_own_turn_can_be_given_back`.
/// - `the_mark_is_kept_from_turn_to_turn`: its log, position and commit.
/// - `a_mark_is_moved_only_by_who_knows_where_it_was`: a worker that has missed a move cannot move the mark. A mark
///   may be moved back.
/// - `one_of_racing_workers_moves_the_mark`.
/// - `followers_do_not_share_anything`: neither those of another name, nor of another edition, nor of another log.
#[async_trait]
pub trait FollowerStore: std::fmt::Debug + Send + Sync {
    /// Gives the worker the turn to run the follower until `now` plus `lease`, or renews the turn that the worker
    /// has. Returns whether the worker has the turn now: it does not get the turn while the lease of another worker
    /// lasts.
    async fn take_turn(
        &self,
        follower: FollowerId,
        worker: WorkerId,
        now: Timestamp,
        lease: Duration,
    ) -> Result<bool, StoreError>;

    /// Ends the turn of `worker` to run the follower before its lease ends, so that another worker can take the turn.
    /// Does nothing if another worker has the turn.
    async fn give_back(&self, follower: FollowerId, worker: WorkerId) -> Result<(), StoreError>;

    /// Returns how far the follower has come; `None` if no mark has been stored yet.
    async fn mark(&self, follower: FollowerId) -> Result<Option<Mark>, StoreError>;

    /// Stores `mark`, which says how far the follower has come, but only if the stored mark still is `before`.
    /// Returns whether `mark` was stored.
    async fn move_mark(&self, follower: FollowerId, before: Option<Mark>, mark: Mark) -> Result<bool, StoreError>;
}
