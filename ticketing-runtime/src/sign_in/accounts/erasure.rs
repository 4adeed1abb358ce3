//! Erases a person from every store that keeps something of people.

use ticketing_domain::sign_in::{SignInRefusal, is_fresh};
use ticketing_ports::people::erase::Person;
use ticketing_ports::people::sessions::Session;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use uuid::Uuid;

use super::Accounts;
use crate::sign_in::audit::{self, AuditEntry};
use crate::sign_in::failure::SignInFailure;

impl Accounts {
    /// Erases a user from every store. Facts keep the user's id, which then leads to nobody. Returns whether the user
    /// had an account.
    ///
    /// # Errors
    /// When a store fails. A repeated call finishes what the failed call began.
    pub async fn erase(&self, user: UserId) -> Result<bool, StoreError> {
        let inner = &self.inner;
        let account = inner.stores.users.find(user).await?;
        let existed = account.is_some();
        let person = Person {
            id: user,
            email: account.map(|user| user.email),
        };
        inner.sessions.end_all_of(user).await?;
        // Erases twice: until the first pass has deleted the account, the person can still sign in or ask for a link,
        // and so leave new data in a store that was erased already.
        let erased = async {
            for store in inner.personal.iter().chain(&inner.personal) {
                store.erase(&person).await?;
            }
            Ok(())
        };
        let erased = erased.await;
        // Also after an error: a store may have erased the person before its answer was lost.
        inner.sessions.forget_user(user);
        erased?;
        audit::record(AuditEntry::Erased, user);
        Ok(existed)
    }

    /// Erases what is kept of somebody without an account: the address that a guest has given, and links that were mailed to
    /// it. Returns how many records were deleted.
    ///
    /// # Errors
    /// When a store fails. A repeated call finishes what the failed call began.
    pub async fn forget_address(&self, email: &EmailAddress) -> Result<u64, StoreError> {
        let person = Person {
            id: UserId::new(Uuid::nil()),
            email: Some(email.clone()),
        };
        let mut erased = 0;
        for store in &self.inner.personal {
            erased += store.erase(&person).await?;
        }
        Ok(erased)
    }

    /// Erases the account of the user who owns the session.
    ///
    /// # Errors
    /// When the user signed in too long ago to change the account in this session, or a store fails.
    pub async fn erase_own(&self, session: &Session) -> Result<(), SignInFailure> {
        if !is_fresh(session, self.inner.clock.now()) {
            return Err(SignInRefusal::StaleSession.into());
        }
        self.erase(session.user_id).await?;
        Ok(())
    }
}
