//! Forgetting a person.

use async_trait::async_trait;

use crate::vocabulary::email::EmailAddress;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::UserId;

/// A person who is to be forgotten. Stores may keep data about the person under the id or under the e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The id of the person's account.
    pub id: UserId,
    /// The e-mail address of the account. `None` if the account is gone already, because an earlier erasure failed
    /// half-way.
    pub email: Option<EmailAddress>,
}

impl Person {
    /// Returns every text under which a store may keep data about the person: the id, and the e-mail address if it is
    /// known.
    pub fn subjects(&self) -> Vec<String> {
        let email = self.email.as_ref().map(|email| email.as_str().to_owned());
        std::iter::once(self.id.to_string()).chain(email).collect()
    }
}

/// Forgets people. This is a supertrait of every port that stores data about people, so that each store must
/// implement it. The contract of each port says what is gone after an erasure.
///
/// # Example
///
/// ```
/// use adapters_memory::{InMemoryOneTimeTokenStore, SeededEntropy};
/// use ticketing_ports::Timestamp;
/// use ticketing_ports::people::erase::{Erase, Person};
/// use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
/// use ticketing_ports::vocabulary::email::EmailAddress;
/// use ticketing_ports::vocabulary::ids::UserId;
/// use ticketing_ports::vocabulary::secrets::Secret;
/// use uuid::Uuid;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let tokens = InMemoryOneTimeTokenStore::new();
/// let ada = Person {
///     id: UserId::new(Uuid::from_u128(1)),
///     email: Some(EmailAddress::parse("ada@example.com")?),
/// };
/// let link = OneTimeToken {
///     digest: Secret::generate(&SeededEntropy::new(1)).digest(),
///     purpose: TokenPurpose::MagicLink,
///     subject: "ada@example.com".to_owned(),
///     payload: Vec::new(),
///     expires_at: Timestamp::default() + chrono::TimeDelta::days(1),
/// };
/// tokens.put(link).await?;
/// assert_eq!(tokens.erase(&ada).await?, 1);
/// assert_eq!(tokens.erase(&ada).await?, 0, "erasing again is no error");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Erase: std::fmt::Debug + Send + Sync {
    /// Deletes all data that this store keeps about one person, and no data about anybody else. Returns how many
    /// records were deleted. It is no error if there is no record to delete, so an erasure can be repeated.
    async fn erase(&self, person: &Person) -> Result<u64, StoreError>;
}
