//! Who follows the log on everybody's behalf, and how far: of all the processes that could, one at a time works.

use std::time::Duration;

use async_trait::async_trait;

use crate::log::identity::Mark;
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::{LogId, WorkerId};

/// One follower of one log. A later generation makes something else of the facts, and so begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FollowerId {
    pub log: LogId,
    pub name: &'static str,
    pub generation: u16,
}

/// Keeps the turn and the mark of each follower.
///
/// A turn saves work; it is no lock. Who was cut off may still finish what it had begun, so what a follower does must be
/// harmless when it is done twice.
///
/// **Contract**
/// - `one_worker_has_the_turn`, until its lease ends.
/// - `one_of_racing_workers_gets_the_turn`.
/// - `who_has_the_turn_may_renew_it`.
/// - `the_turn_passes_on_when_its_lease_ends`.
/// - `a_turn_that_is_given_back_passes_on_at_once`.
/// - `only_its_own_turn_can_be_given_back`.
/// - `the_mark_is_kept_from_turn_to_turn`, whole.
/// - `a_mark_is_moved_only_by_who_knows_where_it_was`: also back, and not by who is late.
/// - `one_of_racing_workers_moves_the_mark`.
/// - `followers_do_not_share_anything`: neither those of another name, nor of another generation, nor of another log.
#[async_trait]
pub trait FollowerStore: Send + Sync {
    /// Takes or renews the turn for the length of `lease`. Returns whether it is this worker's; it is not while somebody
    /// else has it.
    async fn take_turn(
        &self,
        follower: FollowerId,
        worker: WorkerId,
        now: Timestamp,
        lease: Duration,
    ) -> Result<bool, StoreError>;

    async fn give_back(&self, follower: FollowerId, worker: WorkerId) -> Result<(), StoreError>;

    /// Returns up to where everything is done; nothing when that was never noted.
    async fn mark(&self, follower: FollowerId) -> Result<Option<Mark>, StoreError>;

    /// Notes up to where everything is done, if `before` is what was noted last. Returns whether it was.
    async fn move_mark(&self, follower: FollowerId, before: Option<Mark>, mark: Mark) -> Result<bool, StoreError>;
}
