//! Signing in with a passkey, and adding a passkey to an account.

use std::net::IpAddr;

use ticketing_domain::sign_in::{
    BeginPasskeyLogin, BeginPasskeyRegistration, BegunPasskey, Client, CompletePasskeyLogin,
    CompletePasskeyRegistration, SignedIn,
};
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::sessions::{Session, SignInMethod};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::seating::Label;
use ticketing_ports::vocabulary::secrets::Secret;

use super::Ceremonies;
use crate::sign_in::SignInFailure;
use crate::sign_in::audit::{self, AuditEntry};

impl Ceremonies {
    /// Makes a challenge with which the user's browser makes a new passkey.
    ///
    /// # Errors
    /// When the user signed in too long ago to add a passkey in this session, the user already has as many passkeys
    /// as allowed, or a port fails.
    pub async fn begin_passkey_registration(
        &self,
        user: User,
        session: &Session,
    ) -> Result<BegunPasskey, SignInFailure> {
        let begun = BeginPasskeyRegistration::begin(user, session, &self.context());
        self.run(begun).await
    }

    /// Adds the new passkey with which the browser answered a challenge. The challenge must have been made for the
    /// same user.
    ///
    /// # Errors
    /// When the answer is not valid, or a port fails. The challenge is used up in each case.
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
            Ok(_) => audit::record(AuditEntry::PasskeyAdded, user),
            Err(SignInFailure::Refused(refusal)) => self.refused(SignInMethod::Passkey, ip, *refusal).await?,
            Err(_) => {}
        }
        outcome
    }

    /// Makes a challenge that any passkey may answer.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn begin_passkey_login(&self) -> Result<BegunPasskey, SignInFailure> {
        self.run(BeginPasskeyLogin::begin()).await
    }

    /// Begins a session for the user who owns the passkey that answered the challenge.
    ///
    /// # Errors
    /// When the answer is not valid, or a port fails. The challenge is used up in each case.
    pub async fn complete_passkey_login(
        &self,
        challenge_id: &Secret,
        answer: String,
        from: Client,
    ) -> Result<SignedIn, SignInFailure> {
        let ip = from.ip;
        let outcome = self.run(CompletePasskeyLogin::begin(challenge_id, answer, from)).await;
        self.sign_in_ended(SignInMethod::Passkey, ip, outcome).await
    }
}
