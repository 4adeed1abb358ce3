//! Dead letters: facts that a projection could not handle. A store keeps them aside until an operator removes them.

use async_trait::async_trait;

use crate::log::streams::{Position, RecordedEvent, StreamId};
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;

/// A fact that a projection could not handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The name of the projection that could not handle the fact.
    pub projection: String,
    /// The fact that could not be handled.
    pub event: RecordedEvent,
    /// Why the projection could not handle the fact, in words for an operator.
    pub reason: String,
    /// When the fact was parked, that is, put aside.
    pub parked_at: Timestamp,
}

/// Keeps dead letters. To *park* a fact is to put it aside as a dead letter.
///
/// ```
/// use adapters_memory::InMemoryDeadLetterStore;
/// use ticketing_ports::log::dead_letters::{DeadLetter, DeadLetterStore};
/// # use chrono::DateTime;
/// # use ticketing_ports::log::streams::{Metadata, Position, RecordedEvent, Version};
/// # use ticketing_ports::vocabulary::ids::{CommitId, EventId};
/// # use uuid::Uuid;
///
/// # let event_id = EventId::new(Uuid::from_u128(1));
/// # let event = RecordedEvent {
/// #     position: Position(7),
/// #     stream: event_id.into(),
/// #     version: Version(1),
/// #     lane: event_id.into(),
/// #     commit_id: CommitId::new(Uuid::from_u128(3)),
/// #     event_type: "Unreadable".into(),
/// #     event_version: 1,
/// #     data: b"{}".to_vec(),
/// #     metadata: Metadata::default(),
/// #     recorded_at: DateTime::UNIX_EPOCH,
/// # };
/// # let letter = DeadLetter {
/// #     projection: "read-models".to_owned(),
/// #     event,
/// #     reason: "unknown type".to_owned(),
/// #     parked_at: DateTime::UNIX_EPOCH,
/// # };
/// # futures::executor::block_on(async {
/// let store = InMemoryDeadLetterStore::new();
/// let stream = letter.event.stream;
/// store.park(letter).await.unwrap();
/// assert!(store.is_parked("read-models", stream).await.unwrap());
/// assert!(store.remove("read-models", Position(7)).await.unwrap());
/// assert!(!store.is_parked("read-models", stream).await.unwrap());
/// # });
/// ```
///
/// **Contract**
/// - `a_parked_stream_is_known_to_be_parked`, for its projection only.
/// - `letters_are_listed_in_log_order`.
/// - `letters_are_listed_in_pages`.
/// - `a_letter_comes_back_as_it_was_parked`.
/// - `parking_the_same_event_twice_keeps_one_letter`.
/// - `racing_parkers_of_one_event_keep_one_letter`.
/// - `a_removed_letter_is_gone`, and the letters of other projections stay.
/// - `a_stream_is_parked_until_its_last_letter_is_removed`.
#[async_trait]
pub trait DeadLetterStore: std::fmt::Debug + Send + Sync {
    /// Parks a fact. Parking the same fact for the same projection again changes nothing.
    async fn park(&self, letter: DeadLetter) -> Result<(), StoreError>;

    /// Returns whether any fact of the stream is parked for the projection.
    async fn is_parked(&self, projection: &str, stream: StreamId) -> Result<bool, StoreError>;

    /// Returns at most `limit` letters of the projection whose position is greater than `after`, in the order of the
    /// log.
    async fn letters(&self, projection: &str, after: Position, limit: usize) -> Result<Vec<DeadLetter>, StoreError>;

    /// Removes the projection's letter about the fact at `position`. Returns whether there was such a letter.
    async fn remove(&self, projection: &str, position: Position) -> Result<bool, StoreError>;
}
