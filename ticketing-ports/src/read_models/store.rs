//! The store of the rows of a read model, with a checkpoint that says which facts the rows include.

use crate::log::identity::Mark;
use crate::read_models::changes::Change;
use crate::vocabulary::errors::StoreError;
use async_trait::async_trait;
use std::sync::Arc;

/// The row changes of consecutive facts. A store applies all these changes and moves its checkpoint in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectedBatch<C = Change> {
    /// The mark of the last fact before those of the batch.
    pub after: Mark,
    /// The mark of the last fact of the batch.
    pub upto: Mark,
    /// The changes, in the order of the facts.
    pub changes: Vec<C>,
}

/// Stores the rows that a projection makes of facts. `C` is the type of one change of a row.
///
/// ```
/// use adapters_memory::InMemoryReadModels;
/// use ticketing_ports::log::identity::Mark;
/// use ticketing_ports::log::streams::Position;
/// use ticketing_ports::read_models::store::{ProjectedBatch, ProjectionStore};
/// use ticketing_ports::vocabulary::ids::{CommitId, LogId};
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let store = InMemoryReadModels::new();
/// let log = LogId::new(Uuid::from_u128(1));
/// let upto = Mark {
///     log,
///     position: Position(1),
///     commit: CommitId::new(Uuid::from_u128(2)),
/// };
/// let batch = ProjectedBatch {
///     after: store.checkpoint().await.unwrap(),
///     upto,
///     changes: Vec::new(),
/// };
/// store.apply(batch).await.unwrap();
/// assert_eq!(store.checkpoint().await.unwrap(), upto);
/// # });
/// ```
///
/// **Contract**
/// - `changes_and_checkpoint_are_applied_together`.
/// - `the_checkpoint_says_of_which_log_and_commit_it_is`.
/// - `rows_of_no_log_are_adopted_by_a_batch_without_events`: rows whose log is not known become rows of the log of
///   that batch, and no second log can adopt them.
/// - `readers_never_see_half_a_batch`.
/// - `a_batch_with_a_change_of_an_unknown_row_changes_nothing`.
/// - `a_batch_that_was_applied_before_changes_nothing`: a batch that ends at the checkpoint is skipped.
/// - `exactly_one_racing_application_of_a_batch_counts`.
/// - `a_batch_that_does_not_follow_the_checkpoint_is_refused` as [`ApplyError::OutOfOrder`].
/// - `a_batch_of_another_log_or_another_past_is_refused`, likewise, even if its positions fit.
/// - `a_rebuild_is_invisible_until_it_is_switched_to`, and then visible all at once.
/// - `a_rebuild_starts_empty_and_leaves_the_present_rows_alone`.
/// - `batches_go_on_after_a_switch`.
/// - `a_changed_reservation_keeps_what_the_change_does_not_name`.
/// - `a_changed_reservation_loses_what_the_change_takes_away`.
/// - `a_reservation_may_become_another_customers`: then it is in the list of that customer only.
/// - `a_changed_payment_keeps_what_the_change_does_not_name`.
#[async_trait]
pub trait ProjectionStore<C = Change>: std::fmt::Debug + std::any::Any + Send + Sync {
    /// Returns the mark of the last fact that the rows include. While the store is new, the mark has no known log.
    async fn checkpoint(&self) -> Result<Mark, StoreError>;

    /// Applies the changes of a batch and moves the checkpoint to the end of the batch: both or neither. Does
    /// nothing if the checkpoint is at that end already.
    ///
    /// # Errors
    /// Fails if the batch does not begin at the checkpoint, or a change names a row that does not exist.
    async fn apply(&self, batch: ProjectedBatch<C>) -> Result<(), ApplyError>;

    /// Returns an empty store beside this one, to be filled from the beginning of the log. Readers do not see its rows
    /// yet.
    async fn begin_rebuild(&self) -> Result<Arc<dyn ProjectionStore<C>>, StoreError>;

    /// Lets readers see the rows of `rebuilt` in the place of the present rows. `rebuilt` must come from
    /// `begin_rebuild` of this store.
    async fn switch_to(&self, rebuilt: Arc<dyn ProjectionStore<C>>) -> Result<(), StoreError>;
}

/// Why a batch was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The batch does not begin at the checkpoint: it misses or repeats facts, is of another log, or is of facts
    /// that the log has lost.
    #[error("the batch begins after position {after}, but the stored rows end at position {checkpoint}")]
    OutOfOrder {
        /// The checkpoint of the store.
        checkpoint: Mark,
        /// The mark of the last fact before those of the batch.
        after: Mark,
    },
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
