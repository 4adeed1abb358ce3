//! Forgetting a person.

use async_trait::async_trait;

use crate::vocabulary::email::EmailAddress;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::UserId;

/// Who is forgotten, by everything that a store may know somebody by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: UserId,
    /// `None` when the account is gone already, as after an erasure that did not get to its end.
    pub email: Option<EmailAddress>,
}

impl Person {
    /// Everything that a store may have written the person down as.
    pub fn subjects(&self) -> Vec<String> {
        let email = self.email.as_ref().map(|email| email.as_str().to_owned());
        std::iter::once(self.id.to_string()).chain(email).collect()
    }
}

/// Forgets people. Every port that keeps something of them requires it, so no store of theirs can be built without; the
/// contract of each says what is gone then.
#[async_trait]
pub trait Erase: Send + Sync {
    /// Forgets everything that is kept here of one person and of nobody else. Returns how many records there were;
    /// none is no error, so an erasure can be repeated.
    async fn erase(&self, person: &Person) -> Result<u64, StoreError>;
}
