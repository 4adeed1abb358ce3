//! A store of one-time tokens that makes one mistake on purpose, so that a conformance rule must fail on it.

use std::sync::Mutex;

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::secrets::SecretDigest;

/// The mistakes that the broken store can be told to make on purpose. `None` makes no mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TokenLie {
    #[default]
    None,
    KeepsTakenTokens,
    LooksBeforeItTakes,
    HandsOutAnyToken,
    CutsPayloads,
    IgnoresExpiry,
    ExpiresOneTickLate,
    IgnoresPurposes,
    UsesTokensUpAtAnyDoor,
    CountsEverybody,
    CountsTakenTokens,
    CountsExpiredTokens,
    ErasesByIdOnly,
    ErasesByAddressOnly,
    ErasesLinksOnly,
    ErasesEverybody,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, TokenLie)] = &[
    ("a_token_is_taken_exactly_once", TokenLie::KeepsTakenTokens),
    ("exactly_one_racing_taker_gets_a_token", TokenLie::LooksBeforeItTakes),
    ("an_unknown_token_is_nothing", TokenLie::HandsOutAnyToken),
    ("a_token_comes_back_as_it_was_put", TokenLie::CutsPayloads),
    ("an_expired_token_is_not_there", TokenLie::IgnoresExpiry),
    ("an_expired_token_is_not_there", TokenLie::ExpiresOneTickLate),
    ("a_token_opens_only_the_door_it_was_made_for", TokenLie::IgnoresPurposes),
    (
        "a_token_opens_only_the_door_it_was_made_for",
        TokenLie::UsesTokensUpAtAnyDoor,
    ),
    ("live_tokens_of_a_subject_are_counted", TokenLie::CountsEverybody),
    ("a_taken_token_is_not_counted", TokenLie::CountsTakenTokens),
    ("an_expired_token_is_not_counted", TokenLie::CountsExpiredTokens),
    ("tokens_of_an_erased_person_open_nothing", TokenLie::ErasesByIdOnly),
    ("tokens_of_an_erased_person_open_nothing", TokenLie::ErasesByAddressOnly),
    ("tokens_of_an_erased_person_open_nothing", TokenLie::ErasesLinksOnly),
    ("tokens_of_an_erased_person_open_nothing", TokenLie::ErasesEverybody),
];

/// A store that keeps tokens in a list, and makes the mistake `lie` on purpose.
#[derive(Debug)]
pub(crate) struct LyingTokens {
    lie: TokenLie,
    live: Mutex<Vec<OneTimeToken>>,
    taken: Mutex<Vec<OneTimeToken>>,
}

impl LyingTokens {
    pub(crate) fn new(lie: TokenLie) -> Self {
        Self {
            lie,
            live: Mutex::default(),
            taken: Mutex::default(),
        }
    }

    fn live(&self) -> std::sync::MutexGuard<'_, Vec<OneTimeToken>> {
        self.live.lock().expect("no code panics while it holds this lock")
    }

    fn is_live(&self, token: &OneTimeToken, now: Timestamp) -> bool {
        match self.lie {
            TokenLie::IgnoresExpiry => true,
            TokenLie::ExpiresOneTickLate => now <= token.expires_at,
            _ => now < token.expires_at,
        }
    }
}

#[async_trait]
impl OneTimeTokenStore for LyingTokens {
    async fn put(&self, token: OneTimeToken) -> Result<(), StoreError> {
        self.live().push(token);
        Ok(())
    }

    async fn take(
        &self,
        purpose: TokenPurpose,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        let wanted = |token: &OneTimeToken| {
            let named = token.digest == digest || self.lie == TokenLie::HandsOutAnyToken;
            named && (token.purpose == purpose || self.lie == TokenLie::IgnoresPurposes)
        };
        let found = self.live().iter().find(|token| wanted(token)).cloned();
        if self.lie == TokenLie::LooksBeforeItTakes {
            tokio::task::yield_now().await;
        }
        let mut live = self.live();
        match self.lie {
            TokenLie::KeepsTakenTokens => {}
            TokenLie::UsesTokensUpAtAnyDoor => live.retain(|token| token.digest != digest),
            TokenLie::LooksBeforeItTakes => live.retain(|token| !wanted(token)),
            _ => {
                let Some(place) = live.iter().position(wanted) else {
                    return Ok(None);
                };
                let mut token = live.remove(place);
                self.taken
                    .lock()
                    .expect("no code panics while it holds this lock")
                    .push(token.clone());
                if self.lie == TokenLie::CutsPayloads {
                    token.payload.truncate(1_000);
                }
                return Ok(Some(token).filter(|token| self.is_live(token, now)));
            }
        }
        Ok(found.filter(|token| self.is_live(token, now)))
    }

    async fn live_for(&self, purpose: TokenPurpose, subject: &str, now: Timestamp) -> Result<u64, StoreError> {
        let counts = |token: &&OneTimeToken| {
            token.purpose == purpose
                && (token.subject == subject || self.lie == TokenLie::CountsEverybody)
                && (now < token.expires_at || self.lie == TokenLie::CountsExpiredTokens)
        };
        let mut count = self.live().iter().filter(counts).count();
        if self.lie == TokenLie::CountsTakenTokens {
            count += self
                .taken
                .lock()
                .expect("no code panics while it holds this lock")
                .len();
        }
        Ok(count as u64)
    }
}

#[async_trait]
impl Erase for LyingTokens {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let subjects = match self.lie {
            TokenLie::ErasesByIdOnly => vec![person.id.to_string()],
            TokenLie::ErasesByAddressOnly => person.subjects().split_off(1),
            _ => person.subjects(),
        };
        let mut live = self.live();
        let before = live.len();
        live.retain(|token| match self.lie {
            TokenLie::ErasesLinksOnly => token.purpose != TokenPurpose::MagicLink || !subjects.contains(&token.subject),
            TokenLie::ErasesEverybody => false,
            _ => !subjects.contains(&token.subject),
        });
        Ok((before - live.len()) as u64)
    }
}
