//! A store of sealed tokens that gets one thing wrong.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::erase::{Erase, Person};
use ticketing_ports::errors::StoreError;
use ticketing_ports::ids::UserId;
use ticketing_ports::oauth_tokens::{OauthTokenStore, SealedToken};

/// What the store gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SealedTokenLie {
    #[default]
    None,
    IgnoresExpiry,
    ExpiresOneTickLate,
    IgnoresProviders,
    IgnoresUsers,
    KeepsTheFirst,
    KeepsTheLongest,
    ForgetsNothing,
    ForgetsEveryProvider,
    ForgetsEverybody,
    InsistsOnATokenToForget,
    ErasesAtOneProvider,
    ErasesEverybody,
}

/// Which lie breaks which rule.
pub(crate) const BROKEN_BY: &[(&str, SealedTokenLie)] = &[
    (
        "a_token_is_found_by_provider_and_user_until_it_expires",
        SealedTokenLie::IgnoresExpiry,
    ),
    (
        "a_token_is_found_by_provider_and_user_until_it_expires",
        SealedTokenLie::ExpiresOneTickLate,
    ),
    (
        "a_token_is_found_by_provider_and_user_until_it_expires",
        SealedTokenLie::IgnoresProviders,
    ),
    (
        "a_token_is_found_by_provider_and_user_until_it_expires",
        SealedTokenLie::IgnoresUsers,
    ),
    ("storing_again_replaces_the_token", SealedTokenLie::KeepsTheFirst),
    ("storing_again_replaces_the_token", SealedTokenLie::KeepsTheLongest),
    ("a_forgotten_token_is_gone", SealedTokenLie::ForgetsNothing),
    ("a_forgotten_token_is_gone", SealedTokenLie::ForgetsEveryProvider),
    ("a_forgotten_token_is_gone", SealedTokenLie::ForgetsEverybody),
    (
        "forgetting_a_token_that_is_not_there_is_no_error",
        SealedTokenLie::InsistsOnATokenToForget,
    ),
    (
        "erasing_the_sealed_tokens_of_a_person_spares_everybody_else",
        SealedTokenLie::ErasesAtOneProvider,
    ),
    (
        "erasing_the_sealed_tokens_of_a_person_spares_everybody_else",
        SealedTokenLie::ErasesEverybody,
    ),
];

/// Tokens in a list, and one lie.
pub(crate) struct LyingSealedTokens {
    lie: SealedTokenLie,
    tokens: Mutex<Vec<SealedToken>>,
}

impl LyingSealedTokens {
    pub(crate) fn new(lie: SealedTokenLie) -> Self {
        Self {
            lie,
            tokens: Mutex::default(),
        }
    }

    fn tokens(&self) -> MutexGuard<'_, Vec<SealedToken>> {
        self.tokens.lock().expect("no test panics with it")
    }
}

#[async_trait]
impl OauthTokenStore for LyingSealedTokens {
    async fn put(&self, token: SealedToken) -> Result<(), StoreError> {
        let mut tokens = self.tokens();
        let place = tokens
            .iter()
            .position(|known| known.provider == token.provider && known.user_id == token.user_id);
        match place {
            None => tokens.push(token),
            Some(_) if self.lie == SealedTokenLie::KeepsTheFirst => {}
            Some(place) if self.lie == SealedTokenLie::KeepsTheLongest => {
                if tokens[place].expires_at < token.expires_at {
                    tokens[place] = token;
                }
            }
            Some(place) => tokens[place] = token,
        }
        Ok(())
    }

    async fn find(&self, provider: &str, user: UserId, now: Timestamp) -> Result<Option<SealedToken>, StoreError> {
        let wanted = |token: &&SealedToken| {
            (token.provider == provider || self.lie == SealedTokenLie::IgnoresProviders)
                && (token.user_id == user || self.lie == SealedTokenLie::IgnoresUsers)
        };
        let found = self.tokens().iter().find(wanted).cloned();
        Ok(found.filter(|token| match self.lie {
            SealedTokenLie::IgnoresExpiry => true,
            SealedTokenLie::ExpiresOneTickLate => now <= token.expires_at,
            _ => now < token.expires_at,
        }))
    }

    async fn forget(&self, provider: &str, user: UserId) -> Result<(), StoreError> {
        let mut tokens = self.tokens();
        let before = tokens.len();
        match self.lie {
            SealedTokenLie::ForgetsNothing => {}
            SealedTokenLie::ForgetsEveryProvider => tokens.retain(|token| token.user_id != user),
            SealedTokenLie::ForgetsEverybody => tokens.retain(|token| token.provider != provider),
            _ => tokens.retain(|token| token.provider != provider || token.user_id != user),
        }
        if self.lie == SealedTokenLie::InsistsOnATokenToForget && tokens.len() == before {
            return Err(StoreError::Unavailable("there is no such token".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Erase for LyingSealedTokens {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let mut tokens = self.tokens();
        let before = tokens.len();
        tokens.retain(|token| match self.lie {
            SealedTokenLie::ErasesAtOneProvider => token.provider != "google" || token.user_id != person.id,
            SealedTokenLie::ErasesEverybody => false,
            _ => token.user_id != person.id,
        });
        Ok((before - tokens.len()) as u64)
    }
}
