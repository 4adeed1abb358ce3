//! Forgetting a person: the one place that knows every store with something of people in it.

use std::sync::Arc;

use ticketing_domain::sign_in::{self as ceremonies, Refusal};
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::sessions::Session;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;

use super::audit::{self, Event};
use super::{SignIn, SignInFailure, SignInPorts};

impl SignIn {
    /// Forgets a user everywhere: what the facts say of the id then leads to nobody. Returns whether there was an
    /// account.
    ///
    /// # Errors
    /// When a store fails; repeating it finishes the job.
    pub async fn erase(&self, user: UserId) -> Result<bool, StoreError> {
        let ports = &self.inner.ports;
        let account = ports.users.find(user).await?;
        let existed = account.is_some();
        let person = Person {
            id: user,
            email: account.map(|user| user.email),
        };
        self.logout_all(user).await?;
        // Twice: somebody may have signed in, or asked for a link, before the account was gone.
        for store in ports.personal().into_iter().chain(ports.personal()) {
            store.erase(&person).await?;
        }
        self.inner.recent.forget_all_of(user);
        audit::record(Event::Erased, user);
        Ok(existed)
    }

    /// Erases the account of a session that began a short while ago.
    ///
    /// # Errors
    /// When the session is too old, or a store fails.
    pub async fn erase_own(&self, session: &Session) -> Result<(), SignInFailure> {
        if !ceremonies::is_fresh(session, self.now()) {
            return Err(Refusal::StaleSession.into());
        }
        self.erase(session.user_id).await?;
        Ok(())
    }
}

impl SignInPorts {
    /// Every store that keeps something of people. The account is the last, so that whoever asks again after a failure
    /// still finds who is to be forgotten.
    fn personal(&self) -> Vec<Arc<dyn Erase>> {
        // Each port by its name: a new one is decided about here.
        let Self {
            users,
            sessions,
            tokens,
            passkeys,
            identities,
            elsewhere,
            // Known by a secret that nobody has any more, and gone within minutes.
            challenges: _,
            // Counts networks.
            limiter: _,
            relying_party: _,
            providers: _,
            mailer: _,
            clock: _,
            entropy: _,
            ids: _,
        } = self;
        let mut stores: Vec<Arc<dyn Erase>> = elsewhere.clone();
        stores.push(sessions.clone());
        stores.push(tokens.clone());
        stores.push(passkeys.clone());
        stores.push(identities.clone());
        stores.push(users.clone());
        stores
    }
}
