//! Lists, renames and removes the passkeys of an account. Adding a passkey is a ceremony, see
//! [`Ceremonies`](crate::sign_in::Ceremonies).

use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::sessions::Session;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::seating::Label;

use super::Accounts;
use crate::sign_in::audit::{self, AuditEntry};

impl Accounts {
    /// Lists the passkeys of a user, the oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn passkeys_of(&self, user: UserId) -> Result<Vec<Passkey>, StoreError> {
        self.inner.stores.passkeys.passkeys_of(user).await
    }

    /// Renames a passkey and returns it. `None` if the user has no such passkey.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rename_passkey(
        &self,
        user: UserId,
        credential_id: &[u8],
        name: &Label,
    ) -> Result<Option<Passkey>, StoreError> {
        let passkeys = &self.inner.stores.passkeys;
        if !passkeys.rename(user, credential_id, name.as_str()).await? {
            return Ok(None);
        }
        audit::record(AuditEntry::PasskeyRenamed, user);
        passkeys.find(credential_id).await
    }

    /// Removes a passkey of the session's user. Ends every other session of the user, because whoever else holds the
    /// passkey may have begun it. Returns whether the user had the passkey. The user can still sign in by a mailed
    /// link.
    ///
    /// # Errors
    /// When a store fails. A repeated call finishes what the failed call began.
    pub async fn remove_passkey(&self, session: &Session, credential_id: &[u8]) -> Result<bool, StoreError> {
        let user = session.user_id;
        let removed = self.inner.stores.passkeys.remove(user, credential_id).await?;
        let sessions = &self.inner.sessions;
        for other in sessions.of(user).await? {
            if other.digest != session.digest {
                sessions.end(other.digest).await?;
            }
        }
        if removed {
            audit::record(AuditEntry::PasskeyRemoved, user);
        }
        Ok(removed)
    }
}
