//! Passkeys: the ceremonies, and what an account's owner does with them.

use std::net::IpAddr;

use ticketing_domain::sign_in::{
    BeginPasskeyLogin, BeginPasskeyRegistration, BegunPasskey, CompletePasskeyLogin, CompletePasskeyRegistration,
    SignedIn, Visitor,
};
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::sessions::{Session, SignInMethod};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::seating::Label;
use ticketing_ports::vocabulary::secrets::Secret;

use super::audit::{self, Event};
use super::{SignIn, SignInFailure};

impl SignIn {
    /// Makes a challenge for a new passkey of the user.
    ///
    /// # Errors
    /// When the session is too old, the user has too many passkeys, or a port fails.
    pub async fn begin_passkey_registration(
        &self,
        user: User,
        session: &Session,
    ) -> Result<BegunPasskey, SignInFailure> {
        let begun = BeginPasskeyRegistration::begin(user, session, &self.context());
        self.run(begun).await
    }

    /// Adds the passkey that answers a challenge of the same user.
    ///
    /// # Errors
    /// When the answer does not hold, or a port fails; the challenge is used up all the same.
    pub async fn complete_passkey_registration(
        &self,
        user: UserId,
        challenge_id: &Secret,
        name: Label,
        answer: String,
        ip: Option<IpAddr>,
    ) -> Result<Passkey, SignInFailure> {
        let begun = CompletePasskeyRegistration::begin(user, challenge_id, name, answer);
        let outcome = self.run(begun).await;
        match &outcome {
            Ok(_) => audit::record(Event::PasskeyAdded, user),
            Err(SignInFailure::Refused(refusal)) => self.refused(SignInMethod::Passkey, ip, *refusal).await?,
            Err(_) => {}
        }
        outcome
    }

    /// Makes a challenge for any passkey.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn begin_passkey_login(&self) -> Result<BegunPasskey, SignInFailure> {
        self.run(BeginPasskeyLogin::begin()).await
    }

    /// Signs in whoever owns the passkey that answered.
    ///
    /// # Errors
    /// When the answer does not hold, or a port fails; the challenge is used up all the same.
    pub async fn complete_passkey_login(
        &self,
        challenge_id: &Secret,
        answer: String,
        from: Visitor,
    ) -> Result<SignedIn, SignInFailure> {
        let ip = from.ip;
        let outcome = self.run(CompletePasskeyLogin::begin(challenge_id, answer, from)).await;
        self.sign_in_ended(SignInMethod::Passkey, ip, outcome).await
    }

    /// Lists the passkeys of a user, the oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn passkeys_of(&self, user: UserId) -> Result<Vec<Passkey>, StoreError> {
        self.inner.ports.passkeys.passkeys_of(user).await
    }

    /// Returns the passkey under its new name, if the user has it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rename_passkey(
        &self,
        user: UserId,
        credential_id: &[u8],
        name: &Label,
    ) -> Result<Option<Passkey>, StoreError> {
        let passkeys = &self.inner.ports.passkeys;
        if !passkeys.rename(user, credential_id, name.as_str()).await? {
            return Ok(None);
        }
        audit::record(Event::PasskeyRenamed, user);
        passkeys.find(credential_id).await
    }

    /// Removes a passkey and ends every other session of its user: one of them may be of whoever has the key. Returns
    /// whether the user had it. The address of an account stays a way in.
    ///
    /// # Errors
    /// When a store fails; repeating it finishes the job.
    pub async fn remove_passkey(&self, session: &Session, credential_id: &[u8]) -> Result<bool, StoreError> {
        let ports = &self.inner.ports;
        let user = session.user_id;
        let removed = ports.passkeys.remove(user, credential_id).await?;
        for other in self.sessions_of(user).await? {
            if other.digest != session.digest {
                self.logout(other.digest).await?;
            }
        }
        if removed {
            audit::record(Event::PasskeyRemoved, user);
        }
        Ok(removed)
    }
}
