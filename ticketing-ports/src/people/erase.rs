//! Forgetting a person.

use async_trait::async_trait;

use crate::vocabulary::email::EmailAddress;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::UserId;

/// A person who is to be forgotten, with everything that a store may know the person by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The id of the person's account.
    pub id: UserId,
    /// The address of the account. `None` if the account is gone already, as after an erasure that failed half-way.
    pub email: Option<EmailAddress>,
}

impl Person {
    /// Returns every text under which a store may have kept something of the person: the id, and the address if it is known.
    pub fn subjects(&self) -> Vec<String> {
        let email = self.email.as_ref().map(|email| email.as_str().to_owned());
        std::iter::once(self.id.to_string()).chain(email).collect()
    }
}

/// Forgets people. Every port that keeps something of people requires this trait, so a store cannot leave it out. The
/// contract of each port says what is gone afterwards.
#[async_trait]
pub trait Erase: std::fmt::Debug + Send + Sync {
    /// Deletes everything that is kept of one person, and nothing of anybody else. Returns how many records were deleted.
    /// Deleting none is no error, so an erasure can be repeated.
    async fn erase(&self, person: &Person) -> Result<u64, StoreError>;
}
