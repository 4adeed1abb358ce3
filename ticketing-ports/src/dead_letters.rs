//! Facts that a projector could not handle, parked until somebody looks at them.

use async_trait::async_trait;

use crate::Timestamp;
use crate::errors::StoreError;
use crate::streams::{Position, RecordedEvent, StreamId};

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
/// - `parking_the_same_event_twice_keeps_one_letter`.
/// - `a_removed_letter_is_gone`, and its stream with the last of them.
#[async_trait]
pub trait DeadLetterStore: Send + Sync {
    async fn park(&self, letter: DeadLetter) -> Result<(), StoreError>;

    async fn is_parked(&self, projection: &str, stream: StreamId) -> Result<bool, StoreError>;

    async fn letters(&self, projection: &str, after: Position, limit: usize) -> Result<Vec<DeadLetter>, StoreError>;

    /// Returns whether there was such a letter.
    async fn remove(&self, projection: &str, position: Position) -> Result<bool, StoreError>;
}
