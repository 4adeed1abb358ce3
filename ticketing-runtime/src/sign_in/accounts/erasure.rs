//! Forgetting a person. This is the one place that knows every store that keeps something of people.

use std::sync::Arc;

use ticketing_domain::sign_in::{SignInRefusal, is_fresh};
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::stores::{AccountStores, SignInStores};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;

use super::Accounts;
use crate::sign_in::audit::{self, AuditEntry};
use crate::sign_in::{SignInFailure, SignInPorts};

impl Accounts {
    /// Forgets a user in every store. Facts keep the user's id, which then leads to nobody. Returns whether there was an
    /// account.
    ///
    /// # Errors
    /// When a store fails. A repeated call finishes what a failed one began.
    pub async fn erase(&self, user: UserId) -> Result<bool, StoreError> {
        let inner = &self.inner;
        let account = inner.users.find(user).await?;
        let existed = account.is_some();
        let person = Person {
            id: user,
            email: account.map(|user| user.email),
        };
        inner.sessions.end_all_of(user).await?;
        // Twice, because the person may have signed in or asked for a link before the account was gone.
        for store in inner.personal.iter().chain(&inner.personal) {
            store.erase(&person).await?;
        }
        inner.sessions.forget_user(user);
        audit::record(AuditEntry::Erased, user);
        Ok(existed)
    }

    /// Erases the account of a session.
    ///
    /// # Errors
    /// When the session is too old to change its account, or a store fails.
    pub async fn erase_own(&self, session: &Session) -> Result<(), SignInFailure> {
        if !is_fresh(session, self.inner.clock.now()) {
            return Err(SignInRefusal::StaleSession.into());
        }
        self.erase(session.user_id).await?;
        Ok(())
    }
}

/// Returns every store that keeps something of people. The users come last: until then a repeated erasure still finds the
/// address of the person.
pub(super) fn personal(ports: &SignInPorts) -> Vec<Arc<dyn Erase>> {
    // Each port stands here by its name, so that a new one cannot be forgotten.
    let AccountStores {
        users,
        passkeys,
        identities,
    } = &ports.accounts;
    let SignInStores {
        sessions,
        tokens,
        // A challenge is found only by a secret that nobody keeps, and is gone within minutes.
        challenges: _,
        // The limiter counts networks and addresses for the length of a window.
        limiter: _,
    } = &ports.stores;
    let mut stores: Vec<Arc<dyn Erase>> = ports.elsewhere.clone();
    stores.push(sessions.clone());
    stores.push(tokens.clone());
    stores.push(passkeys.clone());
    stores.push(identities.clone());
    stores.push(users.clone());
    stores
}
