//! Answers the questions of a ceremony by calling the ports. The ceremony itself decides what follows from the
//! answers.

use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::sign_in::{
    Ceremony, CeremonyAnswer as Answer, CeremonyQuestion as Question, CredentialRefused, MAIL_QUOTA, Next, NotAdded,
    ProofRefused,
};
use ticketing_ports::outside::identity_providers::{
    AuthorizationAnswer, AuthorizationRequest, IdentityProvider, IdentityProviderError,
};
use ticketing_ports::people::identities::LinkIdentityError;
use ticketing_ports::people::one_time_tokens::TokenPurpose;
use ticketing_ports::people::passkeys::AddPasskeyError;
use ticketing_ports::people::relying_party::{RelyingParty, RelyingPartyError};
use tracing::debug;

use super::Ceremonies;
use crate::retry::RetryPolicy;
use crate::sign_in::SignInFailure;
use crate::sign_in::accounts::create_user;

/// The pauses before an unavailable identity provider is asked again. They are short and few, because a person waits
/// for the answer.
const ASKING_A_PROVIDER: RetryPolicy = RetryPolicy {
    first: Duration::from_millis(200),
    longest: Duration::from_millis(400),
    tries: Some(3),
};

impl Ceremonies {
    /// Runs a ceremony to its end. If a port fails, the ceremony stops where it is, as if the process had died there.
    pub(super) async fn run<C: Ceremony>(&self, mut next: Next<C>) -> Result<C::Outcome, SignInFailure> {
        loop {
            match next {
                Next::Ask(question, ceremony) => {
                    let answer = self.answer(question).await?;
                    next = ceremony.on(answer, &self.context());
                }
                Next::Done(outcome) => return Ok(outcome),
                Next::Refused(refusal) => return Err(refusal.into()),
            }
        }
    }

    async fn answer(&self, question: Question) -> Result<Answer, SignInFailure> {
        let (accounts, stores, now) = (&self.inner.accounts, &self.inner.stores, self.now());
        Ok(match question {
            Question::CountMail(email) => {
                let key = format!("mail {}", email.as_str());
                yes_or_no(stores.limiter.hit(&key, MAIL_QUOTA, now).await?.allowed)
            }
            Question::CountLiveLinks(email) => {
                let live = stores.tokens.live_for(TokenPurpose::MagicLink, email.as_str(), now);
                Answer::Count(live.await?)
            }
            Question::PutToken(token) => {
                stores.tokens.put(token).await?;
                Answer::Done
            }
            Question::TakeToken { purpose, digest } => Answer::Token(stores.tokens.take(purpose, digest, now).await?),
            Question::SendLink { mail, link } => {
                self.mail_in_background(mail, link);
                Answer::Done
            }
            Question::PutChallenge(challenge) => {
                stores.challenges.put(challenge).await?;
                Answer::Done
            }
            Question::TakeChallenge { ceremony, digest } => {
                Answer::Challenge(stores.challenges.take(ceremony, digest, now).await?)
            }
            Question::FindUser(id) => Answer::User(accounts.users.find(id).await?),
            Question::FindUserByAddress(email) => Answer::User(accounts.users.find_by_email(&email).await?),
            Question::CreateUser(new) => Answer::User(create_user(accounts, new.user()).await?),
            Question::FindSession(digest) => Answer::Session(stores.sessions.find(digest, now).await?),
            Question::CreateSession(session) => {
                stores.sessions.create(session).await?;
                Answer::Done
            }
            Question::AuthorizationUrl { provider, request } => {
                Answer::Url(self.authorization_url(&provider, &request).await?)
            }
            Question::Claims { provider, answer } => self.claims(&provider, &answer).await?,
            Question::FindIdentity { issuer, subject } => {
                Answer::Identity(accounts.identities.find(&issuer, &subject).await?)
            }
            Question::LinkIdentity(identity) => match accounts.identities.link(identity).await {
                Ok(()) => Answer::Yes,
                Err(LinkIdentityError::Taken) => Answer::No,
                Err(LinkIdentityError::Store(error)) => return Err(error.into()),
            },
            Question::BeginRegistration { user, email, existing } => {
                let begun = self.relying_party()?.begin_registration(user, &email, &existing);
                Answer::Begun(begun.map_err(relying_party_failed)?)
            }
            Question::FinishRegistration { state, answer } => {
                let finished = self.relying_party()?.finish_registration(&state, &answer);
                Answer::Registered(verdict(finished)?)
            }
            Question::BeginLogin => Answer::Begun(self.relying_party()?.begin_login().map_err(relying_party_failed)?),
            Question::Identify { answer } => Answer::Identified(verdict(self.relying_party()?.identify(&answer))?),
            Question::FinishLogin { state, answer, passkey } => {
                let finished = self.relying_party()?.finish_login(&state, &answer, &passkey);
                Answer::Used(verdict(finished)?)
            }
            Question::PasskeysOf(user) => Answer::Passkeys(accounts.passkeys.passkeys_of(user).await?),
            Question::FindPasskey(credential_id) => Answer::Passkey(accounts.passkeys.find(&credential_id).await?),
            Question::AddPasskey { passkey, most } => Answer::Added(match accounts.passkeys.add(passkey, most).await {
                Ok(()) => Ok(()),
                Err(AddPasskeyError::Taken) => Err(NotAdded::Taken),
                Err(AddPasskeyError::TooMany) => Err(NotAdded::TooMany),
                Err(AddPasskeyError::Store(error)) => return Err(error.into()),
            }),
            Question::UpdatePasskey { passkey, seen_counter } => {
                yes_or_no(accounts.passkeys.update(passkey, seen_counter).await?)
            }
        })
    }

    /// Asks a provider for the page to which the browser is sent. Asks again if the provider is unavailable, which is
    /// safe because asking uses nothing up. [`claims`](Self::claims) asks only once, because the browser's code works
    /// only once.
    async fn authorization_url(&self, provider: &str, request: &AuthorizationRequest) -> Result<String, SignInFailure> {
        let mut pauses = ASKING_A_PROVIDER.pauses(self.inner.ids.uuid());
        loop {
            let asked = self.provider(provider)?.authorization_url(request).await;
            match (asked, pauses.next()) {
                (Ok(url), _) => return Ok(url),
                (Err(IdentityProviderError::Unavailable(_)), Some(pause)) => tokio::time::sleep(pause).await,
                (Err(error), _) => return Err(provider_failed(error)),
            }
        }
    }

    async fn claims(&self, provider: &str, answer: &AuthorizationAnswer) -> Result<Answer, SignInFailure> {
        match self.provider(provider)?.claims(answer).await {
            Ok(claims) => Ok(Answer::Claims(Ok(claims))),
            Err(IdentityProviderError::Refused(reason)) => {
                debug!(provider, %reason, "an identity provider's answer does not prove who the user is");
                Ok(Answer::Claims(Err(ProofRefused)))
            }
            Err(unavailable) => Err(provider_failed(unavailable)),
        }
    }

    pub(super) fn provider(&self, name: &str) -> Result<&Arc<dyn IdentityProvider>, SignInFailure> {
        self.inner.providers.get(name).ok_or(SignInFailure::NoSuchProvider)
    }

    fn relying_party(&self) -> Result<&Arc<dyn RelyingParty>, SignInFailure> {
        self.inner.relying_party.as_ref().ok_or(SignInFailure::NoPasskeys)
    }
}

fn yes_or_no(yes: bool) -> Answer {
    if yes { Answer::Yes } else { Answer::No }
}

fn provider_failed(error: IdentityProviderError) -> SignInFailure {
    SignInFailure::ProviderUnavailable(error.into())
}

fn relying_party_failed(error: RelyingPartyError) -> SignInFailure {
    SignInFailure::Internal(error.into())
}

/// Returns an inner error if the authenticator's answer was refused, so that the ceremony can decide what follows.
/// Returns an outer error if the server itself failed.
fn verdict<T>(outcome: Result<T, RelyingPartyError>) -> Result<Result<T, CredentialRefused>, SignInFailure> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(RelyingPartyError::Malformed(_)) => Ok(Err(CredentialRefused::Malformed)),
        Err(RelyingPartyError::Refused(reason)) => {
            debug!(%reason, "an authenticator's answer to a challenge was refused");
            Ok(Err(CredentialRefused::Refused))
        }
        Err(RelyingPartyError::PossiblyCopied) => Ok(Err(CredentialRefused::PossiblyCopied)),
        Err(error @ RelyingPartyError::Internal(_)) => Err(relying_party_failed(error)),
    }
}
