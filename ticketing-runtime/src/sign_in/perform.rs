//! Answers what a ceremony asks, with the ports. Nothing is decided here.

use std::sync::Arc;

use std::time::Duration;

use ticketing_domain::sign_in::MAIL_QUOTA;
use ticketing_domain::sign_in::{Answer, Ask, Ceremony, CredentialRefused, Next, NotAdded, ProofRefused};
use ticketing_ports::outside::identity_providers::{
    AuthorizationAnswer, AuthorizationRequest, IdentityProvider, IdentityProviderError,
};
use ticketing_ports::people::identities::LinkIdentityError;
use ticketing_ports::people::one_time_tokens::TokenPurpose;
use ticketing_ports::people::passkeys::AddPasskeyError;
use ticketing_ports::people::relying_party::{RelyingParty, RelyingPartyError};
use ticketing_ports::people::users::CreateUserError;
use tracing::debug;

use super::{SignIn, SignInFailure};
use crate::retry::RetryPolicy;

/// Somebody waits for the answer.
const ASKING_A_PROVIDER: RetryPolicy = RetryPolicy {
    first: Duration::from_millis(200),
    longest: Duration::from_millis(400),
    tries: Some(3),
};

impl SignIn {
    /// Runs a ceremony to its end. When a port fails it stops where it is, as if the process had died there.
    pub(super) async fn run<C: Ceremony>(&self, mut next: Next<C>) -> Result<C::Outcome, SignInFailure> {
        loop {
            match next {
                Next::Ask(ask, ceremony) => {
                    let answer = self.answer(ask).await?;
                    next = ceremony.on(answer, &self.context());
                }
                Next::Done(outcome) => return Ok(outcome),
                Next::Refused(refusal) => return Err(refusal.into()),
            }
        }
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, SignInFailure> {
        let ports = &self.inner.ports;
        let now = self.now();
        let yes_or_no = |yes| if yes { Answer::Yes } else { Answer::No };
        Ok(match ask {
            Ask::CountMail(email) => {
                let key = format!("mail {}", email.as_str());
                yes_or_no(ports.limiter.hit(&key, MAIL_QUOTA, now).await?.allowed)
            }
            Ask::CountLiveLinks(email) => {
                let live = ports.tokens.live_for(TokenPurpose::MagicLink, email.as_str(), now);
                Answer::Count(live.await?)
            }
            Ask::PutToken(token) => {
                ports.tokens.put(token).await?;
                Answer::Done
            }
            Ask::TakeToken { purpose, digest } => Answer::Token(ports.tokens.take(purpose, digest, now).await?),
            Ask::SendLink { mail, link } => {
                self.mail_in_background(mail, link);
                Answer::Done
            }
            Ask::PutChallenge(challenge) => {
                ports.challenges.put(challenge).await?;
                Answer::Done
            }
            Ask::TakeChallenge { ceremony, digest } => {
                Answer::Challenge(ports.challenges.take(ceremony, digest, now).await?)
            }
            Ask::FindUser(id) => Answer::User(ports.users.find(id).await?),
            Ask::FindUserByAddress(email) => Answer::User(ports.users.find_by_email(&email).await?),
            Ask::CreateUser(new) => match ports.users.create(new.user()).await {
                Ok(()) => Answer::Yes,
                Err(CreateUserError::Taken) => Answer::No,
                Err(CreateUserError::Store(error)) => return Err(error.into()),
            },
            Ask::FindSession(digest) => Answer::Session(ports.sessions.find(digest, now).await?),
            Ask::CreateSession(session) => {
                ports.sessions.create(session).await?;
                Answer::Done
            }
            Ask::AuthorizationUrl { provider, request } => {
                Answer::Url(self.authorization_url(&provider, &request).await?)
            }
            Ask::Claims { provider, answer } => self.claims(&provider, &answer).await?,
            Ask::FindIdentity { issuer, subject } => Answer::Identity(ports.identities.find(&issuer, &subject).await?),
            Ask::LinkIdentity(identity) => match ports.identities.link(identity).await {
                Ok(()) => Answer::Yes,
                Err(LinkIdentityError::Taken) => Answer::No,
                Err(LinkIdentityError::Store(error)) => return Err(error.into()),
            },
            Ask::BeginRegistration { user, email, existing } => {
                let begun = self.relying_party()?.begin_registration(user, &email, &existing);
                Answer::Begun(begun.map_err(relying_party_failed)?)
            }
            Ask::FinishRegistration { state, answer } => {
                let finished = self.relying_party()?.finish_registration(&state, &answer);
                Answer::Registered(verdict(finished)?)
            }
            Ask::BeginLogin => Answer::Begun(self.relying_party()?.begin_login().map_err(relying_party_failed)?),
            Ask::Identify { answer } => Answer::Identified(verdict(self.relying_party()?.identify(&answer))?),
            Ask::FinishLogin { state, answer, passkey } => {
                let finished = self.relying_party()?.finish_login(&state, &answer, &passkey);
                Answer::Used(verdict(finished)?)
            }
            Ask::PasskeysOf(user) => Answer::Passkeys(ports.passkeys.passkeys_of(user).await?),
            Ask::FindPasskey(credential_id) => Answer::Passkey(ports.passkeys.find(&credential_id).await?),
            Ask::AddPasskey { passkey, most } => match ports.passkeys.add(passkey, most).await {
                Ok(()) => Answer::Added(Ok(())),
                Err(AddPasskeyError::Taken) => Answer::Added(Err(NotAdded::Taken)),
                Err(AddPasskeyError::TooMany) => Answer::Added(Err(NotAdded::TooMany)),
                Err(AddPasskeyError::Store(error)) => return Err(error.into()),
            },
            Ask::UpdatePasskey { passkey, seen_counter } => {
                yes_or_no(ports.passkeys.update(passkey, seen_counter).await?)
            }
        })
    }

    /// Nothing is used up by it, so a provider that is away is asked again. The code that comes back is good once, and is not
    /// tried again.
    async fn authorization_url(&self, provider: &str, request: &AuthorizationRequest) -> Result<String, SignInFailure> {
        let mut pauses = ASKING_A_PROVIDER.pauses(self.inner.ports.ids.uuid());
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
                debug!(provider, %reason, "a provider's answer proves nothing");
                Ok(Answer::Claims(Err(ProofRefused)))
            }
            Err(unavailable) => Err(provider_failed(unavailable)),
        }
    }

    pub(super) fn provider(&self, name: &str) -> Result<&Arc<dyn IdentityProvider>, SignInFailure> {
        let providers = &self.inner.ports.providers;
        providers.get(name).ok_or(SignInFailure::NoSuchProvider)
    }

    fn relying_party(&self) -> Result<&Arc<dyn RelyingParty>, SignInFailure> {
        let relying_party = self.inner.ports.relying_party.as_ref();
        relying_party.ok_or(SignInFailure::NoPasskeys)
    }
}

fn provider_failed(error: IdentityProviderError) -> SignInFailure {
    SignInFailure::ProviderUnavailable(error.into())
}

fn relying_party_failed(error: RelyingPartyError) -> SignInFailure {
    SignInFailure::Internal(error.into())
}

fn verdict<T>(outcome: Result<T, RelyingPartyError>) -> Result<Result<T, CredentialRefused>, SignInFailure> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(RelyingPartyError::Malformed(_)) => Ok(Err(CredentialRefused::Malformed)),
        Err(RelyingPartyError::Refused(reason)) => {
            debug!(%reason, "an authenticator's answer does not hold");
            Ok(Err(CredentialRefused::Refused))
        }
        Err(RelyingPartyError::PossiblyCopied) => Ok(Err(CredentialRefused::PossiblyCopied)),
        Err(error @ RelyingPartyError::Internal(_)) => Err(relying_party_failed(error)),
    }
}
