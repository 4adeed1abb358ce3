//! The rows of a read model with the checkpoint that says how far they have come.

use crate::log::identity::Mark;
use crate::read_models::changes::Change;
use crate::vocabulary::errors::StoreError;
use async_trait::async_trait;
use std::sync::Arc;

/// Row changes of consecutive events, applied together with the checkpoint that follows from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectedBatch<C = Change> {
    /// The last event before the batch.
    pub after: Mark,
    /// The last event of the batch.
    pub upto: Mark,
    pub changes: Vec<C>,
}

/// Rows that a projection makes of the facts; those that people read, unless it says of what else they are.
///
/// **Contract**
/// - `changes_and_checkpoint_are_applied_together`.
/// - `the_checkpoint_says_of_which_log_and_commit_it_is`.
/// - `rows_of_no_log_are_adopted_by_a_batch_without_events`, by one log only.
/// - `readers_never_see_half_a_batch`.
/// - `a_batch_with_a_change_of_an_unknown_row_changes_nothing`.
/// - `a_batch_that_was_applied_before_changes_nothing`: one that ends where the checkpoint is is skipped.
/// - `exactly_one_racing_application_of_a_batch_counts`.
/// - `a_batch_that_does_not_follow_the_checkpoint_is_refused` as [`ApplyError::OutOfOrder`].
/// - `a_batch_of_another_log_or_another_past_is_refused`, likewise, although its positions fit.
/// - `a_rebuild_is_invisible_until_it_is_switched_to`, and then visible all at once.
/// - `a_rebuild_starts_empty_and_leaves_the_present_rows_alone`.
/// - `batches_go_on_after_a_switch`.
/// - `a_changed_reservation_keeps_what_the_change_does_not_name`.
/// - `a_changed_reservation_loses_what_the_change_takes_away`.
/// - `a_changed_payment_keeps_what_the_change_does_not_name`.
#[async_trait]
pub trait ProjectionStore<C = Change>: std::any::Any + Send + Sync {
    /// How far the rows have come; a mark of no log while no log has adopted them.
    async fn checkpoint(&self) -> Result<Mark, StoreError>;

    async fn apply(&self, batch: ProjectedBatch<C>) -> Result<(), ApplyError>;

    /// Returns an empty twin that nobody reads yet, and that no log has adopted.
    async fn begin_rebuild(&self) -> Result<Arc<dyn ProjectionStore<C>>, StoreError>;

    /// Makes readers see the twin instead. The twin must have come from `begin_rebuild` of this store.
    async fn switch_to(&self, rebuilt: Arc<dyn ProjectionStore<C>>) -> Result<(), StoreError>;
}

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("the batch starts after {after}, the checkpoint is {checkpoint}")]
    OutOfOrder { checkpoint: Mark, after: Mark },
    #[error(transparent)]
    Store(#[from] StoreError),
}
