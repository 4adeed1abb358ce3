//! Signing in through an identity provider, and linking an identity at a provider to an account.

use ticketing_domain::sign_in::{
    BeginOauth, BegunOauth, Client, ExchangeSignInCode, FinishOauth, FinishedOauth, LocalPath, OauthCallback, SignedIn,
};
use ticketing_ports::people::sessions::{Session, SignInMethod};
use ticketing_ports::vocabulary::secrets::{Secret, SecretDigest};

use super::Ceremonies;
use crate::sign_in::SignInFailure;
use crate::sign_in::audit::{self, AuditEntry};

impl Ceremonies {
    /// Returns the names of the identity providers in alphabetical order.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.inner.providers.keys().map(String::as_str)
    }

    /// Begins a sign-in at a provider. If `link` has a session, links the identity at the provider to the session's
    /// account instead. `browser` is the cookie that an earlier ceremony gave this browser. `next` is the page to
    /// which the browser goes afterwards.
    ///
    /// # Errors
    /// When there is no such provider, the provider cannot be reached, the user signed in too long ago to link an
    /// identity in this session, or a store fails.
    pub async fn begin_oauth(
        &self,
        provider: &str,
        browser: Option<Secret>,
        next: &LocalPath,
        link: Option<&Session>,
    ) -> Result<BegunOauth, SignInFailure> {
        self.provider(provider)?;
        let begun = BeginOauth::begin(provider, browser, next, link, &self.context());
        self.run(begun).await
    }

    /// Finishes a sign-in or a linking when the browser comes back from the provider.
    ///
    /// # Errors
    /// When the callback does not prove who the user is, or a port fails. The state of the ceremony is used up in
    /// each case.
    pub async fn finish_oauth(&self, callback: OauthCallback) -> Result<FinishedOauth, SignInFailure> {
        let ip = callback.from.ip;
        let provider = callback.provider.clone();
        self.provider(&provider)?;
        let outcome = self.run(FinishOauth::begin(callback)).await;
        match &outcome {
            Ok(FinishedOauth::SignedIn(signed_in)) => {
                audit::signed_in(SignInMethod::Oauth, ip, signed_in.user.id);
            }
            // Nobody is signed in yet. `exchange_code` writes the audit line when the page exchanges the code for a
            // session.
            Ok(FinishedOauth::Code { .. }) => {}
            Ok(FinishedOauth::Linked { user, .. }) => audit::record(AuditEntry::IdentityLinked { provider }, *user),
            Err(SignInFailure::Refused(refusal)) => self.refused(SignInMethod::Oauth, ip, *refusal).await?,
            Err(_) => {}
        }
        outcome
    }

    /// Exchanges a one-time code for a session. After `finish_oauth` the browser gets this code in the fragment of
    /// the page's URL.
    ///
    /// # Errors
    /// When the code is unknown, used, expired or was made for another browser, or a store fails. The code is used up
    /// in each case.
    pub async fn exchange_code(
        &self,
        code: &Secret,
        browser: SecretDigest,
        from: Client,
    ) -> Result<SignedIn, SignInFailure> {
        let ip = from.ip;
        let outcome = self.run(ExchangeSignInCode::begin(code, browser, from)).await;
        self.sign_in_ended(SignInMethod::Oauth, ip, outcome).await
    }
}
