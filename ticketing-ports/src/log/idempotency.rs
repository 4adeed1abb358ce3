//! Answers already given, so that a repeated request gets the same one.

use async_trait::async_trait;

use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::UserId;

/// A caller's key; it means something only together with its user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey {
    pub user_id: UserId,
    pub key: String,
}

/// What was asked and answered under a key. Written as part of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    pub key: IdempotencyKey,
    /// SHA-256 of the request: the same key with another request is a mistake of the caller.
    pub fingerprint: [u8; 32],
    pub answer: Vec<u8>,
    pub recorded_at: Timestamp,
}

/// Finds recorded answers. They are recorded by commits only.
///
/// **Contract**
/// - `an_answer_is_found_by_the_user_and_key_that_recorded_it`.
/// - `an_answer_is_found_by_nobody_else`.
/// - `two_users_may_use_the_same_key`.
/// - `several_answers_are_found_at_once`, each once, and nothing for keys that are unknown.
/// - `an_answer_is_read_back_unchanged`.
/// - `keys_are_compared_byte_by_byte`.
/// - `exactly_one_of_racing_commits_with_one_key_wins`.
/// - `a_key_twice_in_one_commit_is_taken`.
/// - `answers_recorded_before_a_time_can_be_forgotten`.
/// - `a_forgotten_key_can_be_used_again`.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Returns what is recorded under any of the keys, in no particular order.
    async fn find_answers(&self, keys: &[IdempotencyKey]) -> Result<Vec<IdempotencyRecord>, StoreError>;

    /// Forgets every answer recorded before `before` and returns how many there were.
    async fn forget_answers(&self, before: Timestamp) -> Result<u64, StoreError>;
}
