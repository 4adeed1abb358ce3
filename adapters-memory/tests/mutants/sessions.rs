//! The working session store in memory, behind a wrapper that makes one mistake on purpose, so that a conformance
//! rule must fail.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use adapters_memory::InMemorySessionStore;
use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::sessions::{Session, SessionStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::SecretDigest;

/// The mistakes that the broken store can be told to make on purpose. `None` makes no mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SessionLie {
    #[default]
    None,
    ExpiresOneTickLate,
    IgnoresTheAbsoluteEnd,
    ForgetsTheBrowser,
    EndsWhatIsNotThere,
    IgnoresTouches,
    TouchesPastTheAbsoluteEnd,
    TouchesEndedSessions,
    TouchesExpiredSessions,
    WritesBackWhatItRead,
    EndsNothing,
    LooksBeforeItEnds,
    EndsEverybody,
    ListsOldestFirst,
    ListsExpiredSessions,
    ErasesNothing,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, SessionLie)] = &[
    ("a_session_is_found_until_it_expires", SessionLie::ExpiresOneTickLate),
    ("a_session_is_found_until_it_expires", SessionLie::IgnoresTheAbsoluteEnd),
    ("a_session_comes_back_as_it_was_created", SessionLie::ForgetsTheBrowser),
    ("an_unknown_session_is_nothing", SessionLie::EndsWhatIsNotThere),
    (
        "a_touch_moves_the_idle_end_and_never_past_the_absolute_end",
        SessionLie::IgnoresTouches,
    ),
    (
        "a_touch_moves_the_idle_end_and_never_past_the_absolute_end",
        SessionLie::TouchesPastTheAbsoluteEnd,
    ),
    (
        "a_touch_does_not_bring_an_ended_session_back",
        SessionLie::TouchesEndedSessions,
    ),
    (
        "a_touch_does_not_bring_an_expired_session_back",
        SessionLie::TouchesExpiredSessions,
    ),
    (
        "no_racing_touch_brings_an_ended_session_back",
        SessionLie::WritesBackWhatItRead,
    ),
    ("an_ended_session_is_gone_at_once", SessionLie::EndsNothing),
    (
        "exactly_one_racing_end_finds_the_session",
        SessionLie::LooksBeforeItEnds,
    ),
    (
        "ending_all_sessions_of_a_user_spares_everybody_else",
        SessionLie::EndsEverybody,
    ),
    (
        "live_sessions_of_a_user_are_listed_newest_first",
        SessionLie::ListsOldestFirst,
    ),
    (
        "live_sessions_of_a_user_are_listed_newest_first",
        SessionLie::ListsExpiredSessions,
    ),
    (
        "erasing_the_sessions_of_a_person_spares_everybody_else",
        SessionLie::ErasesNothing,
    ),
    (
        "erasing_the_sessions_of_a_person_spares_everybody_else",
        SessionLie::EndsEverybody,
    ),
];

#[derive(Debug)]
pub(crate) struct LyingSessions {
    lie: SessionLie,
    honest: InMemorySessionStore,
    /// Every session as it was when it was created, for the lies that need that state.
    created: Mutex<BTreeMap<SecretDigest, Session>>,
}

impl LyingSessions {
    pub(crate) fn new(lie: SessionLie) -> Self {
        Self {
            lie,
            honest: InMemorySessionStore::new(),
            created: Mutex::default(),
        }
    }

    fn created(&self) -> MutexGuard<'_, BTreeMap<SecretDigest, Session>> {
        self.created.lock().expect("no code panics while it holds this lock")
    }

    fn as_created(&self, digest: SecretDigest) -> Option<Session> {
        self.created().get(&digest).cloned()
    }
}

#[async_trait]
impl SessionStore for LyingSessions {
    async fn create(&self, mut session: Session) -> Result<(), StoreError> {
        match self.lie {
            SessionLie::IgnoresTheAbsoluteEnd => session.ends_at = Timestamp::MAX_UTC,
            SessionLie::TouchesPastTheAbsoluteEnd => session.ends_at += TimeDelta::seconds(1_000),
            SessionLie::ForgetsTheBrowser => session.user_agent = None,
            _ => {}
        }
        self.created().insert(session.digest, session.clone());
        self.honest.create(session).await
    }

    async fn find(&self, digest: SecretDigest, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let now = match self.lie {
            SessionLie::ExpiresOneTickLate => now - TimeDelta::microseconds(1),
            _ => now,
        };
        self.honest.find(digest, now).await
    }

    async fn touch(&self, digest: SecretDigest, now: Timestamp, idle_until: Timestamp) -> Result<bool, StoreError> {
        match self.lie {
            SessionLie::IgnoresTouches => Ok(self.honest.find(digest, now).await?.is_some()),
            SessionLie::TouchesEndedSessions => {
                let Some(session) = self.as_created(digest) else {
                    return Ok(false);
                };
                self.honest.create(Session { idle_until, ..session }).await?;
                Ok(true)
            }
            SessionLie::TouchesExpiredSessions => {
                let long_ago = self.as_created(digest).map_or(now, |session| session.created_at);
                self.honest.touch(digest, long_ago, idle_until).await
            }
            SessionLie::WritesBackWhatItRead => {
                let Some(session) = self.honest.find(digest, now).await? else {
                    return Ok(false);
                };
                tokio::task::yield_now().await;
                self.honest.create(Session { idle_until, ..session }).await?;
                Ok(true)
            }
            _ => self.honest.touch(digest, now, idle_until).await,
        }
    }

    async fn end(&self, digest: SecretDigest) -> Result<bool, StoreError> {
        match self.lie {
            SessionLie::EndsNothing => Ok(true),
            SessionLie::EndsWhatIsNotThere => {
                self.honest.end(digest).await?;
                Ok(true)
            }
            SessionLie::LooksBeforeItEnds => {
                let Some(session) = self.as_created(digest) else {
                    return Ok(false);
                };
                let there = self.honest.find(digest, session.created_at).await?.is_some();
                tokio::task::yield_now().await;
                self.honest.end(digest).await?;
                Ok(there)
            }
            _ => self.honest.end(digest).await,
        }
    }

    async fn end_all_of(&self, user: UserId) -> Result<u64, StoreError> {
        let ended = self.honest.end_all_of(user).await?;
        if self.lie == SessionLie::EndsEverybody {
            let created = self.created().clone();
            for session in created.into_values() {
                self.honest.end_all_of(session.user_id).await?;
            }
        }
        Ok(ended)
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let now = match self.lie {
            SessionLie::ListsExpiredSessions => now - TimeDelta::seconds(100),
            _ => now,
        };
        let mut listed = self.honest.sessions_of(user, now).await?;
        if self.lie == SessionLie::ListsOldestFirst {
            listed.reverse();
        }
        Ok(listed)
    }
}

#[async_trait]
impl Erase for LyingSessions {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        match self.lie {
            SessionLie::ErasesNothing => Ok(2),
            _ => self.end_all_of(person.id).await,
        }
    }
}
