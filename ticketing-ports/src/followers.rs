//! Who follows the log on everybody's behalf, and how far: of all the processes that could, one at a time works.

use std::time::Duration;

use async_trait::async_trait;

use crate::Timestamp;
use crate::errors::StoreError;
use crate::ids::WorkerId;
use crate::streams::Position;

/// Keeps the turn and the position of each follower, by its name.
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
/// - `the_position_is_kept_from_turn_to_turn`.
/// - `the_position_never_goes_back`.
/// - `followers_do_not_share_anything`.
#[async_trait]
pub trait FollowerStore: Send + Sync {
    /// Takes or renews the turn for the length of `lease`. Returns how far the follower has come, or nothing while
    /// somebody else has the turn.
    async fn take_turn(
        &self,
        follower: &str,
        worker: WorkerId,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Position>, StoreError>;

    async fn give_back(&self, follower: &str, worker: WorkerId) -> Result<(), StoreError>;

    /// Notes that everything up to `position` is done.
    async fn advance(&self, follower: &str, position: Position) -> Result<(), StoreError>;

    /// How far the follower has come; [`Position::START`] when it never was heard of.
    async fn position(&self, follower: &str) -> Result<Position, StoreError>;
}
