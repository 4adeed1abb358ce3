//! Facts that a projector could not handle, parked until somebody looks at them.

use async_trait::async_trait;

use crate::log::streams::{Position, RecordedEvent, StreamId};
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub projection: String,
    pub event: RecordedEvent,
    pub reason: String,
    pub parked_at: Timestamp,
}

/// Keeps dead letters.
///
/// **Contract**
/// - `a_parked_stream_is_known_to_be_parked`, for its projection only.
/// - `letters_are_listed_in_log_order`.
/// - `letters_are_listed_in_pages`.
/// - `a_letter_comes_back_as_it_was_parked`.
/// - `parking_the_same_event_twice_keeps_one_letter`.
/// - `racing_parkers_of_one_event_keep_one_letter`.
/// - `a_removed_letter_is_gone`, and those of other projections stay.
/// - `a_stream_is_parked_until_its_last_letter_is_removed`.
#[async_trait]
pub trait DeadLetterStore: Send + Sync {
    async fn park(&self, letter: DeadLetter) -> Result<(), StoreError>;

    async fn is_parked(&self, projection: &str, stream: StreamId) -> Result<bool, StoreError>;

    async fn letters(&self, projection: &str, after: Position, limit: usize) -> Result<Vec<DeadLetter>, StoreError>;

    /// Returns whether there was such a letter.
    async fn remove(&self, projection: &str, position: Position) -> Result<bool, StoreError>;
}
