//! Identity providers: out to them and back.

use ticketing_domain::sign_in::{
    BeginOauth, BegunOauth, ExchangeSignInCode, FinishOauth, FinishedOauth, LocalPath, OauthCallback, SignedIn, Visitor,
};
use ticketing_ports::people::sessions::{Session, SignInMethod};
use ticketing_ports::vocabulary::secrets::{Secret, SecretDigest};

use super::audit::{self, Event};
use super::{SignIn, SignInFailure};

impl SignIn {
    /// The names of the providers, in order.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.inner.ports.providers.keys().map(String::as_str)
    }

    /// Begins a sign-in at a provider, or a link to the account of a session. `browser` is the cookie of an earlier one.
    ///
    /// # Errors
    /// When there is no such provider or it can't be reached, the session is too old, or a store fails.
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

    /// Takes in a browser that comes back from a provider.
    ///
    /// # Errors
    /// When what it brings proves nothing, or a port fails; the state is used up all the same.
    pub async fn finish_oauth(&self, callback: OauthCallback) -> Result<FinishedOauth, SignInFailure> {
        let ip = callback.from.ip;
        let provider = callback.provider.clone();
        self.provider(&provider)?;
        let outcome = self.run(FinishOauth::begin(callback)).await;
        match &outcome {
            Ok(FinishedOauth::SignedIn(signed_in)) => {
                audit::signed_in(SignInMethod::Oauth, ip, signed_in.user.id);
            }
            // Said when the code is traded.
            Ok(FinishedOauth::Code { .. }) => {}
            Ok(FinishedOauth::Linked { user, .. }) => audit::record(Event::IdentityLinked { provider }, *user),
            Err(SignInFailure::Refused(refusal)) => self.refused(SignInMethod::Oauth, ip, *refusal).await?,
            Err(_) => {}
        }
        outcome
    }

    /// Trades the code that a page found in its fragment for a session.
    ///
    /// # Errors
    /// When the code opens nothing in this browser, or a store fails; the code is used up all the same.
    pub async fn exchange_code(
        &self,
        code: &Secret,
        browser: SecretDigest,
        from: Visitor,
    ) -> Result<SignedIn, SignInFailure> {
        let ip = from.ip;
        let outcome = self.run(ExchangeSignInCode::begin(code, browser, from)).await;
        self.sign_in_ended(SignInMethod::Oauth, ip, outcome).await
    }
}
