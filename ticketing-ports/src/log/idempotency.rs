//! Stores the answers to requests that had an idempotency key, so that a repeated request gets the same answer.

use async_trait::async_trait;

use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::UserId;

/// The key that a user has given to a request. Two users may use the same key for different requests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey {
    /// The user who sent the request.
    pub user_id: UserId,
    /// The key, as the user has sent it.
    pub key: String,
}

/// The answer to one request, recorded under the idempotency key of that request. A commit writes this record
/// together with its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The key.
    pub key: IdempotencyKey,
    /// The SHA-256 digest of the request. If a later request has the same key and another digest, its sender has by
    /// mistake used one key for two different requests.
    pub request_hash: [u8; 32],
    /// The answer, as bytes. The engine encodes and decodes them; a store does not look at their content.
    pub answer: Vec<u8>,
    /// When the answer was recorded.
    pub recorded_at: Timestamp,
}

/// Finds the answers that are recorded under idempotency keys. Only commits to the event store record answers.
///
/// ```
/// use adapters_memory::InMemoryEventStore;
/// use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyStore};
/// use ticketing_ports::vocabulary::ids::UserId;
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let store = InMemoryEventStore::new();
/// let key = IdempotencyKey {
///     user_id: UserId::new(Uuid::from_u128(1)),
///     key: "buy-42".to_owned(),
/// };
/// assert!(store.find_answers(&[key]).await.unwrap().is_empty());
/// # });
/// ```
///
/// **Contract**
/// - `an_answer_is_found_by_the_user_and_key_that_recorded_it`.
/// - `an_answer_is_found_by_nobody_else`.
/// - `two_users_may_use_the_same_key`.
/// - `several_answers_are_found_at_once`, each once, and no answer for keys that are unknown.
/// - `an_answer_is_read_back_unchanged`.
/// - `keys_are_compared_byte_by_byte`.
/// - `exactly_one_of_racing_commits_with_one_key_wins`.
/// - `a_key_twice_in_one_commit_is_taken`.
/// - `answers_recorded_before_a_time_can_be_forgotten`.
/// - `a_forgotten_key_can_be_used_again`.
#[async_trait]
pub trait IdempotencyStore: std::fmt::Debug + Send + Sync {
    /// Returns the answers that are recorded under these keys, in any order.
    async fn find_answers(&self, keys: &[IdempotencyKey]) -> Result<Vec<IdempotencyRecord>, StoreError>;

    /// Removes every answer that was recorded before `before`, and returns how many were removed.
    async fn forget_answers(&self, before: Timestamp) -> Result<u64, StoreError>;
}
