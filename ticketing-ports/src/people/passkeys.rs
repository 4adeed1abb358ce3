//! The passkeys of users: their WebAuthn credentials.

use async_trait::async_trait;
use thiserror::Error;

use crate::people::erase::Erase;
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::UserId;

/// A passkey of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// The id that the authenticator gave to the credential.
    pub credential_id: Vec<u8>,
    /// The user who owns the passkey.
    pub user_id: UserId,
    /// The name that the owner gave to the passkey.
    pub name: String,
    /// The relying party's record of the credential. A store does not look at its content.
    pub credential: Vec<u8>,
    /// The signature counter of the credential at its last use.
    pub counter: u32,
    /// When the passkey was added.
    pub created_at: Timestamp,
    /// When the passkey was last used. `None` if it was never used.
    pub last_used_at: Option<Timestamp>,
    /// Whether a login has ever come with a signature counter that had not risen, so that the passkey may have been
    /// copied.
    pub suspect: bool,
}

/// Why a passkey was not added.
#[derive(Debug, Error)]
pub enum AddPasskeyError {
    /// The credential is registered already, for this user or another.
    #[error("the credential is registered already")]
    Taken,
    /// The user has as many passkeys already as one user may have.
    #[error("the user has too many passkeys already")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores passkeys.
///
/// **Contract**
/// - `a_credential_belongs_to_one_user`.
/// - `exactly_one_racing_registration_of_a_credential_wins`.
/// - `a_user_has_no_more_passkeys_than_it_may_have`, and the passkeys of other users are not counted.
/// - `racing_registrations_never_exceed_what_a_user_may_have`.
/// - `a_passkey_comes_back_as_it_was_added`.
/// - `an_unknown_passkey_is_nothing`: it is `None`, not an error.
/// - `an_update_from_a_stale_counter_is_refused`.
/// - `exactly_one_racing_update_from_a_counter_wins`: of two logins with the same assertion only one succeeds.
/// - `an_update_does_not_give_a_passkey_to_somebody_else`.
/// - `passkeys_of_a_user_are_listed_oldest_first`.
/// - `a_passkey_is_renamed_by_its_owner_only`, and only its name changes.
/// - `a_removed_passkey_is_gone`.
/// - `only_its_owner_removes_a_passkey`.
/// - `erasing_the_passkeys_of_a_person_spares_everybody_else`.
///
/// # Example
///
/// ```
/// use adapters_memory::InMemoryPasskeyStore;
/// use ticketing_ports::Timestamp;
/// use ticketing_ports::people::passkeys::{Passkey, PasskeyStore};
/// use ticketing_ports::vocabulary::ids::UserId;
/// use uuid::Uuid;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let passkeys = InMemoryPasskeyStore::new();
/// let passkey = Passkey {
///     credential_id: vec![1],
///     user_id: UserId::new(Uuid::from_u128(1)),
///     name: "My phone".to_owned(),
///     credential: Vec::new(),
///     counter: 0,
///     created_at: Timestamp::default(),
///     last_used_at: None,
///     suspect: false,
/// };
/// passkeys.add(passkey.clone(), 10).await?;
/// let used = Passkey { counter: 1, ..passkey };
/// assert!(passkeys.update(used.clone(), 0).await?);
/// assert!(!passkeys.update(used, 0).await?, "the stored counter is 1 by now");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait PasskeyStore: Erase + Send + Sync {
    /// Adds a passkey, unless its user would then have more than `most` passkeys.
    async fn add(&self, passkey: Passkey, most: usize) -> Result<(), AddPasskeyError>;

    /// Returns the passkey with that credential id. `None` if no passkey has it.
    async fn find(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError>;

    /// Lists the passkeys of a user, the oldest first.
    async fn passkeys_of(&self, user: UserId) -> Result<Vec<Passkey>, StoreError>;

    /// Replaces the stored passkey with the same credential id, if the stored counter still is `seen_counter`.
    /// Returns whether the passkey was replaced.
    async fn update(&self, passkey: Passkey, seen_counter: u32) -> Result<bool, StoreError>;

    /// Renames a passkey of the user. Returns whether the user has such a passkey.
    async fn rename(&self, user: UserId, credential_id: &[u8], name: &str) -> Result<bool, StoreError>;

    /// Removes a passkey of the user. Returns whether the user had such a passkey.
    async fn remove(&self, user: UserId, credential_id: &[u8]) -> Result<bool, StoreError>;
}
